use std::time::Duration;

use tokio::{io::AsyncWriteExt, net::TcpStream};
use woody_adapters::http::{BodyLimits, ServerLimits, StackSettings};

use super::{
    client::{raw, request, rest},
    shop::{Setup, Shop},
};

const SHORT: Duration = Duration::from_millis(200);

#[tokio::test]
async fn a_body_that_is_too_large_is_refused_whether_announced_or_not() {
    let shop = Shop::open().await;
    let json = ["content-type: application/json"];
    let name = "x".repeat(64 * 1024);
    let answer =
        shop.send(request("POST /api/products", &json, format!("{{\"name\": \"{name}\"}}"))).await;
    assert_eq!(answer.status, 413);
    assert_eq!(answer.json()["type"], "urn:woodytoys:problem:body-too-large");

    // Announced and never sent: the answer does not wait for it.
    let announced = "POST /api/orders HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n\
                     content-length: 10000000000\r\nexpect: 100-continue\r\n\r\n";
    let answer = raw(shop.addr, announced.as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 413"), "{answer}");

    let chunk = format!("{:x}\r\n{}\r\n", 16 * 1024, " ".repeat(16 * 1024));
    let chunked = format!(
        "POST /api/orders HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n\
         transfer-encoding: chunked\r\n\r\n{}0\r\n\r\n",
        chunk.repeat(5)
    );
    let answer = raw(shop.addr, chunked.as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 413"), "{answer}");
    assert!(shop.is_untouched().await);
}

#[tokio::test]
async fn a_body_of_just_the_limit_is_read() {
    let shop = Shop::open().await;
    let json = ["content-type: application/json"];
    let order = r#"{"product": "lion"}"#;
    let body = order.to_owned() + &" ".repeat(64 * 1024 - order.len());
    assert_eq!(shop.send(request("POST /api/orders", &json, body)).await.status, 202);
}

#[tokio::test]
async fn a_slow_body_is_not_waited_for() {
    let body = BodyLimits { patience: SHORT, ..BodyLimits::default() };
    let settings = StackSettings { body, ..StackSettings::default() };
    let shop = Shop::with(Setup { settings, ..Setup::default() }).await;
    let begun = "POST /api/orders HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n\
                 content-length: 100\r\n\r\n{\"product\":";
    let answer = raw(shop.addr, begun.as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 408"), "{answer}");
    assert!(answer.contains("connection: close"), "{answer}");
    assert!(shop.is_untouched().await);
}

#[tokio::test]
async fn a_body_that_breaks_off_places_nothing() {
    let shop = Shop::open().await;
    let mut stream = TcpStream::connect(shop.addr).await.unwrap();
    let begun = "POST /api/orders HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n\
                 content-length: 19\r\n\r\n{\"product\":";
    stream.write_all(begun.as_bytes()).await.unwrap();
    stream.shutdown().await.unwrap();
    let answer = rest(stream).await;
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 400"), "{answer}");
    assert!(shop.is_untouched().await);
}

#[tokio::test]
async fn a_slow_head_and_an_idle_connection_are_closed() {
    let server = ServerLimits { head_timeout: SHORT, ..ServerLimits::default() };
    let shop = Shop::with(Setup { server, ..Setup::default() }).await;
    assert_eq!(raw(shop.addr, b"GET /api/ping HTTP/1.1\r\nhost: x\r\nx-slow").await, "");
    assert_eq!(raw(shop.addr, b"").await, "");
    let answered = raw(shop.addr, b"GET /api/ping HTTP/1.1\r\nhost: x\r\n\r\n").await;
    assert!(answered.ends_with("ping"), "{answered}");
}
