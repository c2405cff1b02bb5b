//! What clients see of orders that were given while the store was unavailable.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use tokio_util::sync::CancellationToken;
use woody_adapters::http::{
    RateLimit, ServerLimits, ServiceSettings, StreamSettings, ToyOrderRoutes, service,
};
use woody_broker::memory::MemoryBroker;
use woody_core::{
    ports::{MockOrderStore, StoreError},
    services::Pipeline,
};

use super::{
    client::{Answer, FOREVER, request, send},
    shop::{drain, serve_here},
};

/// An id that no service gave.
const NEVER: &str = "0192f0c1-2f3a-7c4d-8e5f-6a7b8c9d0e1f";

fn unavailable<T>() -> Result<T, StoreError> {
    Err(StoreError::unavailable("gone"))
}

/// A store that cannot be reached.
fn unreachable_store() -> MockOrderStore {
    let mut store = MockOrderStore::new();
    store.expect_insert().returning(|_, _| unavailable());
    store.expect_order().returning(|_| unavailable());
    store.expect_cancel().returning(|_, _| unavailable());
    store.expect_claim_outbox().returning(|_, _| unavailable());
    store.expect_clear_outbox().returning(|_| unavailable());
    store.expect_watermark().returning(|_| unavailable());
    store.expect_ping().returning(unavailable);
    store
}

/// One replica of the order service, and where it listens.
async fn replica(broker: &Arc<MemoryBroker>) -> (Pipeline, SocketAddr) {
    let broker = Arc::clone(broker);
    let pipeline = Pipeline::builder(Arc::new(unreachable_store()), broker);
    let pipeline = pipeline.clocks_differ_by(Duration::ZERO).start().await.unwrap();
    let streams = StreamSettings::until(CancellationToken::new());
    let routes = ToyOrderRoutes::new(pipeline.intake(), pipeline.tracker(), streams);
    let service = service(routes, RateLimit::off(), &ServiceSettings::default());
    let (addr, _serving) = serve_here(service, ServerLimits::default(), drain()).await;
    (pipeline, addr)
}

async fn get(addr: SocketAddr, path: &str) -> Answer {
    send(addr, request(&format!("GET {path}"), &[], "")).await
}

async fn place(addr: SocketAddr, headers: &[&str]) -> String {
    let headers = [&["content-type: application/json"], headers].concat();
    let answer = send(addr, request("POST /api/orders", &headers, r#"{"product": "a"}"#)).await;
    assert_eq!(answer.status.as_u16(), 202, "{answer:?}");
    answer.json()["order_id"].as_str().unwrap().to_owned()
}

/// Places orders at `one` until `other` tells one as pending: both are sure of the outage.
async fn both_have_noticed(one: SocketAddr, other: SocketAddr) {
    tokio::time::timeout(FOREVER, async {
        while get(other, &format!("/api/orders/{}", place(one, &[]).await)).await.status != 200 {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    })
    .await
    .expect("the outage is noticed");
}

#[tokio::test]
async fn with_the_store_away_an_order_just_given_is_pending_on_another_replica() {
    let broker = Arc::new(MemoryBroker::new());
    let ((_first, one), (_second, two)) = (replica(&broker).await, replica(&broker).await);
    both_have_noticed(one, two).await;
    both_have_noticed(two, one).await;

    let id = place(one, &[]).await;
    let shown = get(two, &format!("/api/orders/{id}")).await;
    assert_eq!(shown.status.as_u16(), 200, "{shown:?}");
    assert_eq!(shown.json(), serde_json::json!({"order_id": id, "status": "pending"}));
    let line = get(two, &format!("/api/orders/?order_id={id}")).await;
    assert_eq!(
        (line.status.as_u16(), line.text()),
        (200, format!("order \"{id}\": Pending").as_str())
    );

    let keyed = place(one, &["idempotency-key: cart-42"]).await;
    let line = get(one, &format!("/api/orders/?order_id={keyed}")).await;
    assert_eq!(
        (line.status.as_u16(), line.text()),
        (200, format!("order \"{keyed}\": Pending").as_str())
    );
    for (addr, id) in [(two, keyed.as_str()), (one, NEVER), (two, NEVER)] {
        let unknown = get(addr, &format!("/api/orders/{id}")).await;
        assert_eq!((unknown.status.as_u16(), unknown.header("retry-after")), (503, "2"));
        let line = format!("DELETE /api/orders/{id}");
        let cancelled = send(addr, request(&line, &[], "")).await;
        assert_eq!((cancelled.status.as_u16(), cancelled.header("retry-after")), (503, "2"));
    }
}
