use std::{convert::Infallible, io, net::SocketAddr, sync::Arc, time::Duration};

use hyper::{Request, body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::Semaphore,
    task::JoinSet,
};
use tokio_util::sync::CancellationToken;

use super::stack::Site;

/// What a server bears.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ServerLimits {
    /// Connections at once; the next one is answered 503 and closed.
    pub connections: usize,
    /// How long a connection may take to send the head of a request, the pause
    /// before it included. Longer than gateways keep idle connections (nginx:
    /// 60 s), so that none is closed just as they use it.
    pub head_timeout: Duration,
}

impl Default for ServerLimits {
    /// 8,192 connections, 75 s.
    fn default() -> Self {
        Self { connections: 8_192, head_timeout: Duration::from_secs(75) }
    }
}

/// How a server ends.
#[derive(Debug, Clone)]
pub struct Drain {
    /// Cancelled when it should end: it closes its listener, and answers what
    /// is in flight.
    pub stop: CancellationToken,
    /// How long that may take; what is left then is cut off.
    pub grace: Duration,
}

/// How a server ended.
#[must_use]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Drained {
    /// Every request was answered.
    Clean,
    /// The grace was too short: so many connections were cut off.
    CutOff(usize),
}

impl Drained {
    /// Whether every request was answered.
    pub fn is_clean(self) -> bool {
        self == Self::Clean
    }
}

/// The largest head of a request, in bytes.
const MAX_HEAD: usize = 32 * 1024;
/// The pause after an accept that failed for want of something.
const PAUSE: Duration = Duration::from_millis(50);

/// Serves `site` on `listener` until it is told to stop, and returns when the
/// last connection has ended.
///
/// # Cancel safety
/// A dropped future closes the listener and cuts every connection off.
pub async fn serve<S: Site>(
    listener: TcpListener,
    site: S,
    limits: ServerLimits,
    drain: Drain,
) -> Drained {
    let places = Arc::new(Semaphore::new(limits.connections.min(Semaphore::MAX_PERMITS)));
    // Those that are told to go away are few, and never hold up the others.
    let refusals = Arc::new(Semaphore::new(256));
    let mut connections = JoinSet::new();
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new())
        .header_read_timeout(limits.head_timeout)
        .max_buf_size(MAX_HEAD)
        .pipeline_flush(true);
    let mut short_of_something = false;
    loop {
        let accepted = tokio::select! {
            biased;
            () = drain.stop.cancelled() => break,
            Some(ended) = connections.join_next() => {
                report(ended);
                continue;
            }
            accepted = listener.accept() => accepted,
        };
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) if is_of_one_connection(&error) => continue,
            Err(error) => {
                if !std::mem::replace(&mut short_of_something, true) {
                    tracing::warn!(%error, "connections cannot be accepted, trying on");
                }
                tokio::select! {
                    () = tokio::time::sleep(PAUSE) => {}
                    () = drain.stop.cancelled() => {}
                }
                continue;
            }
        };
        short_of_something = false;
        match Arc::clone(&places).try_acquire_owned() {
            Ok(place) => {
                let stop = drain.stop.child_token();
                let connection = connection(http.clone(), stream, peer, site.clone(), stop);
                connections.spawn(async move {
                    connection.await;
                    drop(place);
                });
            }
            Err(_full) => {
                if let Ok(place) = Arc::clone(&refusals).try_acquire_owned() {
                    connections.spawn(async move {
                        refuse(stream).await;
                        drop(place);
                    });
                }
            }
        }
    }
    drop(listener);
    let all_ended = async {
        while let Some(ended) = connections.join_next().await {
            report(ended);
        }
    };
    if tokio::time::timeout(drain.grace, all_ended).await.is_ok() {
        return Drained::Clean;
    }
    let left = connections.len();
    tracing::warn!(connections.left = left, "the grace is over, connections are cut off");
    connections.shutdown().await;
    Drained::CutOff(left)
}

/// Serves one connection to its end; told to stop, to the end of its request.
async fn connection<S: Site>(
    http: http1::Builder,
    stream: TcpStream,
    peer: SocketAddr,
    site: S,
    stop: CancellationToken,
) {
    // Without it answers would wait for acknowledgements; failing is harmless.
    let _ = stream.set_nodelay(true);
    let service = service_fn(move |request: Request<Incoming>| {
        let site = site.clone();
        async move { Ok::<_, Infallible>(site.answer(peer, request).await) }
    });
    let connection = http.serve_connection(TokioIo::new(stream), service);
    tokio::pin!(connection);
    let ended = tokio::select! {
        biased;
        ended = connection.as_mut() => ended,
        () = stop.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        // Clients go away, or send what is no HTTP: nothing of ours.
        tracing::debug!(error = &error as &dyn std::error::Error, %peer, "connection ended");
    }
}

/// Answers 503 to whatever is asked, without reading it.
async fn refuse(mut stream: TcpStream) {
    const FULL: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\n\
        content-type: text/plain; charset=utf-8\r\nretry-after: 1\r\nconnection: close\r\n\
        content-length: 21\r\n\r\nToo many connections.";
    let polite = async {
        stream.write_all(FULL).await?;
        stream.shutdown().await?;
        // Closing with something unread would reset the answer away.
        let mut unread = [0; 1024];
        while stream.read(&mut unread).await? > 0 {}
        io::Result::Ok(())
    };
    // The client may be gone, or silent; either way this is all it gets.
    let _ = tokio::time::timeout(Duration::from_secs(1), polite).await;
}

/// Whether an accept failed for the sake of the connection that it was to give.
fn is_of_one_connection(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionRefused
            | io::ErrorKind::Interrupted
    )
}

/// A panic in a connection is a fault of ours, outside of every route.
fn report(ended: Result<(), tokio::task::JoinError>) {
    if let Err(error) = ended
        && error.is_panic()
    {
        tracing::error!(%error, "a connection panicked");
    }
}
