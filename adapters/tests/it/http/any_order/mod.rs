//! Orders of a program's own type, nested and in other scripts, over HTTP.

mod documents;

use std::{collections::BTreeSet, convert::Infallible, net::SocketAddr, sync::Arc};

use async_trait::async_trait;
use futures::StreamExt;
use hyper::server::conn::http1;
use hyper_util::{rt::TokioIo, service::TowerToHyperService};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use woody_adapters::http::{
    ForClient, HttpService, OrderRoutes, OrderState, OrderWord, RateLimit, ServerLimits,
    ServiceSettings, service,
};
use woody_broker::memory::MemoryBroker;
use woody_core::{
    domain::{Details, Invalid, Label, NewOrder, OrderDetails, OrderMessage, OrderStatus, Outcome},
    ports::{Broker, ListOf, OrderQuery, OrderStore, ValidateError, Validator, Verdict},
    services::Pipeline,
};
use woody_store::MemoryStore;

use super::{
    client::{Answer, request, send},
    shop::{drain, serve_here},
};

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Pizza {
    toppings: Vec<Topping>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    note: Option<String>,
    email: String,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Topping {
    name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    grams: Option<u32>,
}

impl OrderDetails for Pizza {
    const NAME: &'static str = "pizza";

    fn check_all(&self) -> Vec<Invalid> {
        let unnamed = self.toppings.iter().enumerate().filter(|(_, one)| one.name.is_empty());
        let mut wrong: Vec<_> = unnamed
            .map(|(i, _)| Invalid::new(format!("toppings[{i}].name"), "must not be empty"))
            .collect();
        match self.email.split_once('@') {
            Some((name, host)) if !name.is_empty() && !host.is_empty() => {}
            _ => wrong.push(Invalid::new("email", "must be an address such as ada@example.org")),
        }
        wrong
    }

    fn found_by(&self) -> Option<Label> {
        Some(Label::new(self.email.to_lowercase()))
    }
}

struct NoPineapple;

#[async_trait]
impl Validator<Pizza> for NoPineapple {
    async fn validate(&self, order: &NewOrder<Pizza>) -> Result<Verdict, ValidateError> {
        let has_pineapple = order.details.toppings.iter().any(|one| one.name == "ананас");
        Ok(if has_pineapple {
            Verdict::Rejected("no pineapple".into())
        } else {
            Verdict::Success(None)
        })
    }
}

fn schema() -> Value {
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Pizza",
        "type": "object",
        "required": ["toppings", "email"],
        "properties": {
            "toppings": {"type": "array", "items": {"$ref": "#/$defs/Topping"}},
            "note": {"type": ["string", "null"]},
            "email": {"type": "string", "format": "email"},
        },
        "$defs": {"Topping": {"type": "object", "properties": {"name": {"type": "string"}}}},
    })
}

/// A shop of pizzas that listens on a port of its own.
struct PizzaShop {
    addr: SocketAddr,
    store: Arc<MemoryStore>,
    broker: Arc<MemoryBroker>,
    pipeline: Pipeline<Pizza>,
}

impl PizzaShop {
    async fn open() -> Self {
        let (service, store, broker, pipeline) = pizzas().await;
        let (addr, _serving) = serve_here(service, ServerLimits::default(), drain()).await;
        Self { addr, store, broker, pipeline }
    }

    async fn get(&self, path: &str) -> Answer {
        send(self.addr, request(&format!("GET {path}"), &[], "")).await
    }

    async fn post(&self, body: String, headers: &[&str]) -> Answer {
        let headers = [&["content-type: application/json"], headers].concat();
        send(self.addr, request("POST /api/orders", &headers, body)).await
    }

    async fn is_untouched(&self) -> bool {
        let counts = self.store.counts().await.unwrap();
        counts.pending + counts.success + counts.rejected + counts.outbox == 0
    }
}

async fn pizzas() -> (impl HttpService, Arc<MemoryStore>, Arc<MemoryBroker>, Pipeline<Pizza>) {
    let (store, broker) = (Arc::new(MemoryStore::new()), Arc::new(MemoryBroker::new()));
    let orders: Arc<dyn OrderStore> = Arc::<MemoryStore>::clone(&store);
    let pipeline = Pipeline::builder(orders, Arc::<MemoryBroker>::clone(&broker))
        .validator(Arc::new(NoPineapple))
        .start()
        .await
        .unwrap();
    let routes = OrderRoutes::of(&pipeline, &CancellationToken::new()).schema(schema());
    (service(routes, RateLimit::off(), &ServiceSettings::default()), store, broker, pipeline)
}

fn margherita() -> Value {
    json!({
        "toppings": [{"name": "tomåto 🍅"}, {"name": "mozzarella \"di bufala\"", "grams": 125}],
        "note": "ring\nтwice",
        "email": "ada@example.org",
    })
}

#[tokio::test]
async fn an_order_of_another_type_is_placed_shown_and_followed_as_one_flat_object() {
    let shop = PizzaShop::open().await;
    for (topping, status, reason) in
        [("ruccola", "success", Value::Null), ("ананас", "rejected", json!("no pineapple"))]
    {
        let mut pizza = margherita();
        pizza["toppings"][0]["name"] = json!(topping);
        let placed = shop.post(pizza.to_string(), &[]).await;
        assert_eq!(placed.status, 202, "{placed:?}");
        let receipt = placed.json();
        let id = receipt["order_id"].as_str().unwrap();
        assert_eq!(receipt, json!({"order_id": id, "status": "pending"}));
        assert_eq!(placed.header("location"), format!("/api/orders/{id}"));

        // The stream ends after a final status.
        let followed = shop.get(&format!("/api/orders/{id}/events")).await;
        let last = followed.text().trim_end().rsplit_once("data: ").unwrap().1;
        let shown = shop.get(placed.header("location")).await;
        assert_eq!(shown.json(), serde_json::from_str::<Value>(last).unwrap());
        let waited = shop.get(&format!("{}?wait=60", placed.header("location"))).await;
        assert_eq!(waited.body, shown.body);
        let among_many = shop.get(&format!("/api/events?ids={id}")).await;
        assert!(among_many.text().contains(last), "{}", among_many.text());
        let mut fields = shown.json().as_object().unwrap().clone();
        let state: OrderState = serde_json::from_slice(&shown.body).unwrap();
        assert!(state.accepted_at.unwrap() <= state.finished_at.unwrap());
        for own in ["order_id", "accepted_at", "finished_at"] {
            fields.remove(own).unwrap();
        }
        assert_eq!(fields.remove("status"), Some(json!(status)));
        assert_eq!(fields.remove("reason").unwrap_or_default(), reason);
        assert_eq!(Value::Object(fields), pizza);
        assert_eq!(state.status == OrderWord::Success, status == "success");
    }
}

#[tokio::test]
async fn an_order_of_another_type_is_cancelled_as_any_is() {
    let store = Arc::new(MemoryStore::new());
    let orders: Arc<dyn OrderStore> = Arc::<MemoryStore>::clone(&store);
    // Nobody validates.
    let pipeline: Pipeline<Pizza> =
        Pipeline::builder(orders, Arc::new(MemoryBroker::new())).start().await.unwrap();
    let routes = OrderRoutes::of(&pipeline, &CancellationToken::new());
    let service = service(routes, RateLimit::off(), &ServiceSettings::default());
    let (addr, _serving) = serve_here(service, ServerLimits::default(), drain()).await;
    let json = ["content-type: application/json"];
    let placed = send(addr, request("POST /api/orders", &json, margherita().to_string())).await;
    let line = format!("DELETE {}", placed.header("location"));
    let cancelled = send(addr, request(&line, &[], "")).await;
    let state: OrderState = serde_json::from_slice(&cancelled.body).unwrap();
    assert_eq!((cancelled.status.as_u16(), state.status), (200, OrderWord::Cancelled));
    assert_eq!(cancelled.json()["email"], margherita()["email"]);
    assert_eq!(store.counts().await.unwrap().cancelled, 1);
}

#[tokio::test]
async fn what_is_wrong_with_a_body_is_told_with_its_field() {
    let shop = PizzaShop::open().await;
    let with = |pointer: &str, value: Value| {
        let mut pizza = margherita();
        let (parent, name) = pointer.rsplit_once('/').unwrap();
        pizza.pointer_mut(parent).unwrap()[name] = value;
        pizza.to_string()
    };
    for (body, status, field, says) in [
        ("{\"toppings\": [".to_owned(), 400, Value::Null, "The body is no JSON: EOF"),
        ("[]".to_owned(), 422, Value::Null, "The body is not as expected"),
        ("{\"toppings\": []}".to_owned(), 422, json!("email"), "email is missing"),
        (
            with("/toppings", json!("all")),
            422,
            json!("toppings"),
            "toppings must be an array, not a string",
        ),
        (
            with("/toppings/1/grams", json!(-1)),
            422,
            json!("toppings[1].grams"),
            "toppings[1].grams must be a whole number from 0 to 4,294,967,295, not -1",
        ),
        (with("/colour", json!(1)), 422, json!("colour"), "colour is no field"),
        (
            with("/toppings/1/größe", json!(1)),
            422,
            json!("toppings[1].größe"),
            "toppings[1].größe is no field",
        ),
        // Names that orders have themselves.
        (with("/order_id", json!("x")), 422, json!("order_id"), "order_id is no field"),
        (with("/status", json!("success")), 422, json!("status"), "status is no field"),
        (with("/email", json!("ada")), 422, json!("email"), "email must be an address"),
        (
            with("/toppings/1/name", json!("")),
            422,
            json!("toppings[1].name"),
            "toppings[1].name must not be empty",
        ),
        (with("/note", json!("x".repeat(33 * 1024))), 413, Value::Null, "the order's details are"),
    ] {
        let answer = shop.post(body.clone(), &[]).await;
        let problem = answer.json();
        assert_eq!(answer.status, status, "{body}: {problem}");
        assert_eq!(answer.header("content-type"), "application/problem+json");
        assert_eq!(problem["field"], field, "{body}: {problem}");
        assert!(problem["detail"].as_str().unwrap().starts_with(says), "{body}: {problem}");
    }
    assert!(shop.is_untouched().await);
}

/// The fields that a problem tells of.
fn wrong_fields(problem: &Value) -> Vec<&str> {
    let errors = problem["errors"].as_array().unwrap();
    errors.iter().map(|error| error["field"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn all_wrong_fields_of_an_order_of_another_type_are_told_at_once() {
    let shop = PizzaShop::open().await;
    let unreadable = json!({
        "toppings": [{"name": 7}, {"grams": "some"}, {"name": "x", "größe": 1}],
        "colour": "red",
        "status": "success",
    });
    let invalid = json!({"toppings": [{"name": ""}, {"name": ""}], "email": "ada", "colour": 1});
    for (body, fields) in [
        (
            &unreadable,
            &[
                "colour",
                "status",
                "toppings[0].name",
                "toppings[1].grams",
                "toppings[1].name",
                "toppings[2].größe",
                "email",
            ][..],
        ),
        (&invalid, &["colour", "toppings[0].name", "toppings[1].name", "email"]),
    ] {
        let problem = shop.post(body.to_string(), &[]).await.json();
        let mut told = wrong_fields(&problem);
        assert_eq!(problem["field"], told[0], "the first one is told as before: {problem}");
        told.sort_unstable();
        let mut fields = fields.to_vec();
        fields.sort_unstable();
        assert_eq!(told, fields, "{problem}");
    }
    let mut valid = invalid.clone();
    valid.as_object_mut().unwrap().remove("colour");
    let problem = shop.post(valid.to_string(), &[]).await.json();
    assert_eq!(wrong_fields(&problem), ["toppings[0].name", "toppings[1].name", "email"]);
    assert_eq!(
        problem["errors"][1]["detail"], "toppings[1].name must not be empty",
        "what the type itself checks is told whole"
    );
    assert!(shop.is_untouched().await);
}

#[tokio::test]
async fn a_submit_that_is_sent_twice_under_one_key_is_one_order_whatever_its_fields_order() {
    let shop = PizzaShop::open().await;
    let key = ["idempotency-key: cart-7"];
    let first = shop.post(margherita().to_string(), &key).await;
    let other_way_round = r#"{"email": "ada@example.org", "note": "ring\nтwice", "toppings":
        [{"name": "tomåto 🍅"}, {"grams": 125, "name": "mozzarella \"di bufala\""}]}"#;
    let again = shop.post(other_way_round.to_owned(), &key).await;
    assert_eq!((first.status.as_u16(), first.header("idempotency-replayed")), (202, ""));
    assert_eq!((again.status.as_u16(), again.header("idempotency-replayed")), (202, "true"));
    assert_eq!(first.body, again.body);
    let mut other = margherita();
    other["toppings"][1]["grams"] = json!(126);
    let other = shop.post(other.to_string(), &key).await;
    assert_eq!((other.status.as_u16(), &other.json()["field"]), (422, &json!("Idempotency-Key")));
}

#[tokio::test]
async fn a_batch_of_another_type_is_answered_order_by_order() {
    let shop = PizzaShop::open().await;
    let mut keyed = margherita();
    keyed["idempotency_key"] = json!("cart-8");
    let mut unnamed = margherita();
    unnamed["toppings"][1]["name"] = json!("");
    let mut coloured = keyed.clone();
    coloured["colour"] = json!("red");
    let large = json!({"toppings": [], "email": "a@b", "note": "x".repeat(33 * 1024)});
    let batch = json!([keyed, unnamed, margherita(), coloured, keyed, large]).to_string();
    let json = ["content-type: application/json"];
    let answer = send(shop.addr, request("POST /api/orders/batch", &json, batch)).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let items = answer.json();
    let told: Vec<_> = items
        .as_array()
        .unwrap()
        .iter()
        .map(|item| (item["status"].as_u64().unwrap(), item["problem"]["field"].as_str()))
        .collect();
    assert_eq!(
        told,
        [
            (202, None),
            (422, Some("toppings[1].name")),
            (202, None),
            (422, Some("colour")),
            (202, None),
            (413, None),
        ]
    );
    assert_eq!(items[0]["order"], items[4]["order"]);
    let id = items[0]["order"]["order_id"].as_str().unwrap();
    let order = shop.get(&format!("/api/orders/{id}")).await.json();
    assert_eq!(order["toppings"], margherita()["toppings"]);
    assert_eq!(order.get("idempotency_key"), None);
}

#[tokio::test]
async fn the_routes_of_the_original_system_are_the_toys_alone() {
    let shop = PizzaShop::open().await;
    for (path, status) in [
        ("/api/orders/do?order=lion", 400),
        ("/api/orders?order_id=0192f0c1-2f3a-7c4d-8e5f-6a7b8c9d0e1f", 405),
        ("/api/products", 404),
        ("/", 404),
    ] {
        assert_eq!(shop.get(path).await.status, status, "{path}");
    }
    assert!(shop.is_untouched().await);
}

#[tokio::test]
async fn a_program_may_serve_connections_itself() {
    let (service, _store, _broker, _pipeline) = pizzas().await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let (stream, peer) = listener.accept().await.unwrap();
        let service = TowerToHyperService::new(ForClient::new(service, peer));
        http1::Builder::new().serve_connection(TokioIo::new(stream), service).await.unwrap();
        Ok::<_, Infallible>(())
    });
    let json = ["content-type: application/json"];
    let answer = send(addr, request("POST /api/orders", &json, margherita().to_string())).await;
    assert_eq!(answer.status, 202);
    assert_eq!(answer.header("x-request-id").len(), 16);
}

#[tokio::test]
async fn an_order_is_found_by_what_its_type_says_wherever_it_was_kept() {
    let shop = PizzaShop::open().await;
    let pizza = |email: &str| json!({"toppings": [{"name": "basil"}], "email": email}).to_string();
    let of_ada = shop.post(pizza("Ada@example.org"), &[]).await.json()["order_id"].clone();
    assert_eq!(shop.post(pizza("grace@example.org"), &[]).await.status, 202);
    // One that only the broker has: the worker writes it.
    let of_broker = NewOrder::new(Details::parse(&pizza("ada@EXAMPLE.org")).unwrap());
    shop.broker.publisher().publish(&[OrderMessage::from(&of_broker)]).await.unwrap();
    let mut changes = Box::pin(shop.pipeline.tracker().watch(of_broker.id).await.unwrap().unwrap());
    while let Some(order) = changes.next().await {
        assert!(!matches!(order.status, OrderStatus::Ended(Outcome::Failed(_))), "{order:?}");
    }
    let query = OrderQuery {
        of: Some(ListOf::FoundBy(Label::new("ada@example.org"))),
        ..OrderQuery::default()
    };
    let found = shop.store.list(&query).await.unwrap().orders;
    let found: BTreeSet<_> = found.iter().map(|order| order.id.to_string()).collect();
    assert_eq!(found, [of_ada.as_str().unwrap().to_owned(), of_broker.id.to_string()].into());
}
