//! The way between a browser and a shop, on which answers are lost.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::{
    Method, Request, Response, StatusCode, body::Incoming, server::conn::http1, service::service_fn,
};
use hyper_util::rt::TokioIo;
use tokio::{net::TcpListener, sync::Notify};

use super::super::{client::send, shop::Shop};

/// Passes on what a browser asks, all but streams of events; pages get through whatever happens.
pub(super) struct Way {
    pub(super) addr: SocketAddr,
    state: Arc<State>,
}

#[derive(Default)]
struct State {
    is_closed: AtomicBool,
    loses_next: AtomicBool,
    lost: Notify,
}

/// A connection that breaks off.
#[derive(Debug, thiserror::Error)]
#[error("broken off")]
struct BrokenOff;

impl Way {
    pub(super) async fn to(shop: &Arc<Shop>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addr = listener.local_addr().unwrap();
        let state = Arc::new(State::default());
        let (shop, passing) = (shop.addr, Arc::clone(&state));
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let passing = Arc::clone(&passing);
                let service = service_fn(move |asked| {
                    let passing = Arc::clone(&passing);
                    async move { pass(shop, &passing, asked).await }
                });
                tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
            }
        });
        Self { addr, state }
    }

    /// Has the answer to the next order get lost, once the shop has given it.
    pub(super) fn lose_an_answer(&self) {
        self.state.loses_next.store(true, Ordering::SeqCst);
    }

    pub(super) async fn until_lost(&self) {
        self.state.lost.notified().await;
    }

    /// Lets nothing through but pages.
    pub(super) fn close(&self) {
        self.state.is_closed.store(true, Ordering::SeqCst);
    }

    pub(super) fn open(&self) {
        self.state.is_closed.store(false, Ordering::SeqCst);
    }
}

async fn pass(
    shop: SocketAddr,
    state: &State,
    asked: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, BrokenOff> {
    let (head, body) = asked.into_parts();
    let path = head.uri.path();
    if path.starts_with("/api/") && state.is_closed.load(Ordering::SeqCst) {
        return Err(BrokenOff);
    }
    if path == "/api/events" {
        let mut none = Response::new(Full::default());
        *none.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
        return Ok(none);
    }
    let is_order = head.method == Method::POST && path == "/api/orders";
    let body = body.collect().await.map_err(|_| BrokenOff)?.to_bytes();
    let answer = send(shop, Request::from_parts(head, Full::new(body))).await;
    if is_order && state.loses_next.swap(false, Ordering::SeqCst) {
        state.lost.notify_one();
        return Err(BrokenOff);
    }
    let mut response = Response::new(Full::new(answer.body));
    *response.status_mut() = answer.status;
    *response.headers_mut() = answer.headers;
    response.headers_mut().remove("connection");
    response.headers_mut().remove("transfer-encoding");
    Ok(response)
}
