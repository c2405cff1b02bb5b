//! The page's files as the shop serves them, with tests beside them under the same policy.

use std::{convert::Infallible, net::SocketAddr, sync::Arc};

use bytes::Bytes;
use http_body_util::Full;
use hyper::{Request, Response, body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;

use super::super::{client::Answer, shop::Shop};

const TESTS: [(&str, &str); 12] = [
    ("harness.js", include_str!("harness.js")),
    ("api.js", include_str!("api.js")),
    ("follow.js", include_str!("follow.js")),
    ("form.js", include_str!("form.js")),
    ("kept.js", include_str!("kept.js")),
    ("order.js", include_str!("order.js")),
    ("orders.js", include_str!("orders.js")),
    ("products.js", include_str!("products.js")),
    ("plan.js", include_str!("plan.js")),
    ("send.js", include_str!("send.js")),
    ("toys.js", include_str!("toys.js")),
    ("words.js", include_str!("words.js")),
];
const PAGE: &str = r#"<!doctype html><meta charset="utf-8"><script type="module" src="/test/harness.js"></script>"#;

/// Serves the shop's files, and at `/test/` the tests.
pub(super) async fn with_tests(shop: Shop) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    let shop = Arc::new(shop);
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let shop = Arc::clone(&shop);
            let service = service_fn(move |asked| {
                let shop = Arc::clone(&shop);
                async move { Ok::<_, Infallible>(answer(&shop, &asked).await) }
            });
            tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
        }
    });
    addr
}

async fn answer(shop: &Shop, asked: &Request<Incoming>) -> Response<Full<Bytes>> {
    let path = asked.uri().path();
    if let Some(name) = path.strip_prefix("/test/") {
        // What the shop says of its script holds for tests too.
        let page = shop.ask("GET /", &["accept: text/html"]).await;
        let script = shop.get("/shop.js").await;
        return match TESTS.iter().find(|(known, _)| *known == name) {
            Some((_, text)) => like(&script, Bytes::from_static(text.as_bytes())),
            None => like(&page, Bytes::from_static(PAGE.as_bytes())),
        };
    }
    let served = match path {
        "/index.html" => shop.ask("GET /", &["accept: text/html"]).await,
        path => shop.get(path).await,
    };
    like(&served, served.body.clone())
}

/// An answer with the status and the headers of another.
fn like(answer: &Answer, body: Bytes) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(body));
    *response.status_mut() = answer.status;
    for name in ["content-type", "content-security-policy", "x-content-type-options"] {
        if let Some(value) = answer.headers.get(name) {
            response.headers_mut().insert(name, value.clone());
        }
    }
    response
}
