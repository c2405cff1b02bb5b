//! A small HTTP client.

use std::{io, net::SocketAddr, time::Duration};

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::{HeaderMap, Request};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use crate::waiting::until;

/// What a service answered.
#[derive(Debug)]
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The whole body.
    pub body: Bytes,
}

impl Answer {
    /// Returns the body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// Returns the body as JSON; fails where it is none.
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|_| panic!("no JSON: {}", self.text()))
    }
}

/// Sends one request on a connection of its own.
pub async fn send(address: SocketAddr, request: Request<Full<Bytes>>) -> io::Result<Answer> {
    let exchange = async {
        let stream = TcpStream::connect(address).await?;
        let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
            .await
            .map_err(io::Error::other)?;
        let driving = tokio::spawn(connection);
        let response = sender.send_request(request).await.map_err(io::Error::other)?;
        let (head, body) = response.into_parts();
        let body = body.collect().await.map_err(io::Error::other)?.to_bytes();
        driving.abort();
        Ok(Answer { status: head.status.as_u16(), headers: head.headers, body })
    };
    tokio::time::timeout(Duration::from_secs(30), exchange)
        .await
        .unwrap_or_else(|_| Err(io::Error::other("no response within 30 s")))
}

/// Asks for a path.
pub async fn get(address: SocketAddr, path: &str) -> io::Result<Answer> {
    let request = Request::get(path).header("host", "localhost").body(Full::default()).unwrap();
    send(address, request).await
}

/// Sends JSON, under an idempotency key if there is one.
pub async fn post(
    address: SocketAddr,
    path: &str,
    key: Option<&str>,
    body: &serde_json::Value,
) -> io::Result<Answer> {
    let mut request =
        Request::post(path).header("host", "localhost").header("content-type", "application/json");
    if let Some(key) = key {
        request = request.header("idempotency-key", key);
    }
    send(address, request.body(Full::from(body.to_string())).unwrap()).await
}

/// Places an order and answers the id that was promised.
pub async fn place(address: SocketAddr, product: &str) -> String {
    let order = serde_json::json!({ "product": product });
    let answer = post(address, "/api/orders", None, &order).await.unwrap();
    assert_eq!(answer.status, 202, "{}", answer.text());
    answer.json()["order_id"].as_str().unwrap().to_owned()
}

/// Places orders together and answers the ids that were promised.
pub async fn place_all(address: SocketAddr, orders: &serde_json::Value) -> Vec<String> {
    let answer = post(address, "/api/orders/batch", None, orders).await.unwrap();
    assert_eq!(answer.status, 200, "{}", answer.text());
    let items = answer.json();
    let ids = items.as_array().unwrap().iter().map(|item| {
        assert_eq!(item["status"], 202, "{item}");
        item["order"]["order_id"].as_str().unwrap().to_owned()
    });
    ids.collect()
}

/// The order's status now, if the service knows it.
pub async fn status(address: SocketAddr, id: &str) -> Option<String> {
    let answer = get(address, &format!("/api/orders/{id}")).await.ok()?;
    (answer.status == 200).then(|| answer.json()["status"].as_str().unwrap().to_owned())
}

/// Waits until the order has ended, and answers how.
pub async fn ended(address: SocketAddr, id: &str) -> String {
    let mut last = None;
    until("the order has ended", async || {
        last = status(address, id).await;
        last.as_deref().is_some_and(|status| status != "pending")
    })
    .await;
    last.unwrap()
}
