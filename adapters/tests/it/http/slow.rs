use std::time::Duration;

use serde_json::json;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpSocket, TcpStream},
};
use woody_adapters::http::{
    AnswerBudget, BodyBudget, BodyLimits, ClientShare, ConcurrencyLimit, ServerLimits,
    ServiceSettings,
};

use super::{
    client::{FOREVER, raw, request, rest},
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
    let announced = "POST /api/orders HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n\
                     content-length: 10000000000\r\nexpect: 100-continue\r\n\r\n";
    let answer = raw(shop.addr, announced.as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 413"), "{answer}");

    let chunk = format!("{:x}\r\n{}\r\n", 16 * 1024, " ".repeat(16 * 1024));
    let chunked = format!(
        "POST /api/orders HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n\
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
    let body = BodyLimits { timeout: SHORT, ..BodyLimits::default() };
    let settings = ServiceSettings { body, ..ServiceSettings::default() };
    let shop = Shop::with(Setup { settings, ..Setup::default() }).await;
    let begun = "POST /api/orders HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n\
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
    let begun = "POST /api/orders HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n\
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
    assert_eq!(raw(shop.addr, b"GET /api/ping HTTP/1.1\r\nhost: localhost\r\nx-slow").await, "");
    assert_eq!(raw(shop.addr, b"").await, "");
    let answered = raw(shop.addr, b"GET /api/ping HTTP/1.1\r\nhost: localhost\r\n\r\n").await;
    assert!(answered.ends_with("ping"), "{answered}");
}

/// Sends the head of an order and the first bytes of its body.
async fn begin_order(shop: &Shop, begun: &[u8]) -> TcpStream {
    let mut stream = TcpStream::connect(shop.addr).await.unwrap();
    let head = "POST /api/orders HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n\
                content-length: 60000\r\n\r\n";
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(begun).await.unwrap();
    stream
}

#[tokio::test]
async fn slow_bodies_take_no_place_from_requests_that_are_whole() {
    let settings =
        ServiceSettings { concurrency: ConcurrencyLimit::new(1), ..ServiceSettings::default() };
    let shop = Shop::with(Setup { settings, ..Setup::default() }).await;
    let mut dawdlers = Vec::new();
    for _ in 0..20 {
        dawdlers.push(begin_order(&shop, b"{").await);
    }
    for _ in 0..20 {
        assert_eq!(shop.post("/api/orders", &json!({"product": "lion"})).await.status, 202);
        assert_eq!(shop.get("/api/ping").await.status, 200);
    }
}

#[tokio::test]
async fn past_the_budget_the_slowest_body_gives_way_and_others_are_read() {
    let settings =
        ServiceSettings { bodies: BodyBudget::new(100 * 1024), ..ServiceSettings::default() };
    let shop = Shop::with(Setup { settings, ..Setup::default() }).await;
    let most = " ".repeat(50_000);
    let slowest = begin_order(&shop, most.as_bytes()).await;
    let later = begin_order(&shop, most.as_bytes()).await;
    let latest = begin_order(&shop, most.as_bytes()).await;
    // Two fit; by the time that the third is here the first has gone.
    let told = rest(slowest).await;
    assert!(told.starts_with("HTTP/1.1 503") && told.contains("retry-after: 1"), "{told}");
    assert!(told.contains("connection: close"), "{told}");
    for mut whole in [later, latest] {
        let order = format!("{{\"product\": \"lion\"}}{}", " ".repeat(10_000));
        whole.write_all(&order.as_bytes()[..10_000]).await.unwrap();
        whole.shutdown().await.unwrap();
        let answer = rest(whole).await;
        assert!(answer.starts_with("HTTP/1.1 202"), "{answer}");
    }
}

#[tokio::test]
async fn a_head_that_dawdles_gives_way_to_requests_too() {
    let settings =
        ServiceSettings { bodies: BodyBudget::new(4 * 1024), ..ServiceSettings::default() };
    let hour = Duration::from_hours(1);
    let server = ServerLimits { stall: hour, head_timeout: hour, ..ServerLimits::default() };
    let shop = Shop::with(Setup { settings, server, ..Setup::default() }).await;
    let long =
        format!("POST /api/orders HTTP/1.1\r\nhost: localhost\r\nx-long: {}", "x".repeat(3_000));
    let mut heads = Vec::new();
    for _ in 0..2 {
        let mut stream = TcpStream::connect(shop.addr).await.unwrap();
        stream.write_all(long.as_bytes()).await.unwrap();
        heads.push(stream);
    }
    let younger = heads.pop().unwrap();
    assert_eq!(rest(heads.pop().unwrap()).await, "", "there is nothing yet that could be answered");
    drop(younger);
    assert_eq!(shop.post("/api/orders", &json!({"product": "lion"})).await.status, 202);
}

#[tokio::test]
async fn a_request_is_answered_in_whatever_pieces_it_comes() {
    let shop = Shop::open().await;
    let order = "POST /api/orders HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n\
                 content-length: 19\r\n\r\n{\"product\": \"lion\"}";
    let ping = "GET /api/ping HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";
    let both = [order, ping].concat();
    for piece in [1, 7, 61, both.len()] {
        let mut stream = TcpStream::connect(shop.addr).await.unwrap();
        stream.set_nodelay(true).unwrap();
        for piece in both.as_bytes().chunks(piece) {
            stream.write_all(piece).await.unwrap();
            tokio::task::yield_now().await;
        }
        let answers = rest(stream).await;
        assert!(answers.starts_with("HTTP/1.1 202"), "{answers}");
        assert!(answers.ends_with("ping"), "{answers}");
    }
}

#[tokio::test]
async fn a_client_that_takes_nothing_of_its_answer_is_cut_off() {
    let server = ServerLimits { stall: SHORT, ..ServerLimits::default() };
    let shop = Shop::with(Setup { server, ..Setup::default() }).await;
    // Its system keeps little for it, and ours little of what it does not take.
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4 * 1024).unwrap();
    let mut stream = socket.connect(shop.addr).await.unwrap();
    let many = "GET /shop.js HTTP/1.1\r\nhost: localhost\r\n\r\n".repeat(2_000);
    // The server stops reading when it cannot write, and closes then.
    let cut_off = async {
        let _ = stream.write_all(many.as_bytes()).await;
        stream.writable().await.unwrap();
        while stream.write_all(b"\r\n").await.is_ok() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(FOREVER, cut_off).await.expect("it was never cut off");
}

#[tokio::test]
async fn a_request_that_does_not_go_on_is_given_up_and_a_pause_between_requests_is_not() {
    let server = ServerLimits { stall: SHORT, ..ServerLimits::default() };
    let shop = Shop::with(Setup { server, ..Setup::default() }).await;
    assert_eq!(raw(shop.addr, b"GET /api/ping HTTP/1.1\r\nho").await, "");
    let mut idle = TcpStream::connect(shop.addr).await.unwrap();
    let asked = b"GET /api/ping HTTP/1.1\r\nhost: localhost\r\n\r\n";
    let mut answer = [0; 1024];
    for _ in 0..2 {
        idle.write_all(asked).await.unwrap();
        let read = idle.read(&mut answer).await.unwrap();
        assert!(answer[..read].ends_with(b"ping"));
        // Longer than it may keep still in the middle of something.
        assert_eq!(raw(shop.addr, b"GET /api/ping HTTP/1.1\r\nho").await, "");
    }
}

#[tokio::test]
async fn large_answers_are_bounded_and_small_ones_go_on() {
    let settings = ServiceSettings { answers: AnswerBudget::new(1), ..ServiceSettings::default() };
    let shop = Shop::with(Setup { settings, ..Setup::default() }).await;
    let parts: Vec<_> = (0..200)
        .map(|i| json!({"name": format!("{}{i}", "p".repeat(190)), "width_mm": 9, "height_mm": 9}))
        .collect();
    let added = shop.post("/api/products", &json!({"name": "large", "parts": parts})).await;
    assert_eq!(added.status, 201, "what has changed something is answered");
    let refused = shop.get("/api/products").await;
    assert_eq!((refused.status.as_u16(), refused.header("retry-after")), (503, "1"));
    assert_eq!(shop.post("/api/orders", &json!({"product": "lion"})).await.status, 202);
    assert_eq!(shop.get("/shop.js").await.status, 200, "what all are sent is in memory once");
}

#[tokio::test]
async fn one_address_cannot_take_all_connections() {
    let per_client = ClientShare::of(2, "10.0.0.0/8".parse().unwrap());
    let server = ServerLimits { per_client, ..ServerLimits::default() };
    let shop = Shop::with(Setup { server, ..Setup::default() }).await;
    let hello = b"GET /api/ping HTTP/1.1\r\nhost: localhost\r\n\r\n";
    let mut held = Vec::new();
    for _ in 0..2 {
        let mut stream = TcpStream::connect(shop.addr).await.unwrap();
        stream.write_all(hello).await.unwrap();
        stream.read_u8().await.unwrap();
        held.push(stream);
    }
    let refused = raw(shop.addr, hello).await;
    assert!(refused.starts_with("HTTP/1.1 503") && refused.contains("retry-after"), "{refused}");
    assert!(refused.ends_with("Too many connections from this address."), "{refused}");
    // 127.0.0.2 is this machine too, and another client.
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.2:0".parse().unwrap()).unwrap();
    let mut other = socket.connect(shop.addr).await.unwrap();
    other.write_all(b"GET /api/ping HTTP/1.0\r\n\r\n").await.unwrap();
    assert!(rest(other).await.ends_with("ping"));
}
