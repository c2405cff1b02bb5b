use serde_json::json;

use super::{
    client::{Answer, request},
    shop::Shop,
};

const JSON: &str = "content-type: application/json";

/// What is refused, with its status and the field that the answer names.
#[rustfmt::skip]
const REFUSED: &[(&str, &[&str], &str, u16, &str)] = &[
    // The original routes: text.
    ("GET /api/misc/time?x=1", &[], "", 400, "x"),
    ("GET /api/misc/heavy", &[], "", 400, "name"),
    ("GET /api/misc/heavy?name=", &[], "", 422, "name"),
    ("GET /api/misc/heavy?name=%20%09", &[], "", 422, "name"),
    ("GET /api/misc/heavy?name=a%00b", &[], "", 422, "name"),
    ("GET /api/misc/heavy?name=%FF", &[], "", 400, "name"),
    ("GET /api/misc/heavy?name=%F", &[], "", 400, "name"),
    ("GET /api/misc/heavy?name=a&name=b", &[], "", 400, "name"),
    ("GET /api/misc/heavy?name=a&quantity=0", &[], "", 422, "quantity"),
    ("GET /api/misc/heavy?name=a&quantity=-1", &[], "", 422, "quantity"),
    ("GET /api/misc/heavy?name=a&quantity=1001", &[], "", 422, "quantity"),
    ("GET /api/misc/heavy?name=a&quantity=99999999999999999999", &[], "", 422, "quantity"),
    ("GET /api/misc/heavy?name=a&quantity=ten", &[], "", 422, "quantity"),
    ("GET /api/misc/heavy?name=a&colour=red", &[], "", 400, "colour"),
    ("GET /api/products?product=", &[], "", 422, "product"),
    ("GET /api/products?product=a%0Ab", &[], "", 422, "product"),
    ("GET /api/products?product=a&product=b", &[], "", 400, "product"),
    ("GET /api/products?product=%C3%28", &[], "", 400, "product"),
    ("GET /api/products?product=a&limit=3", &[], "", 400, "limit"),
    ("GET /api/orders/do", &[], "", 400, "order"),
    ("GET /api/orders/do?order=", &[], "", 422, "order"),
    ("GET /api/orders/do?product=", &[], "", 422, "product"),
    ("GET /api/orders/do?order=a&product=a", &[], "", 400, "order"),
    ("GET /api/orders/do?order=a&quantity=2", &[], "", 400, "quantity"),
    ("GET /api/orders/", &[], "", 400, "order_id"),
    ("GET /api/orders/?order_id=7", &[], "", 422, "order_id"),
    ("GET /api/orders/?order_id=", &[], "", 422, "order_id"),
    // The modern ones: problems.
    ("GET /api/products?limit=0", &[], "", 422, "limit"),
    ("GET /api/products?limit=201", &[], "", 422, "limit"),
    ("GET /api/products?limit=-1", &[], "", 422, "limit"),
    ("GET /api/products?limit=x", &[], "", 422, "limit"),
    ("GET /api/products?after=x", &[], "", 422, "after"),
    ("GET /api/products?page=2", &[], "", 400, "page"),
    ("GET /api/products/x", &[], "", 422, "id"),
    ("GET /api/products/0192f0c1-2f3a-7c4d-8e5f-6a7b8c9d0e1", &[], "", 422, "id"),
    ("GET /api/orders/x", &[], "", 422, "order_id"),
    ("GET /api/orders/%00", &[], "", 422, "order_id"),
    ("GET /api/orders/0192f0c1-2f3a-7c4d-8e5f-6a7b8c9d0e1f?wait=61", &[], "", 422, "wait"),
    ("GET /api/orders/0192f0c1-2f3a-7c4d-8e5f-6a7b8c9d0e1f?wait=-1", &[], "", 422, "wait"),
    ("GET /api/orders/0192f0c1-2f3a-7c4d-8e5f-6a7b8c9d0e1f?wait=", &[], "", 422, "wait"),
    ("GET /api/orders/0192f0c1-2f3a-7c4d-8e5f-6a7b8c9d0e1f?wait=x", &[], "", 422, "wait"),
    ("GET /api/orders/0192f0c1-2f3a-7c4d-8e5f-6a7b8c9d0e1f?wait=1.5", &[], "", 422, "wait"),
    ("GET /api/orders/0192f0c1-2f3a-7c4d-8e5f-6a7b8c9d0e1f?wait=99999999999999999999", &[], "", 422, "wait"),
    ("GET /api/orders/0192f0c1-2f3a-7c4d-8e5f-6a7b8c9d0e1f?wait=1&wait=1", &[], "", 400, "wait"),
    ("DELETE /api/orders/0192f0c1-2f3a-7c4d-8e5f-6a7b8c9d0e1f?wait=1", &[], "", 400, "wait"),
    ("GET /api/events", &[], "", 400, "ids"),
    ("GET /api/events?ids=", &[], "", 422, "ids"),
    ("GET /api/events?ids=x", &[], "", 422, "ids[0]"),
    ("GET /api/events?ids=0192f0c1-2f3a-7c4d-8e5f-6a7b8c9d0e1f,", &[], "", 422, "ids[1]"),
    ("GET /api/events?ids=,0192f0c1-2f3a-7c4d-8e5f-6a7b8c9d0e1f", &[], "", 422, "ids[0]"),
    ("GET /api/events?ids=0192f0c1-2f3a-7c4d-8e5f-6a7b8c9d0e1f,0192f0c1-2f3a-7c4d-8e5f-6a7b8c9d0e1f", &[], "", 422, "ids[1]"),
    ("GET /api/events?ids=0192f0c1-2f3a-7c4d-8e5f-6a7b8c9d0e1f,0192F0C1-2F3A-7C4D-8E5F-6A7B8C9D0E1F", &[], "", 422, "ids[1]"),
    ("GET /api/events?ids=0192f0c1-2f3a-7c4d-8e5f-6a7b8c9d0e1f&ids=0192f0c1-2f3a-7c4d-8e5f-6a7b8c9d0e1f", &[], "", 400, "ids"),
    ("GET /api/events?ids=0192f0c1-2f3a-7c4d-8e5f-6a7b8c9d0e1f%00", &[], "", 422, "ids[0]"),
    ("GET /api/events?ids=0192f0c1-2f3a-7c4d-8e5f-6a7b8c9d0e1f", &[], "", 404, ""),
    ("GET /api/events?id=0192f0c1-2f3a-7c4d-8e5f-6a7b8c9d0e1f", &[], "", 400, "id"),
    ("GET /api/orders/x/events", &[], "", 422, "order_id"),
    ("POST /api/orders?x=1", &[JSON], r#"{"product": "a"}"#, 400, "x"),
    ("POST /api/orders", &[JSON], "", 400, ""),
    ("POST /api/orders", &[JSON], "{", 400, ""),
    ("POST /api/orders", &[JSON], "{\"product\": \"a\",}", 400, ""),
    ("POST /api/orders", &[JSON], "{\"product\": \"a\"}{}", 400, ""),
    ("POST /api/orders", &[JSON], "[]", 422, ""),
    ("POST /api/orders", &[JSON], "null", 422, ""),
    ("POST /api/orders", &[JSON], "{}", 422, "product"),
    ("POST /api/orders", &[JSON], r#"{"product": ""}"#, 422, "product"),
    ("POST /api/orders", &[JSON], r#"{"product": null}"#, 422, "product"),
    ("POST /api/orders", &[JSON], r#"{"product": 7}"#, 422, "product"),
    ("POST /api/orders", &[JSON], r#"{"product": "a\u0000b"}"#, 422, "product"),
    ("POST /api/orders", &[JSON], r#"{"product": "\ud800"}"#, 400, ""),
    ("POST /api/orders", &[JSON], r#"{"product": "a", "quantity": 0}"#, 422, "quantity"),
    ("POST /api/orders", &[JSON], r#"{"product": "a", "quantity": -1}"#, 422, "quantity"),
    ("POST /api/orders", &[JSON], r#"{"product": "a", "quantity": 1001}"#, 422, "quantity"),
    ("POST /api/orders", &[JSON], r#"{"product": "a", "quantity": 1e99}"#, 422, "quantity"),
    ("POST /api/orders", &[JSON], r#"{"product": "a", "quantity": 99999999999999999999}"#, 422, "quantity"),
    ("POST /api/orders", &[JSON], r#"{"product": "a", "quantity": 1.5}"#, 422, "quantity"),
    ("POST /api/orders", &[JSON], r#"{"product": "a", "quantity": "2"}"#, 422, "quantity"),
    ("POST /api/orders", &[JSON], r#"{"product": "a", "colour": "red"}"#, 422, "colour"),
    ("POST /api/orders", &[JSON], r#"{"product": "a", "product": "b"}"#, 422, "product"),
    ("POST /api/orders", &[], r#"{"product": "a"}"#, 415, ""),
    ("POST /api/orders", &["content-type: text/plain"], r#"{"product": "a"}"#, 415, ""),
    ("POST /api/orders", &["content-type: application/x-www-form-urlencoded"], "product=a", 415, ""),
    ("POST /api/orders", &[JSON, "content-encoding: gzip"], "\x1f", 415, "Content-Encoding"),
    ("POST /api/products", &[JSON, "content-encoding: br"], "{}", 415, "Content-Encoding"),
    ("POST /api/orders", &[JSON, "content-encoding: identity, zstd"], "{}", 415, "Content-Encoding"),
    ("POST /api/orders", &[JSON, "idempotency-key: "], r#"{"product": "a"}"#, 422, "Idempotency-Key"),
    ("POST /api/orders", &[JSON, "idempotency-key: é"], r#"{"product": "a"}"#, 422, "Idempotency-Key"),
    ("POST /api/orders", &[JSON, "idempotency-key: a", "idempotency-key: b"], r#"{"product": "a"}"#, 400, "Idempotency-Key"),
    ("POST /api/orders/batch", &[JSON], "", 400, ""),
    ("POST /api/orders/batch", &[JSON], "[", 400, ""),
    ("POST /api/orders/batch", &[JSON], "[]", 400, ""),
    ("POST /api/orders/batch", &[JSON], "{}", 422, ""),
    ("POST /api/orders/batch", &[JSON], r#"{"product": "a"}"#, 422, ""),
    ("POST /api/orders/batch", &[JSON], "7", 422, ""),
    ("POST /api/orders/batch", &[JSON], r#"[{"product": "a"},]"#, 400, ""),
    ("POST /api/orders/batch", &[JSON], r#"[{"product": "a"}] []"#, 400, ""),
    ("POST /api/orders/batch?x=1", &[JSON], r#"[{"product": "a"}]"#, 400, "x"),
    ("POST /api/orders/batch", &[], r#"[{"product": "a"}]"#, 415, ""),
    ("POST /api/orders/batch", &[JSON, "idempotency-key: a"], r#"[{"product": "a"}]"#, 422, "Idempotency-Key"),
    ("POST /api/products", &[JSON], r#"{"name": "a", "product": "a"}"#, 422, "product"),
    ("POST /api/products", &[JSON], r#"{"name": "  "}"#, 422, "name"),
    ("POST /api/products", &[JSON], r#"{"name": "a", "parts": {}}"#, 422, "parts"),
    ("POST /api/products", &[JSON], r#"{"name": "a", "parts": [{"width_mm": 1, "height_mm": 1}]}"#, 422, "parts[0].name"),
    ("POST /api/products", &[JSON], r#"{"name": "a", "parts": [{"name": "w", "width_mm": 1, "height_mm": 1}, {"name": "w", "width_mm": 0, "height_mm": 1}]}"#, 422, "parts[1].width_mm"),
    ("POST /api/products", &[JSON], r#"{"name": "a", "parts": [{"name": "w", "width_mm": 1, "height_mm": 10001}]}"#, 422, "parts[0].height_mm"),
    ("POST /api/products", &[JSON], r#"{"name": "a", "parts": [{"name": "w", "width_mm": 1, "height_mm": "1"}]}"#, 422, "parts[0].height_mm"),
    ("POST /api/products", &[JSON], r#"{"name": "a", "parts": [{"name": "w", "width_mm": 1, "height_mm": 1, "count": -3}]}"#, 422, "parts[0].count"),
    ("POST /api/products", &[JSON], r#"{"name": "a", "parts": [{"name": "\n", "width_mm": 1, "height_mm": 1}]}"#, 422, "parts[0].name"),
    ("POST /api/products", &[JSON], r#"{"name": "a", "parts": [{"name": "w", "width_mm": 1, "height_mm": 1, "count": 600}, {"name": "v", "width_mm": 1, "height_mm": 1, "count": 600}]}"#, 422, "parts"),
    // No such thing.
    ("GET /api", &[], "", 404, ""),
    ("GET /api/misc", &[], "", 404, ""),
    ("GET /api/misc/heavy/x?name=a", &[], "", 404, ""),
    ("GET /api/products/last/x", &[], "", 404, ""),
    ("GET /api/ordersX", &[], "", 404, ""),
    ("GET /favicon.ico", &[], "", 404, ""),
    ("POST /api/misc/time", &[], "", 405, ""),
    ("PUT /api/products", &[JSON], r#"{"name": "a"}"#, 405, ""),
    ("DELETE /api/orders/0192f0c1-2f3a-7c4d-8e5f-6a7b8c9d0e1f", &[], "", 404, ""),
    ("DELETE /api/orders/0192f0c1-2f3a-7c4d-8e5f-6a7b8c9d0e1f?x=1", &[], "", 400, "x"),
    ("DELETE /api/orders/x", &[], "", 422, "order_id"),
    ("PUT /api/orders/0192f0c1-2f3a-7c4d-8e5f-6a7b8c9d0e1f", &[], "", 405, ""),
    ("OPTIONS /api/orders", &[], "", 405, ""),
    ("BREW /api/orders", &[], "", 405, ""),
];

fn is_told_well(answer: &Answer, field: &str) -> bool {
    match answer.header("content-type") {
        "text/plain; charset=utf-8" => {
            !answer.text().contains('\n') && answer.text().starts_with(field)
        }
        "application/problem+json" => {
            let problem = answer.json();
            problem["status"] == answer.status.as_u16()
                && problem["type"].as_str().unwrap().starts_with("urn:woodytoys:problem:")
                && problem["detail"].as_str().unwrap().starts_with(field)
                && problem.get("field").map_or("", |field| field.as_str().unwrap()) == field
                && match problem.get("errors") {
                    None => field.is_empty(),
                    Some(errors) => {
                        let first = errors.get(0).unwrap();
                        first["field"] == field && first["detail"] == problem["detail"]
                    }
                }
        }
        _ => false,
    }
}

#[tokio::test]
async fn every_bad_request_is_refused_with_its_field_and_touches_nothing() {
    let shop = Shop::open().await;
    for (line, headers, body, status, field) in REFUSED {
        let answer = shop.send(request(line, headers, *body)).await;
        assert_eq!(answer.status.as_u16(), *status, "{line} {body}: {answer:?}");
        assert!(is_told_well(&answer, field), "{line} {body}: {answer:?}");
    }
    assert!(shop.is_untouched().await);
}

#[tokio::test]
async fn all_wrong_fields_of_an_order_or_a_product_are_told_at_once() {
    let shop = Shop::open().await;
    for (path, body, sentences) in [
        (
            "/api/orders",
            json!({"product": " ", "quantity": 0, "colour": "red"}),
            &[
                "colour is no field; there are product, quantity",
                "product must not be empty",
                "quantity must be a whole number from 1 to 1,000, not 0",
            ][..],
        ),
        (
            "/api/orders",
            json!({"quantity": "two"}),
            &["product is missing", "quantity must be a whole number, not a string"],
        ),
        (
            "/api/products",
            json!({"name": "", "parts": [
                {"name": "w", "width_mm": 0, "height_mm": 10_001, "count": 1_001},
                {"name": 7, "width_mm": 1, "height_mm": 1, "grain": "yes"},
            ]}),
            &[
                "name must not be empty",
                "parts[0].count must be a whole number from 1 to 1000, not 1001",
                "parts[0].height_mm must be a whole number from 1 to 10000, not 10001",
                "parts[0].width_mm must be a whole number from 1 to 10000, not 0",
                "parts[1].grain must be true or false, not a string",
                "parts[1].name must be a string, not 7",
            ],
        ),
    ] {
        let answer = shop.post(path, &body).await;
        assert_eq!(answer.status, 422);
        let problem = answer.json();
        let errors = problem["errors"].as_array().unwrap().iter();
        let mut told: Vec<_> = errors.map(|error| error["detail"].as_str().unwrap()).collect();
        told.sort_unstable();
        assert_eq!(told, sentences, "{problem}");
        let more = format!("; {} more field", sentences.len() - 1);
        assert!(problem["detail"].as_str().unwrap().contains(&more), "{problem}");
    }
    assert!(shop.is_untouched().await);
}

#[tokio::test]
async fn each_order_of_a_batch_is_told_all_that_is_wrong_with_it_within_bounds() {
    let shop = Shop::open().await;
    let bad = json!({"idempotency_key": "", "quantity": 0, "colour": 1});
    let answer = shop.post("/api/orders/batch", &json!([bad, {"product": "lion"}, bad])).await;
    let items = answer.json();
    for n in [0, 2] {
        let errors = items[n]["problem"]["errors"].as_array().unwrap().iter();
        let mut fields: Vec<_> = errors.map(|error| error["field"].as_str().unwrap()).collect();
        fields.sort_unstable();
        assert_eq!(fields, ["colour", "idempotency_key", "product", "quantity"]);
    }
    assert_eq!(items[1]["status"], 202);
    // 500 orders with 33 wrong fields each.
    let fields = (0..32).map(|n| (format!("f{n}"), json!(1))).collect::<serde_json::Map<_, _>>();
    let answer = shop.post("/api/orders/batch", &json!(vec![fields; 500])).await;
    let items = answer.json();
    let told = |item: &serde_json::Value| item["problem"]["errors"].as_array().unwrap().len();
    assert_eq!(told(&items[0]), 32);
    assert!(items.as_array().unwrap().iter().all(|item| told(item) >= 1));
    assert!(items.as_array().unwrap().iter().map(told).sum::<usize>() <= 2_000 + 500);
}

#[tokio::test]
async fn a_compressed_body_is_told_to_come_as_it_is() {
    let shop = Shop::open().await;
    let gzip = ["content-type: application/json", "content-encoding: gzip"];
    for path in ["/api/orders", "/api/products"] {
        let answer = shop.send(request(&format!("POST {path}"), &gzip, &b"\x1f\x8b"[..])).await;
        assert_eq!(answer.status, 415, "{path}");
        assert_eq!(answer.header("accept-encoding"), "identity");
        assert_eq!(answer.json()["type"], "urn:woodytoys:problem:unsupported-coding");
    }
    let plain = ["content-type: application/json", "content-encoding: identity"];
    let order = shop.send(request("POST /api/orders", &plain, r#"{"product": "a"}"#)).await;
    assert_eq!(order.status, 202);
}

#[tokio::test]
async fn an_empty_accept_is_as_none() {
    let shop = Shop::open().await;
    for accept in ["accept: ", "accept: ,", "accept:  , ,"] {
        let answer = shop.ask("GET /api/misc/heavy?name=lion", &[accept]).await;
        assert_eq!(
            (answer.status.as_u16(), answer.header("content-type")),
            (200, "text/plain; charset=utf-8"),
            "{accept}"
        );
        assert_eq!(
            shop.ask("GET /", &[accept]).await.header("content-type"),
            "text/plain; charset=utf-8"
        );
    }
}

#[tokio::test]
async fn the_longest_name_is_accepted_and_one_more_is_not() {
    let shop = Shop::open().await;
    let name = |n: usize| "%E8%9B%87".repeat(n);
    for path in ["/api/products?product=", "/api/orders/do?order="] {
        assert_eq!(shop.get(&format!("{path}{}", name(201))).await.status, 422, "{path}");
        assert!(shop.is_untouched().await);
    }
    assert_eq!(shop.get(&format!("/api/products?product={}", name(200))).await.status, 200);
}

#[tokio::test]
async fn wrong_methods_learn_the_right_ones() {
    let shop = Shop::open().await;
    for (line, allow) in [
        ("POST /api/misc/time", "GET, HEAD"),
        ("DELETE /api/products", "GET, HEAD, POST"),
        ("PATCH /api/orders", "GET, HEAD, POST"),
        ("POST /api/orders/0192f0c1-2f3a-7c4d-8e5f-6a7b8c9d0e1f", "DELETE, GET, HEAD"),
        ("POST /api/orders/do", "GET"),
        ("GET /api/orders/batch", "POST"),
        ("DELETE /api/orders/batch", "POST"),
        ("POST /", "GET, HEAD"),
    ] {
        let answer = shop.ask(line, &[]).await;
        assert_eq!((answer.status.as_u16(), answer.header("allow")), (405, allow), "{line}");
    }
}
