//! Orders processed: taken off the queue, saved and acknowledged, with nothing to validate.

use std::time::{Duration, Instant};

use super::{Row, Setting, limits};
use crate::{
    client::{one_after_another, order},
    cost::Cost,
    figures::Figures,
    services::Shop,
};

/// How often the worker is asked how far it is: seldom enough to cost it nothing.
const LOOKS_EVERY: Duration = Duration::from_millis(50);

pub async fn measure(setting: Setting) -> Vec<Row> {
    let shop = Shop::open(&setting.servers).await;
    one_after_another(shop.orders.address, order(), 64, setting.lasting).await;
    shop.wait_until_published().await;
    let figures = orders_that_wait(&setting, &shop, Duration::MAX).await;
    shop.wait_until_ended().await;
    shop.close().await;
    let name = format!("process, no validation, prefetch {}", setting.prefetch);
    vec![Row::new(name, Some(limits::CONSUMES), figures)]
}

/// Has a worker end the orders that wait, for so long at most. The worker says how many they
/// are: to count them in the database would be work for it.
pub(super) async fn orders_that_wait(setting: &Setting, shop: &Shop, at_most: Duration) -> Figures {
    let wait = shop.pending().await as f64;
    let prefetch = setting.prefetch.to_string();
    let cost = Cost::begin(&setting.servers.postgres).await;
    let settings = [("WOODY_VALIDATION", "none"), ("WOODY_PREFETCH", prefetch.as_str())];
    let worker = shop.worker(&settings).await;
    let ended = async || worker.counted("woody_deliveries_total").await;
    // Starting is not processing.
    let mut before = ended().await;
    while before == 0.0 {
        tokio::time::sleep(LOOKS_EVERY).await;
        before = ended().await;
    }
    let began = Instant::now();
    let mut rate = 0.0;
    while began.elapsed() < at_most {
        tokio::time::sleep(LOOKS_EVERY).await;
        let done = ended().await;
        if done >= wait {
            // How long it has had nothing more to do is not known.
            break;
        }
        rate = (done - before) / began.elapsed().as_secs_f64();
    }
    let all = ended().await;
    let figures = cost.of(all as u64, Figures::rate(rate)).await;
    worker.stop();
    figures
}
