//! An order that ends every process that validates it, on real backends.

use std::{
    collections::BTreeMap,
    process::{Command, Stdio},
    sync::Arc,
    time::Duration,
};

use async_trait::async_trait;
use tempfile::TempDir;
use testkit::servers::{Database, VirtualHost};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use woody_broker::{BrokerOptions, BrokerUrl};
use woody_core::{
    contract::toy,
    domain::{NewOrder, OrderId, OrderMessage, OrderStatus, Outcome},
    ports::{Broker, Prefetch, Store, ValidateError, Validator, Verdict},
    services::{OrderWorker, WorkerSettings},
};
use woody_store::{StoreOptions, StoreUrl};

const STORE: &str = "WOODY_TEST_DEATHS_STORE";
const BROKER: &str = "WOODY_TEST_DEATHS_BROKER";
/// More than attempts, far less than for ever.
const MOST_DEATHS: usize = 12;

/// As an OOM kill or an abort does.
struct Kills;

#[async_trait]
impl Validator for Kills {
    async fn validate(&self, order: &NewOrder) -> Result<Verdict, ValidateError> {
        if order.details.product.as_str() == "kills" {
            std::process::abort();
        }
        Ok(Verdict::Success(None))
    }
}

async fn open(store: &str, broker: &str) -> (Arc<dyn Store>, Arc<dyn Broker>) {
    let store = StoreUrl::parse(store).unwrap();
    let store = woody_store::connect(&store, StoreOptions::default()).await.unwrap();
    let broker = BrokerUrl::parse(broker).unwrap();
    let broker = woody_broker::connect(&broker, BrokerOptions::default()).await.unwrap();
    (store, broker)
}

/// Not a test of its own: the worker that the next tests start again and again.
#[tokio::test(flavor = "multi_thread")]
async fn child() {
    let (Ok(store), Ok(broker)) = (std::env::var(STORE), std::env::var(BROKER)) else { return };
    let (store, broker) = open(&store, &broker).await;
    let (tasks, stop) = (TaskTracker::new(), CancellationToken::new());
    let settings = WorkerSettings::default().validation_timeout(Duration::from_secs(1));
    let worker =
        OrderWorker::start(store.orders(), Arc::new(Kills), broker.events(), settings, &tasks);
    let consumer = broker.consumer(Prefetch::new(16).unwrap()).await.unwrap();
    let ending = stop.clone();
    tokio::task::spawn_blocking(move || {
        // The parent closes its end when everything has ended.
        let _ = std::io::copy(&mut std::io::stdin(), &mut std::io::sink());
        ending.cancel();
    });
    Arc::new(worker).run(consumer, stop).await;
    broker.close().await;
    store.close().await;
}

async fn the_killer_ends_and_nobody_else(store_url: &str, broker_url: &str) {
    let (store, broker) = open(store_url, broker_url).await;
    store.migrate().await.unwrap();
    let killer = toy("kills");
    let good: Vec<_> = (0..15).map(|n| toy(&format!("Toy {n}"))).collect();
    let messages: Vec<OrderMessage> =
        std::iter::once(&killer).chain(&good).map(Into::into).collect();
    // Declares its queue, where there is one to declare.
    drop(broker.consumer(Prefetch::MIN).await.unwrap());
    tokio::time::timeout(Duration::from_secs(20), async {
        while broker.publisher().publish(&messages[..1]).await.is_err() {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    })
    .await
    .unwrap();
    broker.publisher().publish(&messages[1..]).await.unwrap();

    let ids: Vec<OrderId> = messages.iter().map(|message| message.order_id).collect();
    let mut deaths = 0;
    let ended: BTreeMap<OrderId, OrderStatus> = loop {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["deaths::child", "--exact"])
            .envs([(STORE, store_url), (BROKER, broker_url)])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let ended = async {
            let mut ended = BTreeMap::new();
            while ended.len() < ids.len() {
                tokio::time::sleep(Duration::from_millis(20)).await;
                for id in &ids {
                    if let Some(order) = store.orders().order(*id).await.unwrap()
                        && order.status.is_final()
                    {
                        ended.insert(*id, order.status);
                    }
                }
            }
            ended
        };
        let died = async {
            while child.try_wait().unwrap().is_none() {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        let outcome = tokio::select! {
            ended = ended => Some(ended),
            () = died => None,
            () = tokio::time::sleep(Duration::from_mins(1)) => panic!("a worker neither ends nor dies"),
        };
        drop(child.stdin.take());
        child.wait().unwrap();
        if let Some(ended) = outcome {
            break ended;
        }
        deaths += 1;
        assert!(deaths <= MOST_DEATHS, "it is handed out for ever");
    };
    let status = &ended[&killer.id];
    assert_eq!(
        *status,
        OrderStatus::Ended(Outcome::Failed("its worker died 5 times while validating it".into()))
    );
    for order in &good {
        assert!(
            matches!(ended[&order.id], OrderStatus::Ended(Outcome::Success(_))),
            "{:?}",
            ended[&order.id]
        );
    }
    let dead = broker.admin().dead_letters(10).await.unwrap();
    assert_eq!(dead.len(), 1, "{dead:?}");
    assert!(dead[0].reason.as_str().contains("died 5 times"), "{}", dead[0].reason);
    broker.close().await;
    store.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_that_kills_its_workers_ends_on_the_embedded_queue() {
    let folder = TempDir::new().unwrap();
    let file = |name: &str| format!("sqlite:{}", folder.path().join(name).display());
    the_killer_ends_and_nobody_else(&file("woody.db"), &file("queue.db")).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs WOODY_TEST_POSTGRES_URL and WOODY_TEST_AMQP_URL"]
async fn an_order_that_kills_its_workers_ends_on_rabbitmq() {
    let (database, host) = (Database::create().await, VirtualHost::create());
    the_killer_ends_and_nobody_else(&database.url, &host.url).await;
    database.drop().await;
}
