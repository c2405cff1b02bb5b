//! Orders of several types behind one listener.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::json;
use tokio_util::sync::CancellationToken;
use woody_adapters::http::{
    HttpService, OrderRoutes, RateLimit, ServerLimits, ServiceSettings, mount, service,
};
use woody_broker::memory::MemoryBroker;
use woody_core::{domain::OrderDetails, services::Pipeline, validation::AcceptAll};
use woody_store::MemoryStore;

use super::{
    client::{request, send},
    shop::{drain, serve_here},
};

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Book {
    title: String,
}

impl OrderDetails for Book {
    const NAME: &'static str = "book";
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Pizza {
    toppings: Vec<String>,
}

impl OrderDetails for Pizza {
    const NAME: &'static str = "pizza";
}

async fn orders_of<D: OrderDetails>() -> (impl HttpService + use<D>, Pipeline<D>) {
    let pipeline = Pipeline::builder(Arc::new(MemoryStore::new()), Arc::new(MemoryBroker::new()));
    let pipeline = pipeline.validator(Arc::new(AcceptAll)).start().await.unwrap();
    let routes = OrderRoutes::of(&pipeline, &CancellationToken::new());
    (service(routes, RateLimit::off(), &ServiceSettings::default()), pipeline)
}

#[tokio::test]
async fn orders_of_several_types_have_a_prefix_each_and_nothing_in_common() {
    let ((books, _books), (pizzas, _pizzas)) =
        (orders_of::<Book>().await, orders_of::<Pizza>().await);
    let inner = mount("/late", pizzas, books.clone());
    let both = mount("books/", books, mount("/night", inner.clone(), inner));
    let (addr, _serving) = serve_here(both, ServerLimits::default(), drain()).await;
    let post = async |path: &str, body: serde_json::Value| {
        let json = ["content-type: application/json"];
        send(addr, request(&format!("POST {path}"), &json, body.to_string())).await
    };
    let get = async |path: &str| send(addr, request(&format!("GET {path}"), &[], "")).await;

    let (book, pizza) = (json!({"title": "Улисс"}), json!({"toppings": ["🍅"]}));
    for (prefix, ours, theirs) in
        [("/books", &book, &pizza), ("/night/late", &pizza, &book), ("/late", &pizza, &book)]
    {
        let placed = post(&format!("{prefix}/api/orders"), ours.clone()).await;
        assert_eq!(placed.status, 202, "{prefix}: {placed:?}");
        let location = placed.header("location").to_owned();
        assert!(location.starts_with(&format!("{prefix}/api/orders/")), "{location}");
        let followed = get(&format!("{location}/events")).await;
        assert!(followed.text().contains("\"status\":\"success\""), "{}", followed.text());
        let id = location.rsplit('/').next().unwrap();
        assert_eq!(get(&location).await.json()["order_id"], id);
        assert_eq!(post(&format!("{prefix}/api/orders"), theirs.clone()).await.status, 422);
        let document = get(&format!("{prefix}/openapi.json")).await.json();
        assert_eq!(document["servers"], json!([{"url": prefix}]));
        let messages = get(&format!("{prefix}/asyncapi.json")).await.json();
        assert_eq!(messages["servers"]["shop"]["pathname"], prefix);
    }
    // What is below no prefix is the last one's: books, at the root.
    assert_eq!(post("/api/orders", book).await.status, 202);
    assert_eq!(get("/openapi.json").await.json()["servers"], json!([{"url": "/"}]));
    assert_eq!(get("/nights/api/orders").await.status, 404);
}
