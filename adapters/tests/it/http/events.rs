use std::{fmt::Write, time::Duration};

use bytes::Bytes;
use http_body_util::{BodyExt, Empty};
use hyper::{Request, Response, body::Incoming, client::conn::http1};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::{io::AsyncWriteExt, net::TcpStream};
use woody_adapters::http::{ClientShare, Networks};
use woody_core::ports::Verdict;

use super::{
    client::{FOREVER, rest},
    shop::{Setup, Shop},
};

/// A stream that is read piece by piece.
pub(super) struct Stream {
    pub(super) response: Response<Incoming>,
    read: String,
}

impl Stream {
    async fn open(shop: &Shop, id: &str) -> Self {
        Self::of(shop, &format!("/api/orders/{id}/events"), None).await
    }

    /// Opens the stream at `uri`, after the event `last`.
    pub(super) async fn of(shop: &Shop, uri: &str, last: Option<&str>) -> Self {
        let stream = TcpStream::connect(shop.addr).await.unwrap();
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.unwrap();
        tokio::spawn(connection);
        let mut request = Request::get(uri).header("host", "localhost");
        if let Some(last) = last {
            request = request.header("last-event-id", last);
        }
        let request = request.body(Empty::<Bytes>::new()).unwrap();
        Self { response: sender.send_request(request).await.unwrap(), read: String::new() }
    }

    /// The next block, up to an empty line; none when the stream has ended.
    async fn block(&mut self) -> Option<String> {
        loop {
            if let Some((block, rest)) = self.read.split_once("\n\n") {
                let (block, rest) = (block.to_owned(), rest.to_owned());
                self.read = rest;
                return Some(block);
            }
            let frame = self.response.body_mut().frame();
            let frame = tokio::time::timeout(FOREVER, frame).await.unwrap()?.unwrap();
            let data = frame.into_data().unwrap();
            self.read.write_str(std::str::from_utf8(&data).unwrap()).unwrap();
        }
    }

    /// The next event, heartbeats passed over: its id and data.
    pub(super) async fn event(&mut self) -> Option<(String, Value)> {
        loop {
            let block = self.block().await?;
            if block.starts_with(':') || block.starts_with("retry:") {
                continue;
            }
            let lines: Vec<&str> = block.lines().collect();
            let [event, id, data] = lines[..] else { panic!("{block}") };
            assert_eq!(event, "event: status");
            let data = serde_json::from_str(data.strip_prefix("data: ").unwrap()).unwrap();
            return Some((id.strip_prefix("id: ").unwrap().to_owned(), data));
        }
    }
}

#[tokio::test]
async fn the_status_now_comes_first_then_each_change_then_the_end() {
    let shop = Shop::open().await;
    let id = shop.order("lion").await;
    let mut stream = Stream::open(&shop, &id).await;
    assert_eq!(stream.response.status(), 200);
    for (name, value) in [
        ("content-type", "text/event-stream"),
        ("cache-control", "no-store"),
        ("x-accel-buffering", "no"),
    ] {
        assert_eq!(stream.response.headers()[name], value);
    }
    assert_eq!(stream.block().await.as_deref(), Some("retry: 1000"));
    let (first_id, first) = stream.event().await.unwrap();
    assert_eq!((first_id.as_str(), &first["status"]), ("pending", &json!("pending")));
    shop.decide(Ok(Verdict::Success(None)));
    let (last_id, last) = stream.event().await.unwrap();
    assert_eq!((last_id.as_str(), &last["status"]), ("success", &json!("success")));
    assert_eq!(last, shop.get(&format!("/api/orders/{id}")).await.json());
    assert_eq!(stream.event().await, None);
    // A client that comes late gets the end at once.
    let mut late = Stream::open(&shop, &id).await;
    assert_eq!(late.event().await, Some((last_id, last)));
    assert_eq!(late.event().await, None);
}

#[tokio::test]
async fn who_has_seen_the_end_is_told_so_and_nobody_else() {
    let shop = Shop::open().await;
    let id = shop.order("lion").await;
    let path = format!("GET /api/orders/{id}/events");
    shop.decide(Ok(Verdict::Success(None)));
    let mut stream = Stream::open(&shop, &id).await;
    while stream.event().await.is_some() {}
    for _ in 0..2 {
        let again = shop.ask(&path, &["last-event-id: success"]).await;
        assert_eq!((again.status.as_u16(), again.text()), (204, ""));
    }
    for seen in ["pending", "", "failed", "7"] {
        let answer = shop.ask(&path, &[&format!("last-event-id: {seen}")]).await;
        assert_eq!(answer.status, 200, "{seen}");
        assert!(answer.text().contains("id: success\n"), "{seen}: {}", answer.text());
    }
    let unknown = "GET /api/orders/0192f0c1-2f3a-7c4d-8e5f-6a7b8c9d0e1f/events";
    assert_eq!(shop.ask(unknown, &["last-event-id: success"]).await.status, 404);
}

#[tokio::test]
async fn every_final_state_can_be_the_last_that_was_seen() {
    let shop = Shop::open().await;
    let reason = || woody_core::domain::Reason::new("no such wood");
    for (verdict, word) in [
        (Ok(Verdict::Rejected(reason())), "rejected"),
        (Ok(Verdict::Success(Some(reason()))), "success"),
    ] {
        shop.decide(verdict);
        let id = shop.order("lion").await;
        let mut stream = Stream::open(&shop, &id).await;
        let mut last = String::new();
        while let Some((id, _)) = stream.event().await {
            last = id;
        }
        assert_eq!(last, word);
        let path = format!("GET /api/orders/{id}/events");
        let again = shop.ask(&path, &[&format!("last-event-id: {last}")]).await;
        assert_eq!(again.status, 204, "{word}");
    }
}

#[tokio::test]
async fn one_address_cannot_take_all_streams() {
    let streams_per_client = ClientShare::of(2, Networks::default());
    let shop = Shop::with(Setup { streams_per_client, ..Setup::default() }).await;
    let id = shop.order("lion").await;
    let _first = Stream::open(&shop, &id).await;
    let second = Stream::open(&shop, &id).await;
    let refused = shop.get(&format!("/api/orders/{id}/events")).await;
    assert_eq!((refused.status.as_u16(), refused.header("retry-after")), (503, "5"));
    drop(second);
    let again = async {
        while Stream::open(&shop, &id).await.response.status() != 200 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(FOREVER, again).await.unwrap();
}

#[tokio::test]
async fn a_silent_stream_shows_that_it_lives() {
    let heartbeat = Duration::from_millis(50);
    let shop = Shop::with(Setup { heartbeat, ..Setup::default() }).await;
    let id = shop.order("lion").await;
    let mut stream = Stream::open(&shop, &id).await;
    stream.event().await.unwrap();
    for _ in 0..3 {
        assert_eq!(stream.block().await.as_deref(), Some(": still here"));
    }
}

#[tokio::test]
async fn streams_are_bounded_and_their_places_come_back() {
    let shop = Shop::with(Setup { streams: 1, ..Setup::default() }).await;
    let id = shop.order("lion").await;
    let first = Stream::open(&shop, &id).await;
    assert_eq!(first.response.status(), 200);
    let refused = shop.get(&format!("/api/orders/{id}/events")).await;
    assert_eq!((refused.status.as_u16(), refused.header("retry-after")), (503, "5"));
    drop(first);
    // The server learns of it by itself, soon.
    let again = async {
        while Stream::open(&shop, &id).await.response.status() != 200 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(FOREVER, again).await.unwrap();
}

#[tokio::test]
async fn an_unknown_order_has_no_stream_and_takes_no_place() {
    let shop = Shop::with(Setup { streams: 1, ..Setup::default() }).await;
    for _ in 0..3 {
        let unknown = shop.get("/api/orders/0192f0c1-2f3a-7c4d-8e5f-6a7b8c9d0e1f/events").await;
        assert_eq!((unknown.status.as_u16(), &unknown.json()["status"]), (404, &json!(404)));
    }
}

#[tokio::test]
async fn a_stream_is_the_last_response_of_its_connection() {
    let shop = Shop::open().await;
    let id = shop.order("lion").await;
    shop.decide(Ok(Verdict::Success(None)));
    for (version, is_chunked) in [("1.1", true), ("1.0", false)] {
        let mut stream = TcpStream::connect(shop.addr).await.unwrap();
        let asked =
            format!("GET /api/orders/{id}/events HTTP/{version}\r\nhost: localhost\r\n\r\n");
        stream.write_all(asked.as_bytes()).await.unwrap();
        let whole = rest(stream).await;
        let (head, body) = whole.split_once("\r\n\r\n").unwrap();
        assert!(head.contains("\r\nconnection: close"), "{head}");
        assert_eq!(head.contains("\r\ntransfer-encoding: chunked"), is_chunked, "{head}");
        assert_eq!(body.starts_with("retry: 1000\n\n"), !is_chunked, "{body}");
        assert_eq!(body.ends_with("\n\n\r\n0\r\n\r\n"), is_chunked, "{body}");
        assert!(body.contains("id: success\n"), "{body}");
    }
}

#[tokio::test]
async fn whoever_asks_for_the_head_takes_no_place() {
    let shop = Shop::with(Setup { streams: 1, ..Setup::default() }).await;
    let id = shop.order("lion").await;
    let mut seen = Vec::new();
    for _ in 0..3 {
        let head = shop.ask(&format!("HEAD /api/orders/{id}/events"), &[]).await;
        seen.push((head.status.as_u16(), head.text().len()));
    }
    assert_eq!(seen, [(200, 0); 3]);
}
