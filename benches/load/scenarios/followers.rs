//! Clients that follow their order as a stream of events: what a stream costs, and how soon
//! they hear that their order has ended.

use std::{
    net::SocketAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use time::OffsetDateTime;
use tokio::{
    sync::{Barrier, Semaphore, mpsc},
    task::JoinSet,
};
use uuid::Uuid;

use super::{Row, Setting};
use crate::{
    client::{Connection, at_a_rate, at_a_rate_telling, get},
    cost::{Cost, memory_now_mb, peak_memory_mb},
    figures::{Figures, Latencies},
    services::Shop,
};

const FOLLOWERS: usize = 10_000;
/// Orders are placed at this rate, so many as there are followers.
const RATE: f64 = 1_000.0;
/// A worker with so few deliveries in flight ends orders at about that rate.
const PREFETCH: &str = "4";

pub async fn measure(setting: Setting) -> Vec<Row> {
    vec![at_once(&setting).await, one_after_another(&setting).await]
}

/// What a follower has heard, and from when on it could.
struct Heard {
    id: Uuid,
    asked: OffsetDateTime,
    at: OffsetDateTime,
}

/// All orders are followed before the first of them ends.
async fn at_once(setting: &Setting) -> Row {
    let shop = Shop::open(&setting.servers).await;
    let (address, id) = (shop.orders.address, shop.orders.id());
    let (_, placed) = at_a_rate(address, RATE, 64, lasting()).await;
    shop.wait_until_published().await;
    let before = memory_now_mb(id);
    let all_follow = Arc::new(Barrier::new(placed.len() + 1));
    let mut followers = JoinSet::new();
    for order in &placed {
        followers.spawn(follow(address, order.id, Some(Arc::clone(&all_follow))));
    }
    all_follow.wait().await;
    let following = memory_now_mb(id);
    let cost = Cost::begin(&setting.servers.postgres).await;
    let worker = shop.worker(&[("WOODY_VALIDATION", "none"), ("WOODY_PREFETCH", PREFETCH)]).await;
    let ending = Instant::now();
    let heard = followers.join_all().await;
    let figures = Figures::default()
        .with_latencies(&latencies(&shop, &heard).await)
        .with("ended/s", heard.len() as f64 / ending.elapsed().as_secs_f64())
        .with("kB each", (following - before) * 1_024.0 / placed.len().max(1) as f64)
        .with("before MB", before)
        .with("following MB", following)
        .with("peak MB", peak_memory_mb(id));
    let figures = cost.of(placed.len() as u64, figures).await;
    worker.stop();
    shop.close().await;
    Row::new(format!("followers, {FOLLOWERS} at once"), None, figures)
}

/// Each order is followed as soon as it is placed, while a worker ends them.
async fn one_after_another(setting: &Setting) -> Row {
    let shop = Shop::open(&setting.servers).await;
    let address = shop.orders.address;
    let prefetch = setting.prefetch.to_string();
    let settings = [("WOODY_VALIDATION", "none"), ("WOODY_PREFETCH", prefetch.as_str())];
    let worker = shop.worker(&settings).await;
    let (to, mut placed) = mpsc::unbounded_channel();
    let cost = Cost::begin(&setting.servers.postgres).await;
    let following = async {
        let mut followers = JoinSet::new();
        while let Some(id) = placed.recv().await {
            followers.spawn(follow(address, id, None));
        }
        followers.join_all().await
    };
    let placing = at_a_rate_telling(address, RATE, 256, lasting(), to);
    let ((seen, _), heard) = tokio::join!(placing, following);
    let figures = Figures::rate(seen.per_second())
        .with_latencies(&latencies(&shop, &heard).await)
        .with("peak MB", peak_memory_mb(shop.orders.id()));
    let figures = cost.of(heard.len() as u64, figures).await;
    worker.stop();
    shop.close().await;
    Row::new(format!("followers, of {RATE} orders/s"), None, figures)
}

fn lasting() -> Duration {
    Duration::from_secs_f64(FOLLOWERS as f64 / RATE)
}

/// Clients that connect at the same moment: more than the kernel lets wait would be reset.
static CONNECTING: Semaphore = Semaphore::const_new(1_000);

/// Follows an order to its end; once it has seen it pending it waits for all the others.
async fn follow(address: SocketAddr, id: Uuid, all_follow: Option<Arc<Barrier>>) -> Heard {
    let connecting = CONNECTING.acquire().await.expect("never closed");
    let mut connection = Connection::open(address).await.expect("order-service");
    let mut request = get(&format!("/api/orders/{id}/events"));
    let asked = OffsetDateTime::now_utc();
    if let Some(all_follow) = all_follow {
        connection.follow(&request, b"pending").await.expect("events");
        drop(connecting);
        all_follow.wait().await;
        request.clear();
    } else {
        drop(connecting);
    }
    connection.follow(&request, b"success").await.expect("the end");
    Heard { id, asked, at: OffsetDateTime::now_utc() }
}

/// From when a final state was saved, and asked for, until it was heard.
async fn latencies(shop: &Shop, heard: &[Heard]) -> Latencies {
    let ids: Vec<_> = heard.iter().map(|one| one.id).collect();
    let ended: std::collections::HashMap<_, _> = shop.ended_at(&ids).await.into_iter().collect();
    let mut latencies = Latencies::new();
    for Heard { id, asked, at } in heard {
        let since = ended[id].max(*asked);
        latencies.record(Duration::try_from(*at - since).unwrap_or_default());
    }
    latencies
}
