use std::path::Path;

use bytes::Bytes;
use http_body_util::Full;
use hyper::Request;
use serde_json::{Value, json};
use testkit::{
    client::{ended, place_all, post, send},
    service::{Service, Start},
    waiting::until,
};
use woody_adapters::keys::ApiKey;

/// What nobody but the client, the shop's store and its workers need to know.
const PERSONAL: &str = "Swing for Ada Lovelace, Grafton Street 12";
const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

async fn start(folder: &Path, filter: &str) -> Service {
    Start::of("woodytoys")
        .current_dir(folder)
        .env("WOODY_LOG", filter)
        .env("WOODY_LOG_FORMAT", "json")
        .log_to(&folder.join("log"))
        .ready()
        .await
}

/// The lines that the process has logged so far.
fn lines(folder: &Path) -> Vec<Value> {
    let log = std::fs::read_to_string(folder.join("log")).unwrap();
    // The last one may be on its way.
    log.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
}

/// The lines of one order that say `message`.
fn of_order(lines: &[Value], id: &str, message: &str) -> Vec<Value> {
    let ours = lines.iter().filter(|line| line["order.id"] == id && line["message"] == message);
    ours.cloned().collect()
}

async fn place_as(shop: &Service, headers: &[(&str, &str)], order: &Value) -> String {
    let mut request = Request::post("/api/orders")
        .header("host", "localhost")
        .header("content-type", "application/json");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let body = Full::from(Bytes::from(order.to_string()));
    let answer = send(shop.address, request.body(body).unwrap()).await.unwrap();
    assert_eq!(answer.status, 202, "{}", answer.text());
    answer.json()["order_id"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_orders_beginning_and_end_are_a_line_each_and_tell_nothing_of_it() {
    let folder = tempfile::tempdir().unwrap();
    let shop = start(folder.path(), "info").await;
    let traceparent = format!("00-{TRACE}-00f067aa0ba902b7-01");
    let headers =
        [("x-request-id", "cart-77"), ("idempotency-key", "77"), ("traceparent", &*traceparent)];
    let order = json!({ "product": PERSONAL });
    let id = place_as(&shop, &headers, &order).await;
    assert_eq!(ended(shop.address, &id).await, "success");
    assert_eq!(place_as(&shop, &[("x-request-id", "again"), headers[1]], &order).await, id);

    until("both lines are there", async || {
        let lines = lines(folder.path());
        let told = |message| of_order(&lines, &id, message).len();
        (told("order accepted"), told("order ended")) == (2, 1)
    })
    .await;
    let lines = lines(folder.path());
    let accepted = of_order(&lines, &id, "order accepted");
    let kept = |line: &Value| [line["request.id"].clone(), line["order.kept"].clone()];
    assert_eq!(
        accepted.iter().map(kept).collect::<Vec<_>>(),
        [["cart-77", "store"], ["again", "already"]]
    );
    let end = &of_order(&lines, &id, "order ended")[0];
    assert_eq!((&end["order.status"], &end["order.attempts"]), (&json!("success"), &json!(1)));
    for line in [&accepted[0], end] {
        assert_eq!((&line["level"], &line["target"]), (&json!("INFO"), &json!("woody.order")));
        assert!(line.to_string().contains(TRACE), "{line}");
    }
    let log = std::fs::read_to_string(folder.path().join("log")).unwrap();
    for word in ["Lovelace", "Grafton"] {
        assert!(!log.contains(word), "{log}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_order_of_a_batch_and_one_that_is_cancelled_have_their_lines() {
    let folder = tempfile::tempdir().unwrap();
    let shop = start(folder.path(), "info").await;
    let ids = place_all(shop.address, &json!([{"product": "kite"}, {"product": "boat"}])).await;
    for id in &ids {
        ended(shop.address, id).await;
    }
    until("all lines are there", async || {
        let lines = lines(folder.path());
        ids.iter().all(|id| {
            ["order accepted", "order ended"]
                .iter()
                .all(|message| of_order(&lines, id, message).len() == 1)
        })
    })
    .await;
    let lines = lines(folder.path());
    let requests: Vec<_> = ids
        .iter()
        .map(|id| of_order(&lines, id, "order accepted")[0]["request.id"].clone())
        .collect();
    assert!(requests[0].is_string() && requests[0] == requests[1], "{requests:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_lines_of_orders_are_switched_off_by_their_target() {
    let folder = tempfile::tempdir().unwrap();
    let shop = start(folder.path(), "info,woody.order=off").await;
    let answer = post(shop.address, "/api/orders", None, &json!({"product": "kite"})).await;
    let id = answer.unwrap().json()["order_id"].as_str().unwrap().to_owned();
    assert_eq!(ended(shop.address, &id).await, "success");
    shop.terminate();
    assert!(shop.ended().await.success());
    let lines = lines(folder.path());
    assert!(!lines.is_empty(), "other lines are there");
    assert!(lines.iter().all(|line| line["order.id"] != id), "{lines:?}");
}

/// Each statement was written as text before anybody was asked whether it is read.
#[tokio::test(flavor = "multi_thread")]
async fn no_statement_is_logged_at_any_level() {
    let folder = tempfile::tempdir().unwrap();
    let shop = start(folder.path(), "info,sqlx=trace").await;
    let id = place_as(&shop, &[], &json!({"product": "kite"})).await;
    assert_eq!(ended(shop.address, &id).await, "success");
    shop.terminate();
    assert!(shop.ended().await.success());
    let lines = lines(folder.path());
    assert_eq!(of_order(&lines, &id, "order ended").len(), 1);
    assert!(lines.iter().all(|line| line["target"] != "sqlx::query"), "{lines:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shop_in_which_nobody_can_order_says_so_when_it_starts() {
    const SAID: &str = "no key has the scope order, and it is not public: nobody can order";
    let key = ApiKey::fresh();
    for (scopes, public, is_said) in
        [("read", "", true), ("read", "order", false), ("order", "", false)]
    {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("keys"), format!("acme {scopes} {}\n", key.hash()))
            .unwrap();
        let shop = Start::of("woodytoys")
            .current_dir(folder.path())
            .env("WOODY_LOG", "warn")
            .env("WOODY_LOG_FORMAT", "json")
            .env("WOODY_API_KEYS_FILE", "keys")
            .env("WOODY_PUBLIC_SCOPES", public)
            .log_to(&folder.path().join("log"))
            .ready()
            .await;
        shop.terminate();
        assert!(shop.ended().await.success());
        let said = lines(folder.path()).iter().any(|line| line["message"] == SAID);
        assert_eq!(said, is_said, "{scopes}, {public:?}");
    }
}
