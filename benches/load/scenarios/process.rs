//! Orders processed: taken off the queue, saved and acknowledged, with nothing to validate.

use std::time::Instant;

use super::{Row, Setting, limits};
use crate::{
    client::{one_after_another, order},
    cost::Cost,
    figures::Figures,
    services::Shop,
};

pub async fn measure(setting: Setting) -> Vec<Row> {
    let shop = Shop::open(&setting.servers).await;
    let seen = one_after_another(shop.orders.address, order(), 64, setting.lasting).await;
    shop.wait_until_published().await;
    let prefetch = setting.prefetch.to_string();
    let cost = Cost::begin(&setting.servers.postgres).await;
    let settings = [("WOODY_VALIDATION", "none"), ("WOODY_PREFETCH", prefetch.as_str())];
    let worker = shop.worker(&settings).await;
    // Starting is not processing.
    let left = shop.wait_until_fewer_than(i64::try_from(seen.good).unwrap()).await;
    let started = Instant::now();
    shop.wait_until_ended().await;
    let rate = left as f64 / started.elapsed().as_secs_f64();
    let figures = cost.of(seen.good, Figures::rate(rate)).await;
    worker.stop();
    shop.close();
    let name = format!("process, no validation, prefetch {prefetch}");
    vec![Row::new(name, Some(limits::CONSUMES), figures)]
}
