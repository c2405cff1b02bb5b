//! Clients that follow their order as a stream of events: what a connection costs, and how
//! soon they hear that it has ended.

use std::{collections::HashMap, sync::Arc, time::Duration};

use time::OffsetDateTime;
use tokio::sync::Barrier;

use super::{Row, Setting};
use crate::{
    client::{Connection, at_a_rate, get},
    cost::{memory_now_mb, peak_memory_mb},
    figures::{Figures, Latencies},
    services::Shop,
};

const FOLLOWERS: usize = 1_000;

pub async fn measure(setting: Setting) -> Vec<Row> {
    let shop = Shop::open(&setting.servers).await;
    let address = shop.orders.address;
    let (_, placed) = at_a_rate(address, FOLLOWERS as f64, 64, Duration::from_secs(1)).await;
    shop.wait_until_published().await;
    let before = memory_now_mb(shop.orders.id());
    let all_follow = Arc::new(Barrier::new(placed.len() + 1));
    let followers: Vec<_> = placed
        .iter()
        .map(|order| {
            let (id, all_follow) = (order.id, Arc::clone(&all_follow));
            tokio::spawn(async move {
                let mut connection = Connection::open(address).await.expect("order-service");
                let request = get(&format!("/api/orders/{id}/events"));
                connection.follow(&request, b"pending").await.expect("events");
                all_follow.wait().await;
                connection.follow(b"", b"success").await.expect("the end");
                (id, OffsetDateTime::now_utc())
            })
        })
        .collect();
    all_follow.wait().await;
    let following = memory_now_mb(shop.orders.id());
    let prefetch = setting.prefetch.to_string();
    let settings = [("WOODY_VALIDATION", "none"), ("WOODY_PREFETCH", prefetch.as_str())];
    let worker = shop.worker(&settings).await;
    let mut heard = HashMap::new();
    for follower in followers {
        let (id, at) = follower.await.expect("a follower");
        heard.insert(id, at);
    }
    let ids: Vec<_> = heard.keys().copied().collect();
    let mut latencies = Latencies::new();
    for (id, ended_at) in shop.ended_at(&ids).await {
        latencies.record(Duration::try_from(heard[&id] - ended_at).unwrap_or_default());
    }
    let kilobytes = (following - before) * 1_024.0 / placed.len().max(1) as f64;
    let figures = Figures::default()
        .with_latencies(&latencies)
        .with("kB each", kilobytes)
        .with("peak MB", peak_memory_mb(shop.orders.id()));
    worker.stop();
    shop.close();
    vec![Row::new(format!("followers, {FOLLOWERS} at once"), None, figures)]
}
