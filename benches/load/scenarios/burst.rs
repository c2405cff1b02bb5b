//! Twice as many orders as the whole can process, for a while: what is accepted, and how
//! long until all of them have ended.

use std::time::Instant;

use super::{Row, Setting};
use crate::{
    client::{at_a_rate, one_after_another, order},
    cost::Cost,
    services::Shop,
};

pub async fn measure(setting: Setting) -> Vec<Row> {
    let shop = Shop::open(&setting.servers).await;
    let address = shop.orders.address;
    let prefetch = setting.prefetch.to_string();
    let settings = [("WOODY_VALIDATION", "none"), ("WOODY_PREFETCH", prefetch.as_str())];
    let worker = shop.worker(&settings).await;

    let began = Instant::now();
    let cost = Cost::begin(&setting.servers.postgres).await;
    let seen = one_after_another(address, order(), 64, setting.lasting).await;
    shop.wait_until_ended().await;
    let sustained = seen.good as f64 / began.elapsed().as_secs_f64();
    let figures = cost.of(seen.good, seen.figures()).await;
    let figures = figures.with(crate::figures::Figures::RATE, sustained);
    let mut rows =
        vec![Row::new("sustained: accepted and processed, 64 connections", None, figures)];

    let cost = Cost::begin(&setting.servers.postgres).await;
    let (seen, _) = at_a_rate(address, 2.0 * sustained, 1_024, setting.lasting).await;
    let behind = Instant::now();
    shop.wait_until_ended().await;
    let figures = cost.of(seen.good, seen.figures()).await;
    let figures = figures.with("s until caught up", behind.elapsed().as_secs_f64());
    rows.push(Row::new("burst, at twice the sustained rate", None, figures));
    worker.stop();
    shop.close().await;
    rows
}
