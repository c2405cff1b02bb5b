//! Orders that come at random, alone or together.

use std::{net::SocketAddr, time::Duration};

use serde_json::{Value, json};
use testkit::client::post;
use time::{OffsetDateTime, format_description::well_known::Rfc3339};
use tokio::{
    task::JoinSet,
    time::{Instant, sleep_until},
};
use uuid::Uuid;

use crate::shop::{Shop, WORKERS};

/// What happens to the shop meanwhile.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    None,
    /// A worker is killed, and started again.
    Killed,
    /// All workers are replaced, one after the other.
    Updated,
}

#[derive(Debug, Clone, Copy)]
pub struct Phase {
    pub name: &'static str,
    pub orders: usize,
    pub per_s: f64,
    /// Orders of one batch.
    pub together: usize,
    /// How long validations take on average, and how long one in ten.
    pub mean_ms: u64,
    pub seldom_ms: u64,
    pub change: Change,
}

/// What an order was told when it was accepted.
#[derive(Debug, Clone)]
pub struct Told {
    pub phase: &'static str,
    pub id: Uuid,
    /// Its p50 and p90.
    pub ready: Option<(OffsetDateTime, OffsetDateTime)>,
}

/// Places the orders of a phase, while the shop changes as it says.
pub async fn run(shop: &mut Shop, phase: &Phase) -> Vec<Told> {
    shop.validator.takes(phase.mean_ms, phase.seldom_ms);
    let services: Vec<SocketAddr> = shop.services.iter().map(|service| service.address).collect();
    let placing = tokio::spawn(place_all(services, *phase));
    match phase.change {
        Change::None => {}
        Change::Killed => {
            tokio::time::sleep(lasts(phase) / 3).await;
            shop.kill_one().await;
        }
        Change::Updated => {
            for n in 0..WORKERS {
                tokio::time::sleep(lasts(phase) / 10).await;
                shop.update_one(n).await;
            }
        }
    }
    placing.await.unwrap()
}

#[expect(clippy::cast_precision_loss, reason = "thousands")]
fn lasts(phase: &Phase) -> Duration {
    Duration::from_secs_f64(phase.orders as f64 / phase.per_s)
}

#[expect(clippy::cast_precision_loss, reason = "hundreds")]
async fn place_all(services: Vec<SocketAddr>, phase: Phase) -> Vec<Told> {
    let (mut placing, mut due, mut left) = (JoinSet::new(), Instant::now(), phase.orders);
    let mean = Duration::from_secs_f64(phase.together as f64 / phase.per_s);
    while left > 0 {
        due += mean.mul_f64(-(1.0 - fastrand::f64()).ln());
        sleep_until(due).await;
        let count = phase.together.min(left);
        left -= count;
        placing.spawn(place(services[fastrand::usize(0..services.len())], phase.name, count));
    }
    placing.join_all().await.into_iter().flatten().collect()
}

async fn place(address: SocketAddr, phase: &'static str, count: usize) -> Vec<Told> {
    let order = json!({"product": "lion"});
    if count == 1 {
        let answer = post(address, "/api/orders", None, &order).await.unwrap();
        assert_eq!(answer.status, 202, "{}", answer.text());
        return vec![told(phase, &answer.json())];
    }
    let batch = Value::Array(vec![order; count]);
    let answer = post(address, "/api/orders/batch", None, &batch).await.unwrap();
    assert_eq!(answer.status, 200, "{}", answer.text());
    let items = answer.json();
    items.as_array().unwrap().iter().map(|item| told(phase, &item["order"])).collect()
}

fn told(phase: &'static str, receipt: &Value) -> Told {
    let time = |value: &Value| OffsetDateTime::parse(value.as_str()?, &Rfc3339).ok();
    let ready = &receipt["ready"];
    let id = receipt["order_id"].as_str().unwrap().parse().unwrap();
    Told { phase, id, ready: time(&ready["p50"]).zip(time(&ready["p90"])) }
}
