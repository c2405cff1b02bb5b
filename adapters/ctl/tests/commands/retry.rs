//! `woodyctl order retry`, on each pair of backends.

use std::{process::Command, sync::Arc, time::Duration};

use bytes::Bytes;
use serde_json::Value;
use testkit::{
    servers::{Database, VirtualHost},
    service::binary,
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use woody_broker::{BrokerOptions, BrokerUrl};
use woody_core::{
    domain::{Details, NewOrder, OrderId, OrderMessage, Outcome, ToyOrder},
    ports::{Broker, Decision, Prefetch, Store},
    services::{Handled, OrderWorker, WorkerSettings},
    validation::AcceptAll,
};
use woody_store::{StoreOptions, StoreUrl};

/// How long a test waits for something that must happen.
const PATIENCE: Duration = Duration::from_secs(20);

/// A shop without services.
struct Shop {
    urls: [String; 2],
    store: Arc<dyn Store>,
    broker: Arc<dyn Broker>,
}

impl Shop {
    async fn open(store_url: String, broker_url: String) -> Self {
        let url = StoreUrl::parse(&store_url).unwrap();
        let store = woody_store::connect(&url, StoreOptions::default()).await.unwrap();
        store.migrate().await.unwrap();
        let url = BrokerUrl::parse(&broker_url).unwrap();
        let broker = woody_broker::connect(&url, BrokerOptions::default()).await.unwrap();
        broker.publisher().ping().await.unwrap();
        Self { urls: [store_url, broker_url], store, broker }
    }

    async fn json(&self, words: &[&str]) -> (i32, Value) {
        let [store, broker] = &self.urls;
        let mut command = Command::new(binary("woodyctl"));
        command.args(words).args(["--output", "json"]);
        command.env("WOODY_STORE_URL", store).env("WOODY_BROKER_URL", broker);
        let done = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
        let said = serde_json::from_slice(&done.stdout);
        let said = said.unwrap_or_else(|_| String::from_utf8_lossy(&done.stderr).into());
        (done.status.code().unwrap(), said)
    }

    async fn retry(&self, id: OrderId) -> (i32, Value) {
        let id = id.to_string();
        self.json(&["order", "retry", &id, "--by", "ada", "--because", "mended"]).await
    }

    async fn accept(&self) -> NewOrder<Details> {
        let toy = ToyOrder::parse("Train", 3).unwrap();
        let order = NewOrder::new(toy).encode(Details::MAX_BYTES).unwrap();
        let one = std::slice::from_ref(&order);
        let _ = self.store.orders().insert(one, Duration::from_mins(1)).await.unwrap();
        order
    }

    async fn fail(&self, order: &NewOrder<Details>) {
        let outcome = Outcome::Failed("saw is stuck".into());
        let decision =
            Decision { order: order.clone(), outcome, redriven: false, validation: None };
        let _ = self.store.orders().finish(&[decision]).await.unwrap();
    }

    /// Has `bodies` be dead letters.
    async fn bury(&self, bodies: &[Bytes]) {
        self.broker.publisher().send(bodies).await.unwrap();
        let mut consumer = self.broker.consumer(Prefetch::MIN).await.unwrap();
        for _ in bodies {
            let delivery = tokio::time::timeout(PATIENCE, consumer.next()).await.unwrap();
            delivery.unwrap().dead_letter("saw is stuck".into()).await.unwrap();
        }
        consumer.stop().await;
    }

    /// Has a worker take so many messages; it finds every order good.
    async fn work(&self, messages: usize) -> Vec<Handled> {
        let (tasks, shutdown) = (TaskTracker::new(), CancellationToken::new());
        let settings = WorkerSettings::default();
        let worker: OrderWorker = OrderWorker::start(
            self.store.orders(),
            Arc::new(AcceptAll),
            self.broker.events(),
            settings,
            &tasks,
        );
        let mut consumer = self.broker.consumer(Prefetch::MIN).await.unwrap();
        let mut handled = Vec::new();
        for _ in 0..messages {
            let delivery = tokio::time::timeout(PATIENCE, consumer.next()).await.unwrap();
            handled.push(worker.handle(delivery.unwrap(), &shutdown).await);
        }
        consumer.stop().await;
        handled
    }

    async fn status(&self, id: OrderId) -> &'static str {
        self.store.orders().order(id).await.unwrap().unwrap().status.as_str()
    }

    async fn close(self) {
        self.broker.close().await;
        self.store.close().await;
    }
}

async fn orders_are_retried(shop: Shop) {
    let (dead, purged, pending) = (shop.accept().await, shop.accept().await, shop.accept().await);
    shop.bury(&[Bytes::from_static(b"no JSON"), OrderMessage::from(&dead).to_bytes()]).await;
    shop.fail(&dead).await;
    shop.fail(&purged).await;
    for (order, letters) in [(&dead, 1), (&purged, 0), (&pending, 0)] {
        let (code, said) = shop.retry(order.id).await;
        assert_eq!((code, &said["dead_letters"]), (0, &letters.into()), "{said}");
    }
    // Once more, before a worker has had the first: it ends once.
    assert_eq!(shop.retry(dead.id).await.0, 0);
    let handled = shop.work(4).await;
    assert_eq!(handled.iter().filter(|handled| **handled == Handled::Decided).count(), 3);
    for order in [&dead, &purged, &pending] {
        assert_eq!(shop.status(order.id).await, "success");
        let (code, said) = shop.retry(order.id).await;
        let said = said.as_str().unwrap();
        assert!(code == 1 && said.contains("has ended as success before"), "{said}");
    }
    let letters = shop.broker.admin().dead_letters(9).await.unwrap();
    assert_eq!(letters.iter().map(|letter| &letter.body[..]).collect::<Vec<_>>(), [b"no JSON"]);

    let (_, acts) = shop.json(&["acts", "--order", &dead.id.to_string()]).await;
    let results = acts["acts"].as_array().unwrap().iter().map(|act| &act["result"]);
    assert_eq!(results.collect::<Vec<_>>(), ["refused", "done", "done"]);
    for (id, is_code, says) in [
        (OrderId::fresh().to_string(), 1, "it is on its way"),
        ("0192f0c1-2f3a-4c4d-8e5f-6a7b8c9d0e1f".to_owned(), 1, "knows no order"),
        ("no id".to_owned(), 2, "must be a UUID"),
    ] {
        let (code, said) = shop.json(&["order", "retry", &id, "--because", "mended"]).await;
        let said = said.as_str().unwrap();
        assert!(code == is_code && said.contains(says), "{code}: {said}");
    }
    let (code, said) = shop.json(&["order", "retry", &dead.id.to_string()]).await;
    assert!(code == 2 && said.as_str().unwrap().contains("--because"), "{code}: {said}");
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn orders_of_files_are_retried() {
    let folder = tempfile::tempdir().unwrap();
    let url = |name: &str| format!("sqlite:{}", folder.path().join(name).display());
    orders_are_retried(Shop::open(url("woody.db"), url("woody-queue.db")).await).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs WOODY_TEST_POSTGRES_URL and WOODY_TEST_AMQP_URL"]
async fn orders_of_servers_are_retried() {
    let (database, host) = (Database::create().await, VirtualHost::create());
    orders_are_retried(Shop::open(database.url.clone(), host.url.clone()).await).await;
    database.drop().await;
}
