//! Orders that come together.

use serde_json::{Value, json};
use tokio::{io::AsyncWriteExt, net::TcpStream};
use woody_adapters::http::{BodyLimits, ServiceSettings};
use woody_core::ports::{OrderStore, Verdict};

use super::{
    client::{Answer, request, rest},
    shop::{Setup, Shop},
};

async fn place(shop: &Shop, orders: &Value) -> Vec<Value> {
    let answer = shop.post("/api/orders/batch", orders).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.json().as_array().unwrap().clone()
}

fn trains(count: usize) -> Vec<Value> {
    (0..count).map(|n| json!({"product": format!("train {n}")})).collect()
}

async fn pending(shop: &Shop) -> u64 {
    shop.store.counts().await.unwrap().pending
}

#[tokio::test]
async fn each_order_is_answered_in_its_place_and_is_one_like_any() {
    let shop = Shop::open().await;
    let items = place(&shop, &json!(trains(500))).await;
    assert_eq!(items.len(), 500);
    for (n, item) in items.iter().enumerate() {
        let id = item["order"]["order_id"].as_str().unwrap();
        assert_eq!(*item, json!({"status": 202, "order": {"order_id": id, "status": "pending"}}));
        if n % 100 == 0 {
            let order = shop.get(&format!("/api/orders/{id}")).await.json();
            assert_eq!(order["product"], format!("train {n}"));
        }
    }
    assert_eq!(pending(&shop).await, 500);
    shop.decide(Ok(Verdict::Success(None)));
    let last = items[499]["order"]["order_id"].as_str().unwrap();
    // The stream ends after a final status.
    let events = shop.get(&format!("/api/orders/{last}/events")).await;
    assert!(events.text().contains("id: success\n"), "{}", events.text());
}

#[tokio::test]
async fn a_bad_order_among_499_good_ones_is_told_what_is_wrong_and_they_are_kept() {
    let shop = Shop::open().await;
    for (bad, status, field) in [
        (json!({"product": "lion", "quantity": 0}), 422, "quantity"),
        (json!({"product": "lion", "quantity": "2"}), 422, "quantity"),
        (json!({"product": "lion", "colour": "red"}), 422, "colour"),
        (json!({"product": "lion", "idempotency_key": 7}), 422, "idempotency_key"),
        (json!({"product": "lion", "idempotency_key": ""}), 422, "idempotency_key"),
        (json!({"idempotency_key": "cart-1"}), 422, "product"),
        (json!({}), 422, "product"),
        (json!([]), 422, ""),
        (json!("lion"), 422, ""),
        (json!(null), 422, ""),
    ] {
        let before = pending(&shop).await;
        let mut orders = trains(500);
        orders[250] = bad.clone();
        let items = place(&shop, &json!(orders)).await;
        assert_eq!(items.len(), 500);
        for (n, item) in items.iter().enumerate().filter(|(n, _)| *n != 250) {
            assert_eq!(item["status"], 202, "{n}: {item}");
        }
        let told = &items[250];
        let problem = &told["problem"];
        assert_eq!((&told["status"], &problem["status"]), (&json!(status), &json!(status)));
        assert_eq!(problem["type"], "urn:woodytoys:problem:invalid-value", "{bad}: {problem}");
        assert_eq!(problem["field"].as_str().unwrap_or_default(), field, "{bad}: {problem}");
        assert!(problem["detail"].as_str().unwrap().starts_with(field), "{bad}: {problem}");
        assert!(told.get("order").is_none() && told.get("retry_after").is_none(), "{told}");
        assert_eq!(pending(&shop).await, before + 499);
    }
}

#[tokio::test]
async fn what_is_no_text_or_stands_twice_is_one_items_fault() {
    let shop = Shop::open().await;
    let body = r#"[{"product": "\ud800"}, {"product": "a", "product": "b"},
        {"product": "a", "idempotency_key": "x", "idempotency_key": "x"}, {"product": "\u0061"}]"#;
    let json = ["content-type: application/json"];
    let answer = shop.send(request("POST /api/orders/batch", &json, body)).await;
    let told: Vec<_> = answer
        .json()
        .as_array()
        .unwrap()
        .iter()
        .map(|item| (item["status"].as_u64().unwrap(), item["problem"]["field"].clone()))
        .collect();
    let expected = [
        (400, Value::Null),
        (422, json!("product")),
        (422, json!("idempotency_key")),
        (202, Value::Null),
    ];
    assert_eq!(told, expected, "{}", answer.text());
}

#[tokio::test]
async fn a_batch_has_500_orders_at_most_and_one_at_least() {
    let shop = Shop::open().await;
    let refused = |answer: Answer, status: u16, says: &str| {
        let problem = answer.json();
        assert_eq!(answer.status, status);
        assert!(problem["detail"].as_str().unwrap().contains(says), "{problem}");
    };
    refused(
        shop.post("/api/orders/batch", &json!(trains(501))).await,
        413,
        "500 orders at most, and this has 501",
    );
    refused(shop.post("/api/orders/batch", &json!([])).await, 400, "no orders");
    assert!(shop.is_untouched().await);
    assert_eq!(place(&shop, &json!(trains(1))).await.len(), 1);
}

#[tokio::test]
async fn a_key_in_a_batch_is_as_the_header_of_one_order() {
    let shop = Shop::open().await;
    let lion = json!({"product": "lion", "quantity": 2, "idempotency_key": "cart-1"});
    let boat = json!({"product": "boat", "idempotency_key": "cart-1"});
    let spaced = json!({"quantity": 2, "idempotency_key": " cart-1 ", "product": "lion "});
    let keyless = json!({"product": "lion", "idempotency_key": null});
    let items = place(&shop, &json!([lion, boat, spaced, keyless])).await;
    assert_eq!((&items[0]["status"], items[0].get("replayed")), (&json!(202), None));
    assert_eq!((&items[2]["status"], &items[2]["replayed"]), (&json!(202), &json!(true)));
    assert_eq!(items[0]["order"], items[2]["order"]);
    let conflict = &items[1]["problem"];
    assert_eq!((&items[1]["status"], &conflict["field"]), (&json!(422), &json!("idempotency_key")));
    assert_eq!(conflict["type"], "urn:woodytoys:problem:key-reused");
    assert_eq!(items[3]["status"], 202);
    assert_ne!(items[3]["order"], items[0]["order"]);
    assert_eq!(pending(&shop).await, 2);
    // A batch that is sent again is answered the same, and so is one order under its key.
    let again = place(&shop, &json!([lion, boat])).await;
    assert_eq!((&again[0]["order"], &again[0]["replayed"]), (&items[0]["order"], &json!(true)));
    assert_eq!(again[1]["status"], 422);
    let alone = r#"{"product": "lion", "quantity": 2}"#;
    let headers = ["content-type: application/json", "idempotency-key: cart-1"];
    let alone = shop.send(request("POST /api/orders", &headers, alone)).await;
    assert_eq!(alone.json(), items[0]["order"]);
    assert_eq!(pending(&shop).await, 2);
}

#[tokio::test]
async fn a_batch_may_be_larger_than_an_order_and_has_its_own_bound() {
    let shop = Shop::open().await;
    let json = ["content-type: application/json"];
    let order = r#"[{"product": "lion"}"#;
    let padded = |bytes: usize| format!("{order}{}]", " ".repeat(bytes - order.len() - 1));
    let just = shop.send(request("POST /api/orders/batch", &json, padded(1024 * 1024))).await;
    assert_eq!(just.status, 200, "{just:?}");
    let more = shop.send(request("POST /api/orders/batch", &json, padded(1024 * 1024 + 1))).await;
    assert_eq!(more.status, 413);
    let problem = more.json();
    assert_eq!(problem["type"], "urn:woodytoys:problem:body-too-large");
    assert_eq!(problem["detail"], "The body may have 1048576 bytes at most.");
    // An order alone is held to what it was held to.
    let alone = padded(64 * 1024 + 1);
    assert_eq!(shop.send(request("POST /api/orders", &json, alone)).await.status, 413);
    assert_eq!(pending(&shop).await, 1);
}

#[tokio::test]
async fn a_batch_that_is_larger_than_all_the_room_has_it_for_itself() {
    let body = BodyLimits { max_batch_bytes: 9 * 1024 * 1024, ..BodyLimits::default() };
    let settings = ServiceSettings { body, ..ServiceSettings::default() };
    let shop = Shop::with(Setup { settings, ..Setup::default() }).await;
    let large = format!("[{}{{\"product\": \"lion\"}}]", " ".repeat(8 * 1024 * 1024 + 1));
    let json = ["content-type: application/json"];
    for _ in 0..3 {
        let answer = shop.send(request("POST /api/orders/batch", &json, large.clone())).await;
        assert_eq!(answer.status, 200, "{answer:?}");
    }
}

#[tokio::test]
async fn a_batch_that_breaks_off_places_nothing() {
    let shop = Shop::open().await;
    let mut stream = TcpStream::connect(shop.addr).await.unwrap();
    let begun = "POST /api/orders/batch HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n\
                 content-length: 100\r\n\r\n[{\"product\": \"lion\"}";
    stream.write_all(begun.as_bytes()).await.unwrap();
    stream.shutdown().await.unwrap();
    let answer = rest(stream).await;
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 400"), "{answer}");
    assert!(shop.is_untouched().await);
}
