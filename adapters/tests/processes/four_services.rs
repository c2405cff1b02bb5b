//! The four services as in the stack, over one PostgreSQL and one RabbitMQ.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use bytes::Bytes;
use http_body_util::Full;
use hyper::{Request, Response, body::Incoming, service::service_fn};
use hyper_util::rt::TokioIo;
use serde_json::json;
use testkit::{
    client::{ended, get, place, place_all},
    servers::{Database, VirtualHost},
    service::{Service, Start},
    waiting::until,
};
use tokio::{net::TcpListener, sync::Semaphore};

/// A service's start with the shared backends.
pub fn start(name: &str, database: &str, broker: &str) -> Start {
    let start = Start::of(name);
    match name {
        "misc-service" => start,
        "product-service" => start.env("WOODY_STORE_URL", database),
        _ => start.env("WOODY_STORE_URL", database).env("WOODY_BROKER_URL", broker),
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs WOODY_TEST_POSTGRES_URL and WOODY_TEST_AMQP_URL"]
async fn the_original_checks_pass_over_four_services() {
    let (database, host) = (Database::create().await, VirtualHost::create());
    let ready = async |name: &str| start(name, &database.url, &host.url).ready().await;
    let misc = ready("misc-service").await;
    let product = ready("product-service").await;
    let order = ready("order-service").await;
    let other_order = ready("order-service").await;
    let workers = [ready("order-worker").await, ready("order-worker").await];

    assert_eq!(get(misc.address, "/api/ping").await.unwrap().text(), "ping");
    assert!(get(misc.address, "/api/misc/time").await.unwrap().text().starts_with("misc: "));
    let first = get(misc.address, "/api/misc/heavy?name=test").await.unwrap();
    let second = get(misc.address, "/api/misc/heavy?name=test").await.unwrap();
    assert_eq!(first.body, second.body);
    assert!(second.headers["cache-status"].to_str().unwrap().contains("hit"));

    get(product.address, "/api/products?product=Boat").await.unwrap();
    let last = get(product.address, "/api/products/last").await.unwrap().text();
    assert!(last.ends_with("1 products (last=Boat)"), "{last}");

    let id = place(order.address, "TestProduct").await;
    // The order was placed with one replica and is followed by the other.
    let events = get(other_order.address, &format!("/api/orders/{id}/events")).await.unwrap();
    assert!(events.text().contains("\"success\""), "{}", events.text());
    let id = place(order.address, "TestProduct").await;
    let waited = get(other_order.address, &format!("/api/orders/{id}?wait=25")).await.unwrap();
    assert_eq!(waited.json()["status"], "success");
    let legacy = get(order.address, &format!("/api/orders/?order_id={id}")).await.unwrap();
    assert_eq!(legacy.text(), format!("order \"{id}\": Success"));

    drop((misc, product, order, other_order, workers));
    database.drop().await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs WOODY_TEST_POSTGRES_URL and WOODY_TEST_AMQP_URL"]
async fn a_batch_is_stored_together_and_its_orders_end_one_by_one() {
    let (database, host) = (Database::create().await, VirtualHost::create());
    // A broker that is not there, so that the outbox stays as it was written.
    let away = "amqp://127.0.0.1:9";
    let alone = start("order-service", &database.url, away).ready().await;
    let batch = |of: &str| {
        let order =
            |n| json!({"product": format!("{of} {n}"), "idempotency_key": format!("{of} {n}")});
        serde_json::Value::from((0..500).map(order).collect::<Vec<_>>())
    };
    let promised = place_all(alone.address, &batch("Train")).await;
    assert_eq!(database.count("orders").await, 500);
    assert_eq!(database.count("outbox").await, 5, "an entry for a hundred");
    drop(alone);

    let order = start("order-service", &database.url, &host.url).ready().await;
    let worker = start("order-worker", &database.url, &host.url).ready().await;
    // Sent again to another replica, it is the same orders.
    assert_eq!(place_all(order.address, &batch("Train")).await, promised);
    let more = place_all(order.address, &batch("Boat")).await;
    let fifty: Vec<_> = promised.iter().chain(&more).step_by(20).cloned().collect();
    // The stream ends when all have ended.
    let events = get(order.address, &format!("/api/events?ids={}", fifty.join(","))).await.unwrap();
    for id in fifty {
        let last = events.text().lines().rev().find(|line| line.contains(&id)).map(str::to_owned);
        assert!(last.is_some_and(|data| data.contains("\"success\"")), "{id}");
    }
    for id in promised.iter().chain(&more).step_by(50) {
        assert_eq!(ended(order.address, id).await, "success");
    }
    assert_eq!(database.count("orders").await, 1_000);
    drop((order, worker));
    database.drop().await;
}

/// A validation service that lets orders pass one by one, and counts.
struct Gate {
    running: AtomicUsize,
    most: AtomicUsize,
    passes: Semaphore,
}

async fn gate() -> (Arc<Gate>, String) {
    let gate = Arc::new(Gate {
        running: AtomicUsize::new(0),
        most: AtomicUsize::new(0),
        passes: Semaphore::new(0),
    });
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let serving = Arc::clone(&gate);
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let gate = Arc::clone(&serving);
            let service = service_fn(move |_: Request<Incoming>| {
                let gate = Arc::clone(&gate);
                async move {
                    let running = gate.running.fetch_add(1, Ordering::SeqCst) + 1;
                    gate.most.fetch_max(running, Ordering::SeqCst);
                    gate.passes.acquire().await.unwrap().forget();
                    gate.running.fetch_sub(1, Ordering::SeqCst);
                    Ok::<_, hyper::Error>(Response::new(Full::<Bytes>::from(
                        r#"{"verdict": "success"}"#,
                    )))
                }
            });
            let io = TokioIo::new(stream);
            tokio::spawn(hyper::server::conn::http1::Builder::new().serve_connection(io, service));
        }
    });
    (gate, url)
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs WOODY_TEST_POSTGRES_URL and WOODY_TEST_AMQP_URL"]
async fn two_workers_share_the_queue_and_honour_a_prefetch_of_one() {
    let (database, host) = (Database::create().await, VirtualHost::create());
    let (gate, url) = gate().await;
    let order = start("order-service", &database.url, &host.url).ready().await;
    let worker = async || -> Service {
        start("order-worker", &database.url, &host.url)
            .env("WOODY_VALIDATION", "none")
            .env("WOODY_VALIDATOR_URL", &url)
            .env("WOODY_VALIDATION_TIMEOUT", "5m")
            .ready()
            .await
    };
    let workers = [worker().await, worker().await];
    let mut promised = Vec::new();
    for n in 0..20 {
        promised.push(place(order.address, &format!("Toy {n}")).await);
    }
    // Both have one, while eighteen wait: two at once, by two workers.
    until("both workers validate", async || gate.running.load(Ordering::SeqCst) == 2).await;
    gate.passes.add_permits(promised.len());
    for id in &promised {
        assert_eq!(ended(order.address, id).await, "success");
    }
    assert_eq!(gate.most.load(Ordering::SeqCst), 2);
    assert_eq!(database.count("orders").await, 20);
    drop((order, workers));
    database.drop().await;
}
