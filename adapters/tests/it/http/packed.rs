//! Responses that are packed on their way, for clients that read gzip.

use std::io::Read as _;

use flate2::read::GzDecoder;
use serde_json::json;
use woody_adapters::http::ServiceSettings;
use woody_core::ports::Verdict;

use super::{
    client::Answer,
    shop::{Setup, Shop},
};

const READS_GZIP: &str = "accept-encoding: br, gzip;q=0.9";

fn unpacked(answer: &Answer) -> Vec<u8> {
    let mut plain = Vec::new();
    GzDecoder::new(&*answer.body).read_to_end(&mut plain).unwrap();
    plain
}

fn varies(answer: &Answer) -> bool {
    answer.headers.get_all("vary").iter().any(|told| told == "accept-encoding")
}

async fn packed(shop: &Shop, path: &str) -> Answer {
    shop.ask(&format!("GET {path}"), &[READS_GZIP]).await
}

/// A shop with more products than 1 KiB can tell of.
async fn with_products() -> Shop {
    let shop = Shop::open().await;
    for nth in 0..20 {
        shop.post("/api/products", &json!({"name": format!("kite {nth}")})).await;
    }
    shop
}

#[tokio::test]
async fn text_is_packed_for_those_who_read_gzip_and_is_the_same_text() {
    let shop = with_products().await;
    for path in [
        "/style.css",
        "/shop/orders.js",
        "/docs",
        "/openapi.json",
        "/asyncapi.json",
        "/api/products",
        "/api/misc/heavy?name=lion",
    ] {
        let headers = ["accept: application/json, text/html, */*"];
        let plain = shop.ask(&format!("GET {path}"), &headers).await;
        let packed = shop.ask(&format!("GET {path}"), &[headers[0], READS_GZIP]).await;
        assert_eq!((plain.status.as_u16(), packed.status.as_u16()), (200, 200), "{path}");
        assert!(!plain.headers.contains_key("content-encoding"), "{path}");
        assert_eq!(packed.header("content-encoding"), "gzip", "{path}");
        assert!(varies(&plain) && varies(&packed), "{path}: {packed:?}");
        assert!(packed.body.len() < plain.body.len() / 2, "{path}");
        assert_eq!(unpacked(&packed), plain.body, "{path}");
        assert_eq!(packed.header("etag"), plain.header("etag"), "{path}");
        assert_eq!(packed.header("content-length"), packed.body.len().to_string(), "{path}");

        let head = shop.ask(&format!("HEAD {path}"), &[headers[0], READS_GZIP]).await;
        for name in ["content-type", "content-length", "content-encoding", "etag"] {
            assert_eq!(head.header(name), packed.header(name), "{path}: {name}");
        }
        assert!(varies(&head) && head.body.is_empty(), "{path}");
    }
}

#[tokio::test]
async fn a_copy_of_either_form_is_known_by_its_tag() {
    let shop = Shop::open().await;
    let first = packed(&shop, "/style.css").await;
    assert!(first.header("etag").starts_with("W/\""), "the text is the same, the bytes are not");
    let known = format!("if-none-match: {}", first.header("etag"));
    for headers in [&[&*known, READS_GZIP][..], &[&*known]] {
        let again = shop.ask("GET /style.css", headers).await;
        assert_eq!((again.status.as_u16(), again.body.len()), (304, 0));
        assert_eq!(again.header("etag"), first.header("etag"));
        assert!(varies(&again) && !again.headers.contains_key("content-encoding"));
    }
}

#[tokio::test]
async fn an_order_is_never_packed_and_neither_is_what_its_clients_wait_for() {
    let shop = Shop::open().await;
    let headers = ["content-type: application/json", READS_GZIP];
    let request = super::client::request("POST /api/orders", &headers, r#"{"product":"kite"}"#);
    let placed = shop.send(request).await;
    assert_eq!(placed.status, 202);
    let id = placed.json()["order_id"].as_str().unwrap().to_owned();
    shop.decide(Ok(Verdict::Success(None)));
    let events = packed(&shop, &format!("/api/orders/{id}/events")).await;
    assert!(events.text().contains("event: success") || events.text().contains("success"));
    let ended = packed(&shop, &format!("/api/orders/{id}")).await;
    for answer in [placed, events, ended] {
        assert!(!answer.headers.contains_key("content-encoding"), "{answer:?}");
        assert!(!varies(&answer), "{answer:?}");
    }
}

#[tokio::test]
async fn a_batch_of_many_orders_is_packed() {
    let shop = Shop::open().await;
    let orders: Vec<_> = (0..50).map(|nth| json!({"product": format!("kite {nth}")})).collect();
    let headers = ["content-type: application/json", READS_GZIP];
    let body = json!(orders).to_string();
    let answer = shop.send(super::client::request("POST /api/orders/batch", &headers, body)).await;
    assert_eq!((answer.status.as_u16(), answer.header("content-encoding")), (200, "gzip"));
    let items: serde_json::Value = serde_json::from_slice(&unpacked(&answer)).unwrap();
    assert_eq!(items.as_array().unwrap().len(), 50);
}

#[tokio::test]
async fn switched_off_nothing_is_packed() {
    let settings = ServiceSettings { compression: false, ..ServiceSettings::default() };
    let shop = Shop::with(Setup { settings, ..Setup::default() }).await;
    let plain = packed(&shop, "/openapi.json").await;
    assert_eq!(plain.status, 200);
    assert!(!plain.headers.contains_key("content-encoding"));
}
