use std::{
    convert::Infallible,
    net::SocketAddr,
    task::{Context, Poll},
};

use futures::future::BoxFuture;
use hyper::{Request, body::Incoming};
use tower::Service;

use super::service::HttpService;
use crate::http::response::Response;

/// A service as the client at one address asks it: a tower service, for a program that
/// serves connections itself (`hyper_util::service::TowerToHyperService` hands it to hyper).
///
/// [`serve`](super::serve) does more: it bounds connections, cuts off who stalls, and drains.
#[derive(Debug, Clone)]
pub struct ForClient<S> {
    service: S,
    peer: SocketAddr,
}

impl<S: HttpService> ForClient<S> {
    /// Returns `service` as the client at `peer` asks it.
    pub fn new(service: S, peer: SocketAddr) -> Self {
        Self { service, peer }
    }
}

impl<S: HttpService> Service<Request<Incoming>> for ForClient<S> {
    type Response = Response;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Response, Infallible>>;

    fn poll_ready(&mut self, _context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        // What it has no room for gets 503.
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Incoming>) -> Self::Future {
        let (service, peer) = (self.service.clone(), self.peer);
        Box::pin(async move { Ok(service.answer(peer, request).await) })
    }
}
