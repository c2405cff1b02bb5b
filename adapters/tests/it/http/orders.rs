use serde_json::json;
use woody_core::{
    domain::{OrderId, Reason},
    ports::{OrderStore, ValidateError, Verdict},
};

use super::{client::request, shop::Shop};

const NOBODY: &str = "0192f0c1-2f3a-7c4d-8e5f-6a7b8c9d0e1f";

/// Follows an order to its end.
async fn end_of(shop: &Shop, id: &str) -> serde_json::Value {
    // The stream ends after a final status.
    assert_eq!(shop.get(&format!("/api/orders/{id}/events")).await.status, 200);
    shop.get(&format!("/api/orders/{id}")).await.json()
}

#[tokio::test]
async fn the_original_routes_place_an_order_and_tell_how_it_stands() {
    let shop = Shop::open().await;
    for word in ["order", "product"] {
        let placed = shop.get(&format!("/api/orders/do?{word}=Test+Product")).await;
        assert_eq!((placed.status.as_u16(), placed.header("cache-control")), (200, "no-store"));
        let said = placed.text();
        let id = said
            .strip_prefix("Your process ")
            .and_then(|said| {
                said.strip_suffix(" has been created with this product : Test Product")
            })
            .unwrap_or_else(|| panic!("{said}"));
        for path in [format!("/api/orders/?order_id={id}"), format!("/api/orders?order_id={id}")] {
            assert_eq!(shop.get(&path).await.text(), format!("order \"{id}\": Pending"));
        }
    }
    let unknown = shop.get(&format!("/api/orders/?order_id={NOBODY}")).await;
    assert_eq!(unknown.status, 404);
    assert_eq!(unknown.text(), format!("order \"{NOBODY}\": None"));
}

#[tokio::test]
async fn every_end_is_told_in_both_ways() {
    for (verdict, line, status, reason) in [
        (Ok(Verdict::Success(Some(Reason::new("1 sheet")))), "Success", "success", "1 sheet"),
        (
            Ok(Verdict::Rejected(Reason::new("too large"))),
            "Rejected: too large",
            "rejected",
            "too large",
        ),
        (
            Err(ValidateError::Permanent(Reason::new("odd"))),
            "Failed: validation cannot succeed: odd",
            "failed",
            "validation cannot succeed: odd",
        ),
    ] {
        let shop = Shop::open().await;
        shop.decide(verdict);
        let id = shop.order("lion").await;
        let order = end_of(&shop, &id).await;
        assert_eq!((&order["status"], &order["reason"]), (&json!(status), &json!(reason)));
        assert!(order["finished_at"].as_str().unwrap() >= order["accepted_at"].as_str().unwrap());
        let legacy = shop.get(&format!("/api/orders/?order_id={id}")).await;
        assert_eq!(legacy.text(), format!("order \"{id}\": {line}"));
    }
}

#[tokio::test]
async fn an_order_that_is_pending_can_be_cancelled_and_stays_so() {
    let shop = Shop::open().await;
    let id = shop.order("lion").await;
    let (events, delete) = (format!("/api/orders/{id}/events"), format!("DELETE /api/orders/{id}"));
    let (followed, first) = tokio::join!(shop.get(&events), shop.ask(&delete, &[]));
    assert_eq!((first.status.as_u16(), first.header("cache-control")), (200, "no-store"));
    let order = first.json();
    assert_eq!((&order["status"], &order["product"]), (&json!("cancelled"), &json!("lion")));
    assert!(order["finished_at"].as_str().unwrap() >= order["accepted_at"].as_str().unwrap());
    // The stream ends after a final status.
    assert!(followed.text().contains("id: cancelled\n"), "{}", followed.text());
    // Nothing changes it any more.
    shop.decide(Ok(Verdict::Success(None)));
    let other = shop.order("boat").await;
    assert_eq!(end_of(&shop, &other).await["status"], "success");
    let again = shop.ask(&delete, &[]).await;
    assert_eq!((again.status.as_u16(), again.json()), (200, order.clone()));
    assert_eq!(shop.get(&format!("/api/orders/{id}")).await.json(), order);
    let legacy = shop.get(&format!("/api/orders/?order_id={id}")).await;
    assert_eq!(legacy.text(), format!("order \"{id}\": Cancelled"));
}

#[tokio::test]
async fn an_order_that_will_never_change_may_be_kept_by_its_client_and_no_other() {
    let for_ever = "private, max-age=31536000, immutable";
    for (verdict, status, kept) in [
        (Ok(Verdict::Success(None)), "success", for_ever),
        (Ok(Verdict::Rejected(Reason::new("too large"))), "rejected", for_ever),
        // A redrive may mend it.
        (Err(ValidateError::Permanent(Reason::new("odd"))), "failed", "no-store"),
    ] {
        let shop = Shop::open().await;
        let id = shop.order("lion").await;
        let path = format!("/api/orders/{id}");
        let pending = shop.get(&path).await;
        assert_eq!(
            (pending.header("cache-control"), pending.headers.contains_key("etag")),
            ("no-store", false)
        );
        shop.decide(verdict);
        assert_eq!(end_of(&shop, &id).await["status"], status);
        let ended = shop.get(&path).await;
        assert_eq!(ended.header("cache-control"), kept, "{status}");
        assert_eq!(ended.headers.contains_key("etag"), kept == for_ever, "{status}");
        assert_eq!(shop.get(&format!("{path}?wait=9")).await.header("cache-control"), kept);
        if kept == for_ever {
            let known = format!("if-none-match: {}", ended.header("etag"));
            let again = shop.ask(&format!("GET {path}"), &[known.as_str()]).await;
            assert_eq!((again.status.as_u16(), again.body.len()), (304, 0));
            assert_eq!(
                (again.header("cache-control"), again.headers.contains_key("etag")),
                (kept, true)
            );
            let other = shop.ask(&format!("GET {path}"), &["if-none-match: \"1\""]).await;
            assert_eq!((other.status.as_u16(), other.json()), (200, ended.json()));
        }
    }
}

#[tokio::test]
async fn an_order_that_has_ended_in_another_way_cannot_be_cancelled() {
    for (verdict, status) in [
        (Ok(Verdict::Success(None)), "success"),
        (Ok(Verdict::Rejected(Reason::new("too large"))), "rejected"),
        (Err(ValidateError::Permanent(Reason::new("odd"))), "failed"),
    ] {
        let shop = Shop::open().await;
        shop.decide(verdict);
        let id = shop.order("lion").await;
        let ended = end_of(&shop, &id).await;
        let refused = shop.ask(&format!("DELETE /api/orders/{id}"), &[]).await;
        assert_eq!(refused.status, 409);
        assert_eq!(refused.header("content-type"), "application/problem+json");
        let problem = refused.json();
        assert_eq!(problem["type"], "urn:woodytoys:problem:already-ended");
        assert!(problem["detail"].as_str().unwrap().contains(status), "{problem}");
        assert_eq!(shop.get(&format!("/api/orders/{id}")).await.json(), ended);
    }
    let shop = Shop::open().await;
    assert_eq!(shop.ask(&format!("DELETE /api/orders/{NOBODY}"), &[]).await.status, 404);
}

#[tokio::test]
async fn a_placed_order_is_found_where_it_is_said_to_be() {
    let shop = Shop::open().await;
    let placed = shop.post("/api/orders", &json!({"product": " lion ", "quantity": 3})).await;
    assert_eq!(placed.status, 202);
    let receipt = placed.json();
    let id = receipt["order_id"].as_str().unwrap();
    assert_eq!(receipt, json!({"order_id": id, "status": "pending"}));
    assert_eq!(placed.header("location"), format!("/api/orders/{id}"));
    let order = shop.get(placed.header("location")).await.json();
    let accepted_at = order["accepted_at"].as_str().unwrap();
    assert!(accepted_at.ends_with('Z'), "{accepted_at}");
    assert_eq!(
        order,
        json!({"order_id": id, "product": "lion", "quantity": 3, "status": "pending",
               "accepted_at": accepted_at})
    );
    let unknown = shop.get(&format!("/api/orders/{NOBODY}")).await;
    assert_eq!((unknown.status.as_u16(), &unknown.json()["title"]), (404, &json!("Not found")));
}

#[tokio::test]
async fn a_double_submit_is_one_order_and_gets_one_answer() {
    let shop = Shop::open().await;
    let submit = |body: &str| {
        let headers = ["content-type: application/json", "idempotency-key: cart-42"];
        shop.send(request("POST /api/orders", &headers, body.to_owned()))
    };
    let first = submit(r#"{"product": "lion", "quantity": 1}"#).await;
    let again = submit(r#"{"quantity":1,"product":"lion "}"#).await;
    assert_eq!((first.status.as_u16(), first.header("idempotency-replayed")), (202, ""));
    assert_eq!((again.status.as_u16(), again.header("idempotency-replayed")), (202, "true"));
    assert_eq!(
        (again.body, again.headers.get("location")),
        (first.body, first.headers.get("location"))
    );
    let other = submit(r#"{"product": "lion", "quantity": 2}"#).await;
    assert_eq!(other.status, 422);
    assert_eq!(other.json()["type"], "urn:woodytoys:problem:key-reused");
    assert_eq!(other.json()["field"], "Idempotency-Key");
}

#[tokio::test]
async fn a_legacy_order_with_a_key_is_one_order_however_often_it_is_asked_for() {
    let shop = Shop::open().await;
    let ask = |product: &str| {
        let line = format!("GET /api/orders/do?order={product}");
        shop.send(request(&line, &["idempotency-key: gateway-1"], String::new()))
    };
    let (first, again) = (ask("lion").await, ask("lion").await);
    assert_eq!((first.status.as_u16(), first.text()), (200, again.text()));
    assert_eq!(ask("boat").await.status, 422);
}

#[tokio::test]
async fn an_order_belongs_to_the_trace_of_its_request() {
    let shop = Shop::open().await;
    let good = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let malformed = "00-nonsense";
    for (line, body) in [
        ("POST /api/orders", r#"{"product":"lion"}"#),
        ("POST /api/orders/batch", r#"[{"product":"lion"}]"#),
        ("GET /api/orders/do?order=lion", ""),
    ] {
        for (header, kept) in [(good, Some(good)), (malformed, None)] {
            let header = format!("traceparent: {header}");
            let headers = [header.as_str(), "content-type: application/json"];
            let placed = shop.send(request(line, &headers, body)).await;
            assert!(placed.status.is_success(), "{line}: {}", placed.text());
            let text = placed.text();
            let id = text
                .split(|c: char| !(c.is_ascii_hexdigit() || c == '-'))
                .find_map(|word| OrderId::parse(word).ok().filter(|_| word.len() == 36))
                .unwrap_or_else(|| panic!("{text}"));
            let order = shop.store.order(id).await.unwrap().unwrap();
            let trace = order.trace.map(|trace| trace.to_string());
            assert_eq!(trace.as_deref(), kept, "{line}");
        }
    }
}
