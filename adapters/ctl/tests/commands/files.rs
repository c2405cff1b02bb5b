//! A shop's files, and `woodyctl` over them.

use std::{path::Path, process::Command, sync::Arc, time::Duration};

use bytes::Bytes;
use serde_json::Value;
use testkit::service::binary;
use woody_broker::{BrokerOptions, BrokerUrl};
use woody_core::{
    domain::{Details, NewOrder, OrderId, Reason, ToyOrder},
    ports::{Broker, Prefetch, Store},
};
use woody_store::{StoreOptions, StoreUrl};

/// What a terminal would obey, or show in another order.
const RAW: [char; 7] = ['\u{1b}', '\u{7}', '\u{9b}', '\r', '\u{202e}', '\u{7f}', '\u{2028}'];

/// A shop's files, without a shop.
pub(crate) struct Files {
    pub(crate) folder: tempfile::TempDir,
    pub(crate) store: Arc<dyn Store>,
}

pub(crate) async fn files() -> Files {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("data")).unwrap();
    let url = format!("sqlite:{}", folder.path().join("data/woody.db").display());
    let url = StoreUrl::parse(&url).unwrap();
    let store = woody_store::connect(&url, StoreOptions::default()).await.unwrap();
    store.migrate().await.unwrap();
    Files { folder, store }
}

impl Files {
    pub(crate) async fn broker(&self) -> Arc<dyn Broker> {
        let url = format!("sqlite:{}", self.folder.path().join("data/woody-queue.db").display());
        let url = BrokerUrl::parse(&url).unwrap();
        woody_broker::connect(&url, BrokerOptions::default()).await.unwrap()
    }

    /// Has a message be a dead letter.
    pub(crate) async fn bury(&self, body: &str, reason: &str) {
        let broker = self.broker().await;
        broker.publisher().send(&[Bytes::from(body.to_owned())]).await.unwrap();
        let mut consumer = broker.consumer(Prefetch::MIN).await.unwrap();
        let delivery = consumer.next().await.unwrap();
        delivery.dead_letter(Reason::new(reason)).await.unwrap();
        consumer.stop().await;
        broker.close().await;
    }

    /// Has a worker be subscribed, until the broker is closed.
    pub(crate) async fn worker(&self) -> Arc<dyn Broker> {
        let broker = self.broker().await;
        let mut consumer = broker.consumer(Prefetch::MIN).await.unwrap();
        tokio::spawn(async move { consumer.next().await.is_none() });
        let admin = broker.admin();
        testkit::waiting::until("the worker is counted", async || {
            admin.depth().await.unwrap().consumers == Some(1)
        })
        .await;
        broker
    }

    /// Has an order be pending, its entry in the outbox.
    pub(crate) async fn accept(&self, product: &str) -> OrderId {
        let toy = ToyOrder::parse(product, 3).unwrap();
        self.accept_any(Details::of(&toy, Details::MAX_BYTES).unwrap()).await.id
    }

    /// The same with an order of any type.
    pub(crate) async fn accept_any(&self, details: Details) -> NewOrder<Details> {
        let order = NewOrder {
            id: OrderId::fresh(),
            details,
            accepted_at: woody_core::domain::now() - Duration::from_mins(5),
            trace: None,
            client: None,
            found_by: None,
        };
        let _ = self.store.orders().insert(std::slice::from_ref(&order), Duration::ZERO).await;
        order
    }

    /// What `woodyctl` prints, and its exit code.
    pub(crate) async fn woodyctl(&self, words: &[&str]) -> (i32, String) {
        woodyctl(self.folder.path(), words).await
    }

    pub(crate) async fn json(&self, words: &[&str]) -> (i32, Value) {
        let (code, said) = self.woodyctl(&[words, &["--output", "json"]].concat()).await;
        let shows = |c: char| c.is_ascii() || c.is_alphanumeric() || c == '🚂';
        assert!(said.trim().chars().all(shows), "{said}");
        (code, serde_json::from_str(&said).unwrap())
    }
}

async fn woodyctl(folder: &Path, words: &[&str]) -> (i32, String) {
    let mut command = Command::new(binary("woodyctl"));
    command.current_dir(folder).args(words);
    let done = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    let said = [done.stdout, done.stderr].concat();
    let said = String::from_utf8(said).unwrap();
    assert!(!said.contains(RAW), "{words:?}: {said:?}");
    (done.status.code().unwrap(), said)
}
