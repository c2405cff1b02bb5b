//! Orders accepted and processed before, while and after somebody holds a transaction open, which
//! keeps PostgreSQL from removing what was replaced or deleted since.

use std::time::{Duration, Instant};

use sqlx::{Connection as _, PgConnection};

use super::{Row, Setting, process::orders_that_wait};
use crate::{
    client::{one_after_another, order},
    cost::Cost,
    figures::Figures,
    services::Shop,
};

/// How often the loads are repeated before and after, and at the end of the time between.
const TURNS: usize = 8;

pub async fn measure(setting: Setting) -> Vec<Row> {
    let shop = Shop::open(&setting.servers).await;
    // Connections, plans of statements and pages, before anything counts.
    turn(&setting, &shop).await;
    let mut without = Vec::new();
    for _ in 0..TURNS {
        without.push(turn(&setting, &shop).await);
    }

    let mut reader = PgConnection::connect(&setting.servers.postgres).await.unwrap();
    let snapshot = "BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM outbox";
    sqlx::raw_sql(snapshot).execute(&mut reader).await.unwrap();
    let (held, mut with) = (Instant::now(), Vec::new());
    while held.elapsed() < setting.held {
        with.push(turn(&setting, &shop).await);
    }
    let held = held.elapsed().as_secs();
    sqlx::raw_sql("COMMIT").execute(&mut reader).await.unwrap();

    for _ in 0..TURNS {
        without.push(turn(&setting, &shop).await);
    }
    shop.close().await;
    let last = with.split_off(with.len().saturating_sub(TURNS));
    // The table shows the medians of rows that have one name.
    let named = |name: String, turns: Vec<[Figures; 2]>| {
        turns.into_iter().flat_map(move |[accepted, processed]| {
            let row = |what, figures| Row::new(format!("{what}, {name}"), None, figures);
            [row("accept", accepted), row("process", processed)]
        })
    };
    named("no transaction held open".to_owned(), without)
        .chain(named(format!("one held open for {held} s, but for its end"), with))
        .chain(named(format!("one held open for {held} s, its last {TURNS} turns"), last))
        .collect()
}

/// Orders accepted for as long as a load lasts, and then processed.
async fn turn(setting: &Setting, shop: &Shop) -> [Figures; 2] {
    let cost = Cost::begin(&setting.servers.postgres).await;
    let seen = one_after_another(shop.orders.address, order(), 64, setting.lasting).await;
    shop.wait_until_published().await;
    let accepted = cost.of(seen.good, seen.figures()).await;
    let processed = orders_that_wait(setting, shop, Duration::MAX).await;
    [accepted, processed]
}
