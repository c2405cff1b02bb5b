//! The load harness: what real processes do, beside what their parts can do.
//!
//! It starts `order-service` and `order-worker` as they are deployed, over a real
//! PostgreSQL and a real RabbitMQ, and measures in the same run, on the same
//! machine, the raw speed of each: confirmed publishes and consume + ack by lapin,
//! batched inserts by sqlx. `./dev/measure.sh` brings the servers and runs it.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::cast_precision_loss,
    unreachable_pub
)]

mod client;
mod raw;
mod report;
mod services;

use std::time::Duration;

use report::Report;
use services::Services;

/// Connections of the load, as in the design's table.
const CONNECTIONS: usize = 64;

#[tokio::main]
async fn main() {
    let (Ok(postgres), Ok(amqp)) =
        (std::env::var("WOODY_TEST_POSTGRES_URL"), std::env::var("WOODY_TEST_AMQP_URL"))
    else {
        println!("the load harness needs PostgreSQL and RabbitMQ: run ./dev/measure.sh");
        return;
    };
    let seconds = setting("WOODY_LOAD_SECONDS", 5);
    let rounds = setting("WOODY_LOAD_ROUNDS", 3);
    let lasting = Duration::from_secs(seconds);
    let prefetch = setting("WOODY_LOAD_PREFETCH", 200);

    let mut report = Report::new(&postgres).await;
    for round in 1..=rounds {
        eprintln!("round {round} of {rounds}: raw publish, consume and insert");
        report.add("lapin: confirmed publish, 1024 in flight", raw::publish(&amqp, lasting).await);
        report.add("lapin: consume + ack, prefetch 100", raw::consume(&amqp).await);
        report
            .add("sqlx: UNNEST of 200 rows, 2 connections", raw::insert(&postgres, lasting).await);

        eprintln!("round {round} of {rounds}: order-service, {CONNECTIONS} connections");
        let services = Services::start(&postgres, &amqp).await;
        let accepted = client::place_orders(services.order_service, CONNECTIONS, lasting).await;
        report.add("order-service: orders accepted", accepted.per_second());
        report.add_latency("order-service: p99 of an accept, ms", accepted.p99_ms());
        assert_eq!(accepted.refused, 0, "no order may be refused in this load");

        eprintln!("round {round} of {rounds}: order-worker, {} orders wait", accepted.count);
        services.wait_until_published(&postgres).await;
        let processed = services.process_all(&postgres, prefetch, accepted.count).await;
        report.add("order-worker: orders processed, no validation", processed);
        services.stop();
    }
    report.print();
}

fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}
