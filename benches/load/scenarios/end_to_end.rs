//! From the moment an order is due to its final state, at steady rates.

use std::{collections::HashMap, time::Duration};

use super::{Row, Setting};
use crate::{
    client::{Placed, at_a_rate},
    cost::Cost,
    figures::{Figures, Latencies},
    services::Shop,
};

pub async fn measure(setting: Setting) -> Vec<Row> {
    let mut rows = Vec::new();
    for rate in [100.0, 1_000.0, 4_000.0] {
        let shop = Shop::open(&setting.servers).await;
        let prefetch = setting.prefetch.to_string();
        let settings = [("WOODY_VALIDATION", "none"), ("WOODY_PREFETCH", prefetch.as_str())];
        let worker = shop.worker(&settings).await;
        at_a_rate(shop.orders.address, rate, 256, setting.lasting / 5).await;
        shop.wait_until_ended().await;
        let cost = Cost::begin(&setting.servers.postgres).await;
        let (seen, placed) = at_a_rate(shop.orders.address, rate, 256, setting.lasting).await;
        shop.wait_until_ended().await;
        let latencies = until_ended(&shop, &placed).await;
        let figures = Figures::rate(seen.per_second())
            .with_latencies(&latencies)
            .with("accept p99 ms", seen.latencies.quantile_ms(0.99));
        let figures = cost.of(seen.good, figures).await;
        rows.push(Row::new(format!("end to end at {rate}/s"), None, figures));
        worker.stop();
        shop.close().await;
    }
    rows
}

/// From the moment at which each order was due to its end.
pub(super) async fn until_ended(shop: &Shop, placed: &[Placed]) -> Latencies {
    let ids: Vec<_> = placed.iter().map(|one| one.id).collect();
    let due: HashMap<_, _> = placed.iter().map(|one| (one.id, one.due)).collect();
    let mut latencies = Latencies::new();
    for (id, ended_at) in shop.ended_at(&ids).await {
        latencies.record(Duration::try_from(ended_at - due[&id]).unwrap_or_default());
    }
    latencies
}
