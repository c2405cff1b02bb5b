use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use metrics_exporter_prometheus::PrometheusBuilder;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;
use woody_adapters::{
    http::{AdminRoutes, RateLimit, Readiness, ServerLimits, ServiceSettings, service},
    status::{Servers, StatusBoard},
};
use woody_broker::memory::MemoryBroker;
use woody_store::MemoryStore;

use woody_core::{
    contract::toy,
    domain::{AfterFailure, FailedAttempt, Label, OrderId, Outcome, Pause, Reason, Validation},
    ports::{
        ActLog, Broker, Decision, NoticeStore, OrderStore, Pauses, Prefetch, ProductStore, Store,
        StoreError,
    },
    services::OrderStories,
};

use super::{
    client::{Answer, request, send},
    shop::{drain, serve_here},
};

async fn admin(readiness: Readiness) -> SocketAddr {
    let metrics = PrometheusBuilder::new().build_recorder().handle();
    let routes = AdminRoutes::new(Arc::new(readiness), metrics);
    let service = service(routes, RateLimit::off(), &ServiceSettings::default());
    serve_here(service, ServerLimits::default(), drain()).await.0
}

async fn get(addr: SocketAddr, path: &str) -> Answer {
    send(addr, request(&format!("GET {path}"), &[], "")).await
}

#[tokio::test]
async fn readiness_names_what_is_missing_and_liveness_does_not_care() {
    let broker_is_up = Arc::new(AtomicBool::new(true));
    let seen = Arc::clone(&broker_is_up);
    let draining = CancellationToken::new();
    let readiness = Readiness::new(draining.clone())
        .require("store", || async { Ok::<_, &str>(()) })
        .require("broker", move || {
            let up = seen.load(Ordering::Relaxed);
            async move { if up { Ok(()) } else { Err("the broker is unavailable") } }
        })
        .report("events", || async { Err("nobody listens") });
    let addr = admin(readiness).await;
    let ready = get(addr, "/readyz").await;
    assert_eq!(ready.status, 200);
    assert_eq!(
        ready.json(),
        json!({"ready": true, "draining": false, "checks": {
            "store": {"ok": true, "required": true},
            "broker": {"ok": true, "required": true},
            "events": {"ok": false, "required": false, "why": "nobody listens"},
        }})
    );
    broker_is_up.store(false, Ordering::Relaxed);
    let away = get(addr, "/readyz").await;
    assert_eq!((away.status.as_u16(), &away.json()["ready"]), (503, &json!(false)));
    assert_eq!(away.json()["checks"]["broker"]["why"], "the broker is unavailable");
    assert_eq!(get(addr, "/healthz").await.text(), "ok");
    broker_is_up.store(true, Ordering::Relaxed);
    assert_eq!(get(addr, "/readyz").await.status, 200);
    draining.cancel();
    let drained = get(addr, "/readyz").await;
    assert_eq!((drained.status.as_u16(), &drained.json()["draining"]), (503, &json!(true)));
    assert_eq!(get(addr, "/healthz").await.status, 200);
}

#[tokio::test]
async fn a_check_that_hangs_is_a_check_that_fails() {
    let readiness = Readiness::new(CancellationToken::new())
        .check_timeout(Duration::from_millis(50))
        .require("store", std::future::pending::<Result<(), &str>>);
    let addr = admin(readiness).await;
    let answer = get(addr, "/readyz").await;
    assert_eq!(answer.status, 503);
    assert_eq!(answer.json()["checks"]["store"]["why"], "no result within 50ms");
}

#[tokio::test]
async fn orders_are_listed_by_page_with_what_they_ask_for_and_how_they_ended() {
    let store = Arc::new(MemoryStore::new());
    let mut orders: Vec<_> = ["Train", "Boat", "Kite"].map(toy).into();
    orders[0].client = "acme".parse().ok();
    orders[2].found_by = Some("ada@example.org".into());
    for order in &orders {
        let _ = store.insert(std::slice::from_ref(order), Duration::ZERO).await.unwrap();
    }
    let outcome = Outcome::Failed("no such wood".into());
    let decision =
        Decision { order: orders[1].clone(), outcome, redriven: false, validation: None };
    let _ = store.finish(&[decision]).await.unwrap();
    let addr = admin(Readiness::new(CancellationToken::new()).listing(store)).await;
    let ids = |page: &Value| -> Vec<String> {
        let orders = page["orders"].as_array().unwrap().iter();
        orders.map(|order| order["order_id"].as_str().unwrap().to_owned()).collect()
    };
    let mut sorted: Vec<_> = orders.iter().map(|order| (order.accepted_at, order.id)).collect();
    sorted.sort_unstable();
    let all: Vec<_> = sorted.iter().map(|(_, id)| id.to_string()).collect();

    let page = get(addr, "/orders").await;
    assert_eq!((page.status.as_u16(), page.header("cache-control")), (200, "no-store"));
    assert_eq!((ids(&page.json()), &page.json()["next"]), (all.clone(), &Value::Null));
    let failed = get(addr, "/orders?status=failed").await.json();
    let order = &failed["orders"][0];
    assert_eq!(ids(&failed), [orders[1].id.to_string()]);
    assert_eq!((&order["product"], &order["reason"]), (&json!("Boat"), &json!("no such wood")));
    assert!(order["accepted_at"].is_string() && order["finished_at"].is_string(), "{order}");
    let of_acme = get(addr, "/orders?client=acme").await.json();
    assert_eq!(ids(&of_acme), [orders[0].id.to_string()]);
    assert_eq!(of_acme["orders"][0]["placed_by"], "acme");
    let found = get(addr, "/orders?text=ada@example.org&status=pending").await.json();
    assert_eq!(ids(&found), [orders[2].id.to_string()]);

    let (mut paged, mut next) = (Vec::new(), String::new());
    for _ in 0..3 {
        let page = get(addr, &format!("/orders?limit=1{next}")).await.json();
        paged.extend(ids(&page));
        next = page["next"].as_str().map_or_else(String::new, |next| format!("&after={next}"));
    }
    assert_eq!((paged, next.as_str()), (all.clone(), ""));
    let none = get(addr, "/orders?since=2999-01-01T00:00:00Z").await.json();
    assert_eq!(ids(&none), Vec::<String>::new());
    let before = get(addr, "/orders?until=2999-01-01T00:00:00%2B01:00&since=2000-01-01T00:00:00Z");
    assert_eq!(ids(&before.await.json()), all);
}

#[tokio::test]
async fn what_is_wrong_with_a_list_of_orders_is_named() {
    let readiness = Readiness::new(CancellationToken::new()).listing(Arc::new(MemoryStore::new()));
    let addr = admin(readiness).await;
    for (query, says) in [
        ("status=done", "status must be pending, success"),
        ("since=yesterday", "since must be a time such as"),
        ("until=1", "until must be a time such as"),
        ("after=1.2", "after must be one that a page ended with"),
        ("limit=0", "limit must be 1 to 500"),
        ("limit=501", "limit must be 1 to 500"),
        ("limit=many", "limit must be a whole number"),
        ("limit=1&limit=2", "limit stands twice"),
        ("name=train", "name is no parameter"),
        ("client=Acme", "client a client's name is 1 to 64"),
        ("client=acme&text=train", "text goes with no client"),
    ] {
        let answer = get(addr, &format!("/orders?{query}")).await;
        assert!(answer.status.is_client_error(), "{query}");
        let detail = answer.json()["detail"].as_str().unwrap().to_owned();
        assert!(detail.starts_with(says), "{query}: {detail}");
    }
    let nowhere = admin(Readiness::new(CancellationToken::new())).await;
    assert_eq!(get(nowhere, "/orders").await.status, 404);
}

#[tokio::test]
async fn an_operator_is_told_what_has_become_of_an_order() {
    let store = Arc::new(MemoryStore::new());
    let mut orders: Vec<_> = ["Train", "Boat"].map(toy).into();
    // What follows it was before now.
    orders[0].accepted_at -= Duration::from_mins(1);
    let _ = store.insert(&orders, Duration::ZERO).await.unwrap();
    let validation = Validation {
        worker: "saw-1".into(),
        attempt: 2,
        redriven: false,
        taken_up_at: orders[0].accepted_at + Duration::from_millis(8),
        took: Duration::from_micros(1_250),
    };
    let failed = FailedAttempt {
        order: orders[0].id,
        validation: Validation { attempt: 1, worker: "saw-2".into(), ..validation.clone() },
        reason: "saw is stuck".into(),
        then: AfterFailure::Again,
    };
    store.keep_attempts(&[failed]).await.unwrap();
    let decision = Decision {
        order: orders[0].clone(),
        outcome: Outcome::Success(Some("2 sheets".into())),
        redriven: false,
        validation: Some(validation),
    };
    let _ = store.finish(&[decision]).await.unwrap();
    let stories = OrderStories::of(&*store);
    let addr = admin(Readiness::new(CancellationToken::new()).telling(stories)).await;
    let told = get(addr, &format!("/orders/{}/story", orders[0].id)).await;
    assert_eq!((told.status.as_u16(), told.header("cache-control")), (200, "no-store"));
    let told = told.json();
    assert_eq!((&told["status"], &told["is_cut"]), (&json!("success"), &json!(false)));
    let events = told["events"].as_array().unwrap();
    let names: Vec<_> = events.iter().map(|event| event["event"].as_str().unwrap()).collect();
    assert_eq!(names, ["accepted", "published", "taken_up", "attempt_failed", "success"]);
    assert_eq!((&events[0]["kept"], &events[1]["at"]), (&json!("store"), &Value::Null));
    assert_eq!((&events[2]["worker"], &events[2]["attempt"]), (&json!("saw-2"), &json!(1)));
    assert_eq!((&events[3]["reason"], &events[3]["times"]), (&json!("saw is stuck"), &json!(1)));
    assert_eq!((&events[4]["worker"], &events[4]["took_us"]), (&json!("saw-1"), &json!(1_250)));
    let waiting = get(addr, &format!("/orders/{}/story", orders[1].id)).await.json();
    assert_eq!(waiting["events"][1]["event"], "unpublished");

    for (path, status, says) in [
        (format!("/orders/{}/story", OrderId::fresh()), 404, "while only the broker has it"),
        ("/orders/0192f0c1-2f3a-4c4d-8e5f-6a7b8c9d0e1f/story".to_owned(), 404, "no order"),
        ("/orders/train/story".to_owned(), 422, "UUID"),
        (format!("/orders/{}/story?all=1", orders[0].id), 400, "all is no parameter"),
    ] {
        let answer = get(addr, &path).await;
        assert_eq!(answer.status, status, "{path}: {}", answer.text());
        assert!(answer.text().contains(says), "{path}: {}", answer.text());
    }
    let nowhere = admin(Readiness::new(CancellationToken::new())).await;
    let unknown = get(nowhere, &format!("/orders/{}/story", orders[0].id)).await;
    assert_eq!(unknown.status, 404);
    assert!(unknown.text().contains("order-service"), "{}", unknown.text());
}

#[tokio::test]
async fn metrics_are_text() {
    let addr = admin(Readiness::new(CancellationToken::new())).await;
    let answer = get(addr, "/metrics").await;
    assert_eq!(answer.status, 200);
    assert!(answer.header("content-type").starts_with("text/plain; version=0.0.4"));
}

#[tokio::test]
async fn a_name_of_a_stranger_leads_to_nothing_of_the_operators() {
    let addr = admin(Readiness::new(CancellationToken::new())).await;
    for path in ["/healthz", "/readyz", "/metrics"] {
        let line = format!("GET {path}");
        let answer = send(addr, request(&line, &["host: evil.example:9000"], "")).await;
        assert_eq!(answer.status, 421, "{path}");
        assert_eq!(send(addr, request(&line, &["host: localhost:9000"], "")).await.status, 200);
    }
}

#[tokio::test]
async fn a_process_that_knows_the_shop_says_how_it_is() {
    let none = admin(Readiness::new(CancellationToken::new())).await;
    let unknown = get(none, "/statusz").await;
    assert_eq!(unknown.status, 404);
    assert!(unknown.text().contains("order-service"), "{}", unknown.text());

    let (store, broker) = (MemoryStore::new(), Arc::new(MemoryBroker::new()));
    let servers = Servers { store: "The store", broker: "The broker" };
    let board = StatusBoard::new(&store, Arc::<MemoryBroker>::clone(&broker), servers.clone());
    let addr = admin(Readiness::new(CancellationToken::new()).of_shop(board)).await;
    let idle = get(addr, "/statusz").await;
    assert_eq!(idle.status, 503);
    assert!(idle.text().starts_with("Nothing is lost. No order-worker"), "{}", idle.text());

    let _consumer = broker.consumer(Prefetch::MIN).await.unwrap();
    let board = StatusBoard::new(&store, broker, servers);
    let draining = CancellationToken::new();
    let addr = admin(Readiness::new(draining.clone()).of_shop(board)).await;
    let well = get(addr, "/statusz").await;
    assert_eq!(well.status, 200);
    assert!(well.text().starts_with("Nothing is lost. All is well."), "{}", well.text());
    let metrics = get(addr, "/metrics").await.text().to_owned();
    assert!(metrics.contains("woody_shop_orders{state=\"pending\"} 0\n"), "{metrics}");
    assert!(!get(none, "/metrics").await.text().contains("woody_shop"));

    draining.cancel();
    let leaving = get(addr, "/statusz").await;
    assert_eq!(leaving.status, 503);
    assert!(leaving.text().contains("shutting down"), "{}", leaving.text());
    assert!(!get(addr, "/metrics").await.text().contains("woody_shop"));
}

/// A store whose process begins to shut down when it is asked whether workers are paused.
#[derive(Clone)]
struct Leaving {
    store: MemoryStore,
    draining: CancellationToken,
}

#[async_trait]
impl Store for Leaving {
    fn orders(&self) -> Arc<dyn OrderStore> {
        self.store.orders()
    }

    fn products(&self) -> Arc<dyn ProductStore> {
        self.store.products()
    }

    fn acts(&self) -> Arc<dyn ActLog> {
        self.store.acts()
    }

    fn notices(&self) -> Arc<dyn NoticeStore> {
        self.store.notices()
    }

    fn pauses(&self) -> Arc<dyn Pauses> {
        Arc::new(self.clone())
    }

    async fn migrate(&self) -> Result<(), StoreError> {
        self.store.migrate().await
    }

    async fn close(&self) {
        Store::close(&self.store).await;
    }
}

#[async_trait]
impl Pauses for Leaving {
    async fn pause(&self, by: &Label, because: Option<Reason>) -> Result<Pause, StoreError> {
        self.store.pause(by, because).await
    }

    async fn resume(&self) -> Result<Option<Pause>, StoreError> {
        self.store.resume().await
    }

    async fn current(&self) -> Result<Option<Pause>, StoreError> {
        self.draining.cancel();
        Err(StoreError::Unavailable("it was closed".into()))
    }
}

#[tokio::test]
async fn what_is_seen_while_connections_close_is_said_of_no_shop() {
    for path in ["/statusz", "/console", "/console/live", "/metrics"] {
        let (draining, broker) = (CancellationToken::new(), Arc::new(MemoryBroker::new()));
        let store = Leaving { store: MemoryStore::new(), draining: draining.clone() };
        let servers = Servers { store: "The store", broker: "The broker" };
        let board = StatusBoard::new(&store, broker, servers);
        let addr = admin(Readiness::new(draining).of_shop(board)).await;
        let answer = get(addr, path).await;
        assert!(!answer.text().contains("woody_shop"), "{path}: {}", answer.text());
        assert!(!answer.text().contains("Nothing is"), "{path}: {}", answer.text());
        if path != "/metrics" {
            assert_eq!(answer.status, 503, "{path}");
            assert!(answer.text().contains("shutting down"), "{path}: {}", answer.text());
        }
    }
}

#[tokio::test]
async fn a_check_that_fails_as_its_process_shuts_down_is_told_with_that() {
    let draining = CancellationToken::new();
    let begins = draining.clone();
    let readiness = Readiness::new(draining).require("store", move || {
        begins.cancel();
        async { Err("it was closed") }
    });
    assert!(readiness.ask().await.draining);
}
