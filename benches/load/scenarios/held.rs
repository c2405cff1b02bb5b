//! Orders accepted and processed before, while and after somebody holds a transaction open, which
//! keeps PostgreSQL from removing what was replaced or deleted since.

use std::time::{Duration, Instant};

use sqlx::{Connection as _, PgConnection};

use super::{Row, Setting, limits, process::orders_that_wait};
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
    let dead: i64 = setting
        .servers
        .any("SELECT n_dead_tup FROM pg_stat_user_tables WHERE relname = 'outbox'")
        .await;
    sqlx::raw_sql("COMMIT").execute(&mut reader).await.unwrap();

    for _ in 0..TURNS {
        without.push(turn(&setting, &shop).await);
    }
    shop.close().await;
    let last = with.split_off(with.len().saturating_sub(TURNS));
    let times = [
        ("no transaction held open".to_owned(), without),
        (format!("one held open, {held} s but for its end"), with),
        (format!("one held open, the last {TURNS} turns of {held} s"), last),
    ];
    let mut rows = Vec::new();
    for (name, turns) in &times {
        for (nth, what, limit) in
            [(0, "accept", limits::PUBLISHES), (1, "process", limits::CONSUMES)]
        {
            let of_all: Vec<&Figures> = turns.iter().map(|turn| &turn[nth]).collect();
            if let Some(medians) = medians(&of_all) {
                let medians = medians.with("turns", turns.len() as f64);
                rows.push(Row::new(
                    format!("{what}, {name}"),
                    Some(limit),
                    medians.with("dead entries", dead as f64),
                ));
            }
        }
    }
    rows
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

/// Each figure's median over the turns.
fn medians(turns: &[&Figures]) -> Option<Figures> {
    let mut medians = Figures::default();
    for figure in turns.first()?.0.keys() {
        let mut values: Vec<f64> =
            turns.iter().filter_map(|turn| turn.0.get(figure).copied()).collect();
        values.sort_by(f64::total_cmp);
        medians = medians.with(figure, values[values.len() / 2]);
    }
    Some(medians)
}
