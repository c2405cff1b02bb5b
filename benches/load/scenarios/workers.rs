//! One to five workers, each with one order at a time: with a validator that waits, work
//! is shared; with one that computes, the cores are the limit.

use std::time::{Duration, Instant};

use super::{Row, Setting};
use crate::{
    client::at_a_rate,
    figures::Figures,
    raw::hyper::Server,
    services::{Servers, Service, Shop},
};

const WAITS_FOR: Duration = Duration::from_millis(50);
/// Orders that are waiting when the workers start, for each of them.
const ORDERS: u32 = 60;

pub async fn measure(setting: Setting) -> Vec<Row> {
    let waiting = Server::start(br#"{"verdict":"success"}"#, WAITS_FOR).await;
    let url = format!("http://{}/", waiting.address);
    let mut rows = Vec::new();
    for workers in 1..=5 {
        let settings = [("WOODY_VALIDATION", "none"), ("WOODY_VALIDATOR_URL", url.as_str())];
        let rate = processed(&setting.servers, workers, &settings).await;
        let name =
            format!("workers, {workers}, a validator that waits {} ms", WAITS_FOR.as_millis());
        rows.push(Row::new(name, None, Figures::rate(rate)));
    }
    waiting.stop();
    for workers in 1..=5 {
        let rate = processed(&setting.servers, workers, &[("WOODY_VALIDATION", "workshop")]).await;
        let name = format!("workers, {workers}, a validator that computes");
        rows.push(Row::new(name, None, Figures::rate(rate)));
    }
    rows
}

/// Orders a second that so many workers bring to an end.
async fn processed(servers: &Servers, workers: u32, settings: &[(&str, &str)]) -> f64 {
    let shop = Shop::open(servers).await;
    let orders = f64::from(ORDERS * workers);
    let (seen, _) =
        at_a_rate(shop.orders.address, orders * 2.0, 64, Duration::from_millis(500)).await;
    shop.wait_until_published().await;
    let mut running: Vec<Service> = Vec::new();
    for _ in 0..workers {
        running.push(shop.worker(settings).await);
    }
    let left = shop.wait_until_fewer_than(i64::try_from(seen.good).unwrap()).await;
    let started = Instant::now();
    shop.wait_until_ended().await;
    let rate = left as f64 / started.elapsed().as_secs_f64();
    running.into_iter().for_each(Service::stop);
    shop.close().await;
    rate
}
