//! Broker and database go away and come back; ours are not touched.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicBool, Ordering},
};
use testkit::{
    client::{ended, get, post},
    servers::{Database, OwnServer},
    service::Service,
    waiting::until,
};

use crate::four_services::start;

/// Places orders all the time and remembers which were promised.
struct Load {
    promised: Arc<Mutex<Vec<String>>>,
    stop: Arc<AtomicBool>,
    running: tokio::task::JoinHandle<()>,
}

impl Load {
    fn start(order: &Service) -> Self {
        let promised: Arc<Mutex<Vec<String>>> = Arc::default();
        let stop = Arc::new(AtomicBool::new(false));
        let (address, ids, stopped) = (order.address, Arc::clone(&promised), Arc::clone(&stop));
        let running = tokio::spawn(async move {
            while !stopped.load(Ordering::SeqCst) {
                let body = serde_json::json!({ "product": "Train" });
                let answer = post(address, "/api/orders", None, &body).await.unwrap();
                // A refusal is honest; only what is promised must be kept.
                if answer.status == 202 {
                    let id = answer.json()["order_id"].as_str().unwrap().to_owned();
                    ids.lock().unwrap().push(id);
                }
            }
        });
        Self { promised, stop, running }
    }

    fn so_far(&self) -> usize {
        self.promised.lock().unwrap().len()
    }

    /// Waits until `more` further orders have been promised.
    async fn goes_on(&self, more: usize) {
        let enough = self.so_far() + more;
        until("more orders are accepted", async || self.so_far() >= enough).await;
    }

    async fn end(self) -> Vec<String> {
        self.stop.store(true, Ordering::SeqCst);
        self.running.await.unwrap();
        Arc::into_inner(self.promised).unwrap().into_inner().unwrap()
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs WOODY_TEST_SERVICES_DIR"]
async fn restarts_of_broker_and_database_lose_nothing_and_need_no_restart_of_ours() {
    let (rabbitmq, postgres) = (OwnServer::rabbitmq(), OwnServer::postgres());
    let database = Database::create_on(&postgres.url).await;
    let service = |name| start(name, &database.url, &rabbitmq.url).env("WOODY_VALIDATION", "none");
    let order = service("order-service").ready().await;
    let worker = service("order-worker").ready().await;
    let load = Load::start(&order);
    load.goes_on(50).await;

    // The broker: killed, so that no connection is closed properly; orders go on being accepted.
    rabbitmq.run("kill");
    until("the worker notices", async || !worker.is_ready().await).await;
    assert_eq!(get(worker.admin, "/healthz").await.unwrap().status, 200);
    load.goes_on(50).await;
    rabbitmq.run("start");
    until("the worker is back", async || worker.is_ready().await).await;
    load.goes_on(50).await;

    // The database: orders are accepted by the broker meanwhile.
    postgres.run("stop");
    load.goes_on(50).await;
    postgres.run("start");
    until("the worker is back", async || worker.is_ready().await).await;
    until("the service is back", async || order.is_ready().await).await;
    load.goes_on(50).await;

    let promised = load.end().await;
    for id in &promised {
        assert_eq!(ended(order.address, id).await, "success", "order {id}");
    }
    let stored = database.count("orders WHERE status = 'success'").await;
    assert!(stored >= i64::try_from(promised.len()).unwrap());
    drop((order, worker));
}
