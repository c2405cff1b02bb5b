//! What clients see when something behind the service is unavailable.

use std::{sync::Arc, time::Duration};

use tokio_util::{sync::CancellationToken, task::TaskTracker};
use woody_adapters::http::{
    ProductRoutes, RateLimit, ServerLimits, ServiceSettings, StreamSettings, ToyOrderRoutes,
    service,
};
use woody_core::{
    ports::{
        BrokerError, MockBrokerAdmin, MockOrderEvents, MockOrderStore, MockProductStore,
        MockPublisher, OrderStore, Publisher, StoreError,
    },
    services::{Catalogue, IntakeSettings, OrderIntake, OrderTracker, OutboxRelay, RelaySettings},
};

use super::{
    client::{request, send},
    shop::{drain, serve_here},
};

const ID: &str = "0192f0c1-2f3a-7c4d-8e5f-6a7b8c9d0e1f";

#[tokio::test]
async fn a_store_that_is_away_is_503_and_one_that_refuses_is_500() {
    let mut store = MockProductStore::new();
    store.expect_summary().returning(|| Err(StoreError::unavailable("secret-host is gone")));
    store.expect_product().returning(|_| Err(StoreError::refused("secret table")));
    let routes = ProductRoutes::new(Arc::new(Catalogue::new(Arc::new(store))));
    let service = service(routes, RateLimit::off(), &ServiceSettings::default());
    let (addr, _serving) = serve_here(service, ServerLimits::default(), drain()).await;

    let away = send(addr, request("GET /api/products/last", &[], "")).await;
    assert_eq!((away.status.as_u16(), away.header("retry-after")), (503, "2"));
    assert_eq!(away.text(), "The store is unavailable. Please try again.");
    let refused = send(addr, request(&format!("GET /api/products/{ID}"), &[], "")).await;
    assert_eq!((refused.status.as_u16(), refused.header("retry-after")), (500, ""));
    assert!(!refused.text().contains("secret"), "{refused:?}");
}

#[tokio::test]
async fn with_store_and_broker_away_an_order_is_503_in_both_ways() {
    let mut store = MockOrderStore::new();
    store.expect_insert().returning(|_, _| Err(StoreError::unavailable("secret-host is gone")));
    store.expect_order().returning(|_| Err(StoreError::unavailable("gone")));
    let mut publisher = MockPublisher::new();
    publisher.expect_publish().returning(|_| Err(BrokerError::refused("secret queue")));
    let (store, publisher): (Arc<dyn OrderStore>, Arc<dyn Publisher>) =
        (Arc::new(store), Arc::new(publisher));
    let tasks = TaskTracker::new();
    let admin = Arc::new(MockBrokerAdmin::new());
    let relay = OutboxRelay::new(
        Arc::clone(&store),
        Arc::clone(&publisher),
        admin,
        RelaySettings::default(),
    );
    let intake = OrderIntake::start(
        Arc::clone(&store),
        publisher,
        relay.feed(),
        IntakeSettings::default(),
        &tasks,
    );
    let look_every = Duration::from_secs(1);
    let tracker = OrderTracker::new(store, Arc::new(MockOrderEvents::new()), look_every);
    let streams = StreamSettings::until(CancellationToken::new());
    let routes = ToyOrderRoutes::new(Arc::new(intake), Arc::new(tracker), streams);
    let service = service(routes, RateLimit::off(), &ServiceSettings::default());
    let (addr, _serving) = serve_here(service, ServerLimits::default(), drain()).await;

    let json = ["content-type: application/json"];
    let modern = send(addr, request("POST /api/orders", &json, r#"{"product": "a"}"#)).await;
    assert_eq!((modern.status.as_u16(), modern.header("retry-after")), (503, "2"));
    assert_eq!(modern.json()["type"], "urn:woodytoys:problem:unavailable");
    let detail = modern.json()["detail"].as_str().unwrap().to_owned();
    assert!(detail.contains("the store is unavailable, since 20"), "{detail}");
    assert!(detail.contains("the broker refuses, since 20"), "{detail}");
    assert!(!detail.contains("secret"), "{detail}");
    let batch = r#"[{"product": "a"}, {"product": ""}]"#;
    let batch = send(addr, request("POST /api/orders/batch", &json, batch)).await;
    assert_eq!(batch.status, 200);
    let items = batch.json();
    let (away, bad) = (&items[0], &items[1]);
    assert_eq!((&away["status"], &away["retry_after"]), (&503.into(), &2.into()), "{away}");
    assert_eq!(away["problem"]["type"], "urn:woodytoys:problem:unavailable");
    assert!(!batch.text().contains("secret"), "{batch:?}");
    assert_eq!((&bad["status"], bad.get("retry_after")), (&422.into(), None), "{bad}");
    let legacy = send(addr, request("GET /api/orders/do?order=a", &[], "")).await;
    assert_eq!((legacy.status.as_u16(), legacy.header("retry-after")), (503, "2"));
    assert_eq!(legacy.header("content-type"), "text/plain; charset=utf-8");
    let events = send(addr, request(&format!("GET /api/orders/{ID}/events"), &[], "")).await;
    assert_eq!((events.status.as_u16(), events.header("retry-after")), (503, "2"));
}
