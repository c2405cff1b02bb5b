//! A validation service that fails on command, and with orders that kill the worker that validates them.

use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::{Request, Response, StatusCode, body::Incoming, service::service_fn};
use hyper_util::rt::TokioIo;
use tokio::{
    net::TcpListener,
    sync::{broadcast, watch},
    task::JoinHandle,
};

/// How it responds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Manner {
    /// Every order passes.
    Agrees,
    /// 500, every time: it may pass later.
    Fails,
    /// No answer until its manners change.
    Hangs,
    /// Every order passes, after most of a second.
    Slow,
    /// A response that cannot be read.
    Babbles,
    /// 422: it will have nothing to do with this order.
    Refuses,
}

/// In the name of a product whose order is the death of its worker.
pub const DEADLY: &str = "deadly";

pub struct TestValidator {
    pub url: String,
    /// Who is about to die of a deadly order: the path under which it asked.
    dying: broadcast::Sender<String>,
    manner: watch::Sender<Manner>,
    serving: JoinHandle<()>,
}

impl TestValidator {
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        let (manner, watched) = watch::channel(Manner::Agrees);
        let dying = broadcast::Sender::new(64);
        let tell = dying.clone();
        let serving = tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let (watched, tell) = (watched.clone(), tell.clone());
                let service = service_fn(move |request: Request<Incoming>| {
                    answer(request, watched.clone(), tell.clone())
                });
                let http = hyper::server::conn::http1::Builder::new();
                tokio::spawn(http.serve_connection(TokioIo::new(stream), service));
            }
        });
        Self { url, dying, manner, serving }
    }

    /// Hears who is about to die, from now on.
    pub fn dying(&self) -> broadcast::Receiver<String> {
        self.dying.subscribe()
    }

    pub fn set(&self, manner: Manner) {
        self.manner.send_replace(manner);
    }
}

impl Drop for TestValidator {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn answer(
    request: Request<Incoming>,
    mut manner: watch::Receiver<Manner>,
    dying: broadcast::Sender<String>,
) -> Result<Response<Full<Bytes>>, watch::error::RecvError> {
    let who = request.uri().path().trim_start_matches('/').to_owned();
    let asked = request.into_body().collect().await.map(http_body_util::Collected::to_bytes);
    if asked.is_ok_and(|asked| String::from_utf8_lossy(&asked).contains(DEADLY)) {
        // Nothing listens in most scenarios.
        let _ = dying.send(who);
        std::future::pending::<()>().await;
    }
    let manner = *manner.wait_for(|manner| *manner != Manner::Hangs).await?;
    if manner == Manner::Slow {
        tokio::time::sleep(Duration::from_millis(700)).await;
    }
    let (status, body) = match manner {
        Manner::Agrees | Manner::Slow | Manner::Hangs => {
            (StatusCode::OK, r#"{"verdict": "success"}"#)
        }
        Manner::Fails => (StatusCode::INTERNAL_SERVER_ERROR, ""),
        Manner::Babbles => (StatusCode::OK, "yes, of course"),
        Manner::Refuses => (StatusCode::UNPROCESSABLE_ENTITY, "not this one"),
    };
    let mut response = Response::new(Full::from(body));
    *response.status_mut() = status;
    Ok(response)
}
