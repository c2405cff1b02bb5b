//! Orders that are spread over more queues, and over fewer, while they come.

use std::{
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use testkit::{
    client::{get, place, post},
    servers::{Database, VirtualHost},
    service::Service,
    waiting::until,
};
use woody_broker::{BrokerOptions, BrokerUrl};

use crate::four_services::start;

/// Places a hundred orders a second with the services that are there, and keeps what was promised.
struct Load {
    services: Arc<Mutex<Vec<SocketAddr>>>,
    stop: Arc<AtomicBool>,
    running: tokio::task::JoinHandle<Vec<String>>,
    promised: Arc<Mutex<usize>>,
}

impl Load {
    fn start(on: SocketAddr) -> Self {
        let services = Arc::new(Mutex::new(vec![on]));
        let (stop, promised) = (Arc::new(AtomicBool::new(false)), Arc::new(Mutex::new(0)));
        let running = tokio::spawn({
            let (services, stop) = (Arc::clone(&services), Arc::clone(&stop));
            let promised = Arc::clone(&promised);
            async move {
                let mut ids = Vec::new();
                let mut next = tokio::time::interval(Duration::from_millis(10));
                while !stop.load(Ordering::SeqCst) {
                    next.tick().await;
                    let at = {
                        let services = services.lock().unwrap();
                        services[ids.len() % services.len()]
                    };
                    let body = serde_json::json!({ "product": "Train" });
                    let answer = post(at, "/api/orders", None, &body).await.unwrap();
                    assert_eq!(answer.status, 202, "{}", answer.text());
                    ids.push(answer.json()["order_id"].as_str().unwrap().to_owned());
                    *promised.lock().unwrap() = ids.len();
                }
                ids
            }
        });
        Self { services, stop, running, promised }
    }

    /// Waits until `more` further orders have been promised.
    async fn goes_on(&self, more: usize) {
        let enough = *self.promised.lock().unwrap() + more;
        until("more orders are accepted", async || {
            assert!(!self.running.is_finished(), "an order was refused");
            *self.promised.lock().unwrap() >= enough
        })
        .await;
    }

    async fn end(self) -> Vec<String> {
        self.stop.store(true, Ordering::SeqCst);
        self.running.await.unwrap()
    }
}

/// What a process counts in its metrics; 0 where it has counted nothing.
async fn counted(service: &Service, metric: &str) -> f64 {
    let metrics = get(service.admin, "/metrics").await.unwrap().text();
    let value = metrics.lines().find_map(|line| line.strip_prefix(metric)?.trim().parse().ok());
    value.unwrap_or(0.0)
}

struct Shop {
    database: Database,
    host: VirtualHost,
}

impl Shop {
    async fn service(&self, name: &str, shards: &str) -> Service {
        start(name, &self.database.url, &self.host.url)
            .env("WOODY_VALIDATION", "none")
            .env("WOODY_PREFETCH", "6")
            .env("WOODY_QUEUE_SHARDS", shards)
            .ready()
            .await
    }

    /// Replaces an order-service: clients go to the new one before the old one leaves.
    async fn replace_service(&self, load: &Load, old: Service, shards: &str) -> Service {
        let new = self.service("order-service", shards).await;
        load.services.lock().unwrap().push(new.address);
        load.goes_on(20).await;
        load.services.lock().unwrap().retain(|address| *address != old.address);
        assert!(counted(&old, "woody_outbox_refilled_total").await.abs() < 0.5);
        old.terminate();
        assert!(old.ended().await.success());
        new
    }

    async fn replace_worker(&self, old: Service, shards: &str) -> Service {
        let new = self.service("order-worker", shards).await;
        old.terminate();
        assert!(old.ended().await.success());
        new
    }

    /// How many messages are in each queue of orders, by its number.
    fn queues(&self) -> Vec<u64> {
        let mut queues: Vec<_> = self.host.queues().into_iter().collect();
        queues.retain(|(name, _)| {
            let number = name.strip_prefix("order_processing");
            number.is_some_and(|number| {
                number.trim_start_matches('.').parse::<u16>().is_ok() || number.is_empty()
            })
        });
        queues.sort();
        queues.into_iter().map(|(_, messages)| messages).collect()
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs WOODY_TEST_POSTGRES_URL and WOODY_TEST_AMQP_URL"]
async fn one_queue_becomes_four_and_then_two_while_orders_come_and_none_is_lost() {
    let shop = Shop { database: Database::create().await, host: VirtualHost::create() };
    let mut order = shop.service("order-service", "1").await;
    let mut workers =
        [shop.service("order-worker", "1").await, shop.service("order-worker", "1").await];
    let load = Load::start(order.address);
    load.goes_on(100).await;
    assert_eq!(shop.queues().len(), 1);

    // Four. The first to know of them publishes to them, while the workers know of one.
    order = shop.replace_service(&load, order, "4").await;
    load.goes_on(50).await;
    workers = {
        let [one, two] = workers;
        let one = shop.replace_worker(one, "4").await;
        load.goes_on(50).await;
        [one, shop.replace_worker(two, "4").await]
    };
    load.goes_on(100).await;
    assert_eq!(shop.queues().len(), 4);

    // The workers die, and something is left in each of the four.
    for worker in workers {
        worker.kill();
    }
    until("messages wait in all queues", async || {
        shop.queues().iter().all(|messages| *messages >= 10)
    })
    .await;

    // Two. Those who know of two take what is in four.
    order = shop.replace_service(&load, order, "2").await;
    let workers =
        [shop.service("order-worker", "2").await, shop.service("order-worker", "2").await];
    load.goes_on(100).await;
    let promised = load.end().await;

    let total = i64::try_from(promised.len()).unwrap();
    until("every order has ended", async || {
        shop.database.count("orders WHERE status = 'success'").await == total
    })
    .await;
    assert_eq!(shop.database.count("orders").await, total, "none is lost, none is doubled");
    assert_eq!(shop.database.count("outbox").await, 0);
    until("all queues are empty", async || shop.queues() == [0, 0, 0, 0]).await;
    assert!(counted(&order, "woody_outbox_refilled_total").await.abs() < 0.5);

    // An operator who was told nothing sees all of it.
    let url = BrokerUrl::parse(&shop.host.url).unwrap();
    let broker = woody_broker::connect(&url, BrokerOptions::default()).await.unwrap();
    let depth = broker.admin().depth().await.unwrap();
    assert_eq!((depth.ready, depth.delayed, depth.dead), (0, 0, 0));
    broker.close().await;
    drop((order, workers));
    shop.database.drop().await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs WOODY_TEST_POSTGRES_URL and WOODY_TEST_AMQP_URL"]
async fn a_worker_with_a_prefetch_of_one_serves_four_queues() {
    let shop = Shop { database: Database::create().await, host: VirtualHost::create() };
    let order = shop.service("order-service", "4").await;
    let worker = start("order-worker", &shop.database.url, &shop.host.url)
        .env("WOODY_VALIDATION", "none")
        .env("WOODY_QUEUE_SHARDS", "4")
        .ready()
        .await;
    for n in 0..8 {
        place(order.address, &format!("Toy {n}")).await;
    }
    until("every order has ended", async || {
        shop.database.count("orders WHERE status = 'success'").await == 8
    })
    .await;
    drop((order, worker));
    shop.database.drop().await;
}
