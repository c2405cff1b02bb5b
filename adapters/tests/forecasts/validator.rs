//! A validation service that takes its time.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::{Request, Response, body::Incoming, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{net::TcpListener, task::JoinHandle};

/// Every order passes, after a time that is exponential around a mean.
pub struct SlowValidator {
    pub url: String,
    mean_ms: Arc<AtomicU64>,
    /// That of one in ten.
    seldom_ms: Arc<AtomicU64>,
    serving: JoinHandle<()>,
}

impl SlowValidator {
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        let (mean_ms, seldom_ms) = (Arc::new(AtomicU64::new(1)), Arc::new(AtomicU64::new(1)));
        let times = (Arc::clone(&mean_ms), Arc::clone(&seldom_ms));
        let serving = tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let times = times.clone();
                let service = service_fn(move |request: Request<Incoming>| {
                    let is_seldom = fastrand::u32(0..10) == 0;
                    let mean = if is_seldom { &times.1 } else { &times.0 }.load(Ordering::Relaxed);
                    answer(request, Duration::from_millis(mean))
                });
                let mut http = hyper::server::conn::http1::Builder::new();
                http.timer(TokioTimer::new());
                tokio::spawn(http.serve_connection(TokioIo::new(stream), service));
            }
        });
        Self { url, mean_ms, seldom_ms, serving }
    }

    pub fn takes(&self, mean_ms: u64, seldom_ms: u64) {
        self.mean_ms.store(mean_ms, Ordering::Relaxed);
        self.seldom_ms.store(seldom_ms, Ordering::Relaxed);
    }
}

impl Drop for SlowValidator {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn answer(
    request: Request<Incoming>,
    mean: Duration,
) -> Result<Response<Full<Bytes>>, hyper::Error> {
    request.into_body().collect().await?;
    let takes = mean.mul_f64(-(1.0 - fastrand::f64()).ln());
    tokio::time::sleep(takes.min(Duration::from_secs(5))).await;
    Ok(Response::new(Full::from(r#"{"verdict": "success"}"#)))
}
