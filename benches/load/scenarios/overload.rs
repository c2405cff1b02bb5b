//! More clients than places, each of which asks again at once when it is refused.

use super::{Row, Setting, limits};
use crate::{
    client::{impatient, order},
    cost::{Cost, memory_now_mb, peak_memory_mb},
    services::Shop,
};

const CONNECTIONS: usize = 4_000;

pub async fn measure(setting: Setting) -> Vec<Row> {
    let shop = Shop::open(&setting.servers).await;
    let cost = Cost::begin(&setting.servers.postgres).await;
    let seen = impatient(shop.orders.address, order(), CONNECTIONS, setting.lasting).await;
    shop.wait_until_published().await;
    let figures = cost.of(seen.good, seen.figures()).await;
    let answers = seen.answers() as f64 / seen.elapsed.as_secs_f64();
    let figures = figures
        .with("answers/s", answers)
        .with("peak MB", peak_memory_mb(shop.orders.id()))
        .with("MB after", memory_now_mb(shop.orders.id()));
    shop.close();
    let name = format!("overload, {CONNECTIONS} impatient connections");
    vec![Row::new(name, Some(limits::PUBLISHES), figures)]
}
