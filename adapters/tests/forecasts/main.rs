//! Whether the times that orders are told are kept, by real processes over a real PostgreSQL and RabbitMQ: two
//! order-services, five workers and a validation service that takes its time, under orders that come evenly and together,
//! with a worker killed and all of them updated in between. `dev/forecasts.sh` runs it and prints a table; with every test
//! it places a few orders only and asserts that they are told something.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    unreachable_pub
)]

mod load;
mod shop;
mod table;
mod validator;

use std::path::Path;

use load::{Change, Phase};
use shop::Shop;
use table::Table;

/// What the orders are like, of each as a part of all.
fn phases(orders: usize) -> Vec<Phase> {
    let phase = |name, percent, per_s, together, mean_ms, seldom_ms| Phase {
        name,
        orders: orders * percent / 100,
        per_s,
        together,
        mean_ms,
        seldom_ms,
        change: Change::None,
    };
    vec![
        phase("steady", 20, 120.0, 1, 80, 80),
        phase("bursts of 300", 20, 100.0, 300, 80, 80),
        phase("short and long", 20, 100.0, 1, 50, 400),
        phase("too many", 10, 300.0, 1, 80, 80),
        Phase { change: Change::Killed, ..phase("a worker killed", 15, 100.0, 1, 80, 80) },
        Phase { change: Change::Updated, ..phase("an update", 15, 100.0, 2, 80, 80) },
    ]
}

const FEW: usize = 1_500;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs WOODY_TEST_POSTGRES_URL and WOODY_TEST_AMQP_URL"]
async fn orders_are_ready_when_they_were_told() {
    let asked = std::env::var("WOODY_FORECASTS_ORDERS").ok().filter(|orders| !orders.is_empty());
    let orders = asked.as_ref().map_or(FEW, |orders| orders.parse().expect("a number of orders"));
    let mut shop = Shop::open().await;
    let mut told = Vec::new();
    for phase in phases(orders) {
        told.extend(load::run(&mut shop, &phase).await);
    }
    let ended = shop.all_ended(told.len()).await;
    let table = Table::of(&told, &ended);
    println!("{table}");
    if let Ok(file) = std::env::var("WOODY_FORECASTS_JSON")
        && !file.is_empty()
    {
        std::fs::write(Path::new(&file), table.json()).unwrap();
    }
    shop.close().await;
    let all = table.all();
    assert!(all.told > 0, "orders are told when they will be ready");
    if asked.is_some() {
        assert!((85.0..=95.0).contains(&all.kept_p90), "p90 is kept in {:.1} %", all.kept_p90);
    }
}
