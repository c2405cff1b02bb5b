//! When orders will be ready, and which are refused because they would wait too long.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use serde_json::{Value, json};
use woody_adapters::http::{
    RateLimit, ServerLimits, ServiceSettings, StreamSettings, ToyOrderRoutes, service,
};
use woody_broker::memory::MemoryBroker;
use woody_core::{
    domain::{NewOrder, now},
    ports::Verdict,
    services::{IntakeSettings, Pipeline},
    validation::validator_fn,
};
use woody_store::MemoryStore;

use super::{
    client::{Answer, FOREVER, request, send},
    shop::{drain, serve_here},
};

/// A shop with one worker, which takes 20 ms for an order.
struct Shop {
    addr: SocketAddr,
    _pipeline: Pipeline,
}

impl Shop {
    async fn open(settings: IntakeSettings) -> Self {
        let validator = validator_fn(async |_: NewOrder| {
            tokio::time::sleep(Duration::from_millis(20)).await;
            Ok(Verdict::Success(None))
        });
        let builder =
            Pipeline::builder(Arc::new(MemoryStore::new()), Arc::new(MemoryBroker::new()));
        let builder = builder.intake_settings(settings).validator(Arc::new(validator));
        let pipeline = builder.start().await.unwrap();
        let streams = StreamSettings::until(tokio_util::sync::CancellationToken::new());
        let routes = ToyOrderRoutes::new(pipeline.intake(), pipeline.tracker(), streams);
        let service = service(routes, RateLimit::off(), &ServiceSettings::default());
        let (addr, _serving) = serve_here(service, ServerLimits::default(), drain()).await;
        Self { addr, _pipeline: pipeline }
    }

    async fn place(&self, key: &str) -> Answer {
        let key = format!("idempotency-key: {key}");
        let headers = ["content-type: application/json", &key];
        send(self.addr, request("POST /api/orders", &headers, r#"{"product": "lion"}"#)).await
    }

    async fn place_all(&self, orders: &Value) -> Vec<Value> {
        let json = ["content-type: application/json"];
        let batch = request("POST /api/orders/batch", &json, orders.to_string());
        send(self.addr, batch).await.json().as_array().unwrap().clone()
    }

    async fn get(&self, path: &str) -> Answer {
        send(self.addr, request(&format!("GET {path}"), &[], "")).await
    }

    /// Places orders, each once the one before has ended, until it is told when one is ready.
    async fn told(&self) -> Value {
        let until = tokio::time::Instant::now() + FOREVER;
        for n in 0.. {
            let receipt = self.place(&format!("told-{n}")).await.json();
            if !receipt["ready"].is_null() {
                return receipt;
            }
            assert!(tokio::time::Instant::now() < until, "nothing is foretold after {n} orders");
            let id = receipt["order_id"].as_str().unwrap();
            self.get(&format!("/api/orders/{id}?wait=60")).await;
        }
        unreachable!()
    }
}

fn time(value: &Value) -> time::OffsetDateTime {
    let format = &time::format_description::well_known::Rfc3339;
    time::OffsetDateTime::parse(value.as_str().unwrap(), format).unwrap()
}

#[tokio::test]
async fn a_receipt_says_when_the_order_will_be_ready_and_an_order_that_is_says_nothing() {
    let shop = Shop::open(IntakeSettings::default()).await;
    assert!(shop.place("first").await.json()["ready"].is_null(), "nothing is known yet");
    let receipt = shop.told().await;
    assert!(time(&receipt["ready"]["p50"]) <= time(&receipt["ready"]["p90"]), "{receipt}");

    // How fast a queue goes is known once there was one.
    shop.place_all(&json!(vec![json!({"product": "lion"}); 200])).await;
    let until = tokio::time::Instant::now() + FOREVER;
    let last = loop {
        let receipt = shop.place(&format!("behind-{:?}", tokio::time::Instant::now())).await.json();
        let is_told = receipt["ready"].is_object();
        if is_told && time(&receipt["ready"]["p50"]) > now() + Duration::from_millis(200) {
            break receipt;
        }
        assert!(tokio::time::Instant::now() < until, "nothing is foretold of a queue");
        tokio::time::sleep(Duration::from_millis(20)).await;
    };
    let path = format!("/api/orders/{}", last["order_id"].as_str().unwrap());
    let ended = shop.get(&format!("{path}?wait=60")).await.json();
    assert!(ended["status"] == "success" && ended["ready"].is_null(), "{ended}");
}

#[tokio::test]
async fn an_order_that_would_wait_too_long_is_503_with_when_to_come_again() {
    let most = Some(Duration::from_secs(2));
    let shop = Shop::open(IntakeSettings::default().max_wait(most)).await;
    shop.told().await;
    let mut orders = vec![json!({"product": "lion"}); 400];
    orders[0]["idempotency_key"] = json!("known");
    // Some eight seconds of work; how fast that goes is known after a few looks.
    assert!(shop.place_all(&json!(orders)).await.iter().all(|item| item["status"] == 202));
    let mut n = 0;
    let refused = loop {
        let answer = shop.place(&format!("new-{n}")).await;
        if answer.status != 202 {
            break answer;
        }
        n += 1;
        tokio::task::yield_now().await;
    };
    assert_eq!(refused.status, 503, "{refused:?}");
    assert!(refused.header("content-type").starts_with("application/problem+json"));
    assert_eq!(refused.json()["type"], "urn:woodytoys:problem:overloaded");
    let seconds: u64 = refused.header("retry-after").parse().unwrap();
    assert!((1..60).contains(&seconds), "{refused:?}");

    let known = shop.place("known").await;
    assert_eq!((known.status.as_u16(), known.header("idempotency-replayed")), (202, "true"));
    let two = json!([{"product": "lion", "idempotency_key": "known"}, {"product": "kite"}]);
    let items = shop.place_all(&two).await;
    assert_eq!((&items[0]["status"], &items[1]["status"]), (&json!(202), &json!(503)));
    assert!(items[1]["retry_after"].as_u64().unwrap() >= 1, "{items:?}");

    let line = send(shop.addr, request("GET /api/orders/do?order=lion", &[], "")).await;
    assert_eq!(line.status, 503);
    assert!(line.header("retry-after").parse::<u64>().unwrap() >= 1);
}
