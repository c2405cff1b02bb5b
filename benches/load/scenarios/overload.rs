//! More clients than places, each of which asks again at once when it is refused, and twice
//! as many orders as the service can take: what is left of its peak.

use std::time::Duration;

use super::{Row, Setting, limits};
use crate::{
    client::{Seen, at_a_rate, impatient, one_after_another, order},
    cost::{Cost, memory_now_mb, peak_memory_mb},
    services::Shop,
};

const AT_THE_PEAK: usize = 256;
const CONNECTIONS: usize = 4_000;
/// What is idle is given back by then.
const A_WHILE: Duration = Duration::from_secs(3);

pub async fn measure(setting: Setting) -> Vec<Row> {
    let name = format!("overload: the peak, {AT_THE_PEAK} connections");
    let (peak, row) = load(&setting, name, None, async |shop| {
        one_after_another(shop.orders.address, order(), AT_THE_PEAK, setting.lasting).await
    })
    .await;
    let mut rows = vec![row];
    let name = format!("overload, {CONNECTIONS} impatient connections");
    let (_, row) = load(&setting, name, Some(peak), async |shop| {
        impatient(shop.orders.address, order(), CONNECTIONS, setting.lasting).await
    })
    .await;
    rows.push(row);
    let name = format!("overload, twice the peak over {CONNECTIONS} connections");
    let (_, row) = load(&setting, name, Some(peak), async |shop| {
        at_a_rate(shop.orders.address, 2.0 * peak, CONNECTIONS, setting.lasting).await.0
    })
    .await;
    rows.push(row);
    rows
}

/// Returns orders accepted a second, and the row.
async fn load(
    setting: &Setting,
    name: String,
    peak: Option<f64>,
    ask: impl AsyncFnOnce(&Shop) -> Seen,
) -> (f64, Row) {
    let shop = Shop::open(&setting.servers).await;
    let cost = Cost::begin(&setting.servers.postgres).await;
    let seen = ask(&shop).await;
    shop.wait_until_published().await;
    let mut figures = cost.of(seen.good, seen.figures()).await;
    let answers = seen.answers() as f64 / seen.elapsed.as_secs_f64();
    tokio::time::sleep(A_WHILE).await;
    figures = figures
        .with("answers/s", answers)
        .with("peak MB", peak_memory_mb(shop.orders.id()))
        .with("MB after", memory_now_mb(shop.orders.id()));
    if let Some(peak) = peak {
        figures = figures.with("of the peak", seen.per_second() / peak);
    }
    shop.close().await;
    (seen.per_second(), Row::new(name, Some(limits::PUBLISHES), figures))
}
