use std::net::SocketAddr;

use serde_json::json;
use tokio::{io::AsyncWriteExt, net::TcpStream};
use woody_adapters::http::{GatewayLimits, Networks, RateStatus};

use super::{
    client::{Answer, rest},
    shop::{Setup, Shop},
};

/// Sends so many requests at once, on one connection, and counts the answers
/// that were 200.
async fn served(addr: SocketAddr, path: &str, requests: usize) -> usize {
    let mut stream = TcpStream::connect(addr).await.unwrap();
    let one = format!("GET {path} HTTP/1.1\r\nhost: localhost\r\n");
    let all = format!("{one}\r\n").repeat(requests - 1) + &one + "connection: close\r\n\r\n";
    stream.write_all(all.as_bytes()).await.unwrap();
    let answers = rest(stream).await;
    assert_eq!(answers.matches("HTTP/1.1 ").count(), requests, "{answers}");
    answers.matches("HTTP/1.1 200").count()
}

fn has(answer: &Answer, header: &str) -> bool {
    answer.headers.contains_key(header)
}

/// A shop that gives back one request a second: slow enough to count at once.
async fn limited(exempt: Networks) -> Shop {
    let limits = GatewayLimits { exempt, ..GatewayLimits::at(std::num::NonZeroU32::MIN) };
    Shop::with(Setup { limits, ..Setup::default() }).await
}

#[tokio::test]
async fn each_service_has_its_own_burst() {
    let shop = limited(Networks::default()).await;
    for (path, at_once) in
        [("/api/misc/time", 21), ("/api/products", 6), ("/api/orders/do?order=a", 3)]
    {
        let served = served(shop.addr, path, 40).await;
        // One more may have come back while they were served.
        assert!((at_once..=at_once + 1).contains(&served), "{path}: {served}");
    }
    assert_eq!(served(shop.addr, "/style.css", 100).await, 100, "the page is not limited");
    assert_eq!(served(shop.addr, "/openapi.json", 40).await, 40);
}

#[tokio::test]
async fn past_the_burst_the_answer_is_the_original_one_to_the_letter() {
    let shop = limited(Networks::default()).await;
    served(shop.addr, "/api/orders?order_id=x", 10).await;
    for path in ["/api/orders?order_id=x", "/api/orders/x/events"] {
        let answer = shop.ask(&format!("GET {path}"), &["x-forwarded-for: 10.9.8.7"]).await;
        assert_eq!(answer.status, 503, "{path}");
        assert_eq!(answer.header("content-type"), "application/json");
        assert_eq!(answer.header("retry-after"), "1");
        assert_eq!(
            answer.text(),
            r#"{"error": "Rate limit exceeded", "message": "Too many requests", "status": 503}"#
        );
    }
}

#[tokio::test]
async fn with_429_a_client_is_told_where_it_stands_before_it_is_refused() {
    let limits = GatewayLimits {
        status: RateStatus::TooManyRequests,
        ..GatewayLimits::at(std::num::NonZeroU32::MIN)
    };
    let shop = Shop::with(Setup { limits, ..Setup::default() }).await;
    let standing = |answer: &Answer| {
        ["ratelimit-policy", "ratelimit"].map(|name| answer.header(name).to_owned())
    };
    let placed = shop.post("/api/orders", &json!({"product": "kite"})).await;
    assert_eq!(placed.status, 202);
    assert_eq!(standing(&placed), [r#""orders";q=3;w=3"#, r#""orders";r=2;t=1"#]);
    let failed = shop.get("/api/products/x").await;
    assert_eq!(failed.status, 422, "what fails is told of, too");
    assert_eq!(standing(&failed), [r#""products";q=6;w=6"#, r#""products";r=5;t=1"#]);
    for path in ["/api/misc/time", "/api/products/last", "/style.css"] {
        let answer = shop.get(path).await;
        assert_eq!(answer.status, 200, "{path}");
        assert!(!has(&answer, "ratelimit") && !has(&answer, "ratelimit-policy"), "{path}");
    }

    served(shop.addr, "/api/orders?order_id=x", 20).await;
    let refused = shop.get("/api/orders/x").await;
    assert_eq!(standing(&refused), [r#""orders";q=3;w=3"#, r#""orders";r=0;t=1"#]);
    let legacy = shop.get("/api/orders?order_id=x").await;
    assert!(!has(&legacy, "ratelimit"), "a route of the original system");
    for answer in [refused, legacy] {
        assert_eq!(answer.status, 429);
        assert_eq!(answer.header("content-type"), "application/problem+json");
        assert_eq!(answer.header("retry-after"), "1");
        let problem = answer.json();
        assert_eq!(problem["type"], "urn:woodytoys:problem:rate-limited");
        assert_eq!(problem["status"], 429);
    }
}

#[tokio::test]
async fn who_has_no_limit_is_told_of_none() {
    let limits = GatewayLimits {
        status: RateStatus::TooManyRequests,
        exempt: "127.0.0.1".parse().unwrap(),
        ..GatewayLimits::default()
    };
    let shop = Shop::with(Setup { limits, ..Setup::default() }).await;
    assert!(!has(&shop.get("/api/products").await, "ratelimit"));
    let shop = limited(Networks::default()).await;
    assert!(!has(&shop.get("/api/products").await, "ratelimit"), "nor where the status is 503");
}

#[tokio::test]
async fn an_exempt_address_has_no_limit() {
    for exempt in ["127.0.0.1", "127.0.0.0/8", "192.0.2.7, 127.0.0.0/8", "0.0.0.0/0"] {
        let shop = limited(exempt.parse().unwrap()).await;
        assert_eq!(served(shop.addr, "/api/products", 100).await, 100, "{exempt}");
    }
    let shop = limited("10.0.0.0/8".parse().unwrap()).await;
    assert!(served(shop.addr, "/api/products", 100).await < 100);
}
