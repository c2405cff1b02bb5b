//! Clients that wait for one order to end.

use std::time::Duration;

use serde_json::json;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use woody_adapters::http::{ConcurrencyLimit, Drained, ServiceSettings};
use woody_core::ports::Verdict;

use super::{
    client::{FOREVER, rest},
    shop::{Setup, Shop},
};

const NOBODY: &str = "0192f0c1-2f3a-7c4d-8e5f-6a7b8c9d0e1f";

/// A client that waits: the head of its response is there.
struct Waiter {
    stream: TcpStream,
    head: String,
}

impl Waiter {
    async fn of(shop: &Shop, id: &str) -> Self {
        let mut stream = TcpStream::connect(shop.addr).await.unwrap();
        let asked = format!("GET /api/orders/{id}?wait=60 HTTP/1.1\r\nhost: localhost\r\n\r\n");
        stream.write_all(asked.as_bytes()).await.unwrap();
        let (mut head, mut byte) = (Vec::new(), [0]);
        while !head.ends_with(b"\r\n\r\n") {
            let read = tokio::time::timeout(FOREVER, stream.read_exact(&mut byte)).await;
            read.expect("the response begins at once").unwrap();
            head.push(byte[0]);
        }
        Self { stream, head: String::from_utf8(head).unwrap() }
    }

    /// What comes: the chunks put together.
    async fn json(self) -> serde_json::Value {
        let body = rest(self.stream).await;
        let lines: Vec<&str> = body.split("\r\n").collect();
        // A size, a piece, and so on, to a size of nothing.
        let whole: String = lines.chunks(2).map_while(|pair| pair.get(1).copied()).collect();
        assert!(body.ends_with("0\r\n\r\n"), "{body}");
        serde_json::from_str(&whole).unwrap_or_else(|_| panic!("{body}"))
    }
}

#[tokio::test]
async fn who_waits_is_shown_the_order_once_it_has_ended() {
    let shop = Shop::open().await;
    let id = shop.order("lion").await;
    let waiter = Waiter::of(&shop, &id).await;
    assert!(waiter.head.starts_with("HTTP/1.1 200"), "{}", waiter.head);
    for header in ["content-type: application/json", "cache-control: no-store"] {
        assert!(waiter.head.contains(header), "{}", waiter.head);
    }
    shop.decide(Ok(Verdict::Success(None)));
    let shown = waiter.json().await;
    assert_eq!(shown["status"], "success");
    assert_eq!(shown, shop.get(&format!("/api/orders/{id}")).await.json());
}

#[tokio::test]
async fn an_order_that_is_cancelled_has_ended() {
    let shop = Shop::open().await;
    let id = shop.order("lion").await;
    let waiter = Waiter::of(&shop, &id).await;
    assert_eq!(shop.ask(&format!("DELETE /api/orders/{id}"), &[]).await.status, 200);
    assert_eq!(waiter.json().await["status"], "cancelled");
}

#[tokio::test]
async fn who_has_waited_long_enough_is_shown_the_order_as_it_is() {
    let shop = Shop::open().await;
    let id = shop.order("lion").await;
    let now = shop.get(&format!("/api/orders/{id}")).await.json();
    for wait in ["0", "1"] {
        let shown = shop.get(&format!("/api/orders/{id}?wait={wait}")).await;
        assert_eq!((shown.status.as_u16(), shown.json()), (200, now.clone()), "{wait}");
    }
}

#[tokio::test]
async fn an_order_that_has_ended_is_shown_at_once_and_takes_no_place() {
    let shop = Shop::with(Setup { streams: 0, ..Setup::default() }).await;
    let id = shop.order("lion").await;
    let path = format!("/api/orders/{id}?wait=60");
    let refused = shop.get(&path).await;
    assert_eq!((refused.status.as_u16(), refused.header("retry-after")), (503, "5"));
    assert_eq!(shop.ask(&format!("DELETE /api/orders/{id}"), &[]).await.status, 200);
    let shown = shop.get(&path).await;
    assert_eq!((shown.status.as_u16(), &shown.json()["status"]), (200, &json!("cancelled")));
    assert_eq!(shown.header("connection"), "", "a response like any");
    assert_eq!(shop.get(&format!("/api/orders/{NOBODY}?wait=60")).await.status, 404);
}

#[tokio::test]
async fn who_waits_holds_no_place_of_a_request_and_is_not_cut_off() {
    let settings = ServiceSettings {
        concurrency: ConcurrencyLimit::new(1),
        request_timeout: Duration::from_millis(500),
        ..ServiceSettings::default()
    };
    let shop = Shop::with(Setup { settings, ..Setup::default() }).await;
    let id = shop.order("lion").await;
    let mut waiters = Vec::new();
    for _ in 0..20 {
        waiters.push(Waiter::of(&shop, &id).await);
    }
    // Longer than a request may take.
    let over = shop.get(&format!("/api/orders/{id}?wait=1")).await;
    assert_eq!((over.status.as_u16(), &over.json()["status"]), (200, &json!("pending")));
    shop.decide(Ok(Verdict::Success(None)));
    for waiter in waiters {
        assert_eq!(waiter.json().await["status"], "success");
    }
}

#[tokio::test]
async fn who_waits_does_not_hold_up_the_end_and_is_shown_the_order_as_it_is() {
    let shop = Shop::open().await;
    let id = shop.order("lion").await;
    let waiter = Waiter::of(&shop, &id).await;
    assert_eq!(shop.close().await, Drained::Clean);
    assert_eq!(waiter.json().await["status"], "pending");
}

#[tokio::test]
async fn the_place_of_a_client_that_leaves_comes_back() {
    let shop = Shop::with(Setup { streams: 1, ..Setup::default() }).await;
    let id = shop.order("lion").await;
    let waiter = Waiter::of(&shop, &id).await;
    assert!(Waiter::of(&shop, &id).await.head.starts_with("HTTP/1.1 503"));
    drop(waiter);
    // The server learns of it by itself, soon.
    let again = async {
        while !Waiter::of(&shop, &id).await.head.starts_with("HTTP/1.1 200") {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(FOREVER, again).await.unwrap();
}

#[tokio::test]
async fn spaces_show_that_an_order_is_still_awaited() {
    let heartbeat = Duration::from_millis(20);
    let shop = Shop::with(Setup { heartbeat, ..Setup::default() }).await;
    let id = shop.order("lion").await;
    let mut waiter = Waiter::of(&shop, &id).await;
    let mut spaces = [0; 12];
    waiter.stream.read_exact(&mut spaces).await.unwrap();
    assert_eq!(&spaces, b"1\r\n \r\n1\r\n \r\n");
    shop.decide(Ok(Verdict::Success(None)));
    assert_eq!(waiter.json().await["status"], "success");
}
