//! Workers that an operator pauses.

use std::{path::Path, process::Command};

use serde_json::Value;
use testkit::{
    client::{ended, get, place, status},
    servers::{Database, VirtualHost},
    service::{Service, Start, binary},
    waiting::until,
};

use crate::four_services::start;

/// What `woodyctl` prints, for one of a shop's folder or with the URLs of its servers.
async fn woodyctl(folder: &Path, urls: Option<[&str; 2]>, words: &[&str]) -> Value {
    let mut command = Command::new(binary("woodyctl"));
    command.current_dir(folder).args(words).args(["--output", "json"]);
    if let Some([store, broker]) = urls {
        command.env("WOODY_STORE_URL", store).env("WOODY_BROKER_URL", broker);
    }
    let done = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    assert!(done.status.success(), "{words:?}: {}", String::from_utf8_lossy(&done.stderr));
    serde_json::from_slice(&done.stdout).unwrap()
}

/// Waits until a worker says that it is paused, or not; it is ready either way.
async fn says(worker: &Service, is_paused: bool) {
    until("the worker has seen it", async || {
        let report = get(worker.admin, "/readyz").await.unwrap();
        let check = report.json()["checks"]["pause"].clone();
        if is_paused && check["ok"] == false {
            let why = check["why"].as_str().unwrap();
            assert!(why.contains("by ada: a new saw"), "{why}");
        }
        report.status == 200 && check["ok"] == !is_paused
    })
    .await;
    assert_eq!(get(worker.admin, "/healthz").await.unwrap().status, 200);
    let gauge = format!("woody_queue_paused {}", u8::from(is_paused));
    let metrics = get(worker.admin, "/metrics").await.unwrap().text();
    assert!(metrics.contains(&gauge), "{metrics}");
}

/// `shop` accepts orders and `start` starts what validates them.
async fn a_pause_holds(
    folder: &Path,
    urls: Option<[&str; 2]>,
    shop: Option<Service>,
    start: impl AsyncFn() -> Service,
) {
    let ctl = async |words: &[&str]| woodyctl(folder, urls, words).await;
    let worker = start().await;
    says(&worker, false).await;
    let accepts = |worker: &Service| shop.as_ref().map_or(worker.address, |shop| shop.address);
    let id = place(accepts(&worker), "Train").await;
    assert_eq!(ended(accepts(&worker), &id).await, "success");

    let because = ["--by", "ada", "--because", "a new saw"];
    ctl(&[&["queue", "pause"][..], &because].concat()).await;
    says(&worker, true).await;
    let id = place(accepts(&worker), "Boat").await;
    let waits = async || {
        until("it waits, and nobody takes it", async || {
            let stats = ctl(&["queue", "stats"]).await;
            assert_eq!((&stats["paused"]["by"], &stats["in_flight"] == 1), (&"ada".into(), false));
            stats["ready"] == 1 && stats["consumers"] == 0
        })
        .await;
    };
    waits().await;
    // A worker that begins in the middle of it is paused from the start.
    worker.kill();
    let worker = start().await;
    says(&worker, true).await;
    waits().await;
    assert_eq!(status(accepts(&worker), &id).await.as_deref(), Some("pending"));

    ctl(&["queue", "resume", "--by", "ada"]).await;
    assert_eq!(ended(accepts(&worker), &id).await, "success");
    says(&worker, false).await;
    let acts = ctl(&["acts"]).await;
    let acts = acts["acts"].as_array().unwrap().iter();
    let acts: Vec<_> = acts.map(|act| (act["act"].clone(), act["result"].clone())).collect();
    let done = |act: &str| (act.into(), "done".into());
    assert_eq!(acts, [done("queue resume"), done("queue pause")]);
    let stats = ctl(&["queue", "stats"]).await;
    assert_eq!(stats["paused"], false);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_paused_shop_accepts_orders_and_validates_none_until_it_is_resumed() {
    let folder = tempfile::tempdir().unwrap();
    a_pause_holds(folder.path(), None, None, async || {
        let shop = Start::of("woodytoys").current_dir(folder.path());
        shop.env("WOODY_PAUSE_CHECK", "100ms").ready().await
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs WOODY_TEST_POSTGRES_URL and WOODY_TEST_AMQP_URL"]
async fn paused_workers_take_no_orders_until_they_are_resumed() {
    let (database, host) = (Database::create().await, VirtualHost::create());
    let folder = tempfile::tempdir().unwrap();
    let service = start("order-service", &database.url, &host.url).ready().await;
    let urls = [database.url.as_str(), host.url.as_str()];
    a_pause_holds(folder.path(), Some(urls), Some(service), async || {
        let worker = start("order-worker", &database.url, &host.url);
        let worker = worker.env("WOODY_VALIDATION", "none").env("WOODY_PREFETCH", "20");
        worker.env("WOODY_PAUSE_CHECK", "100ms").ready().await
    })
    .await;
    database.drop().await;
}
