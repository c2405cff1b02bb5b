use std::{
    cell::Cell,
    convert::Infallible,
    error::Error,
    future::poll_fn,
    io,
    net::SocketAddr,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::Poll,
    time::Duration,
};

use futures::{StreamExt, stream::FuturesUnordered};
use hyper::{
    Method, Request,
    body::Incoming,
    header::{CONNECTION, HeaderValue},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::Semaphore,
    task::JoinSet,
    time::Instant,
};
use tokio_util::sync::CancellationToken;
use woody_core::domain::PoolUse;

use super::{
    first_request::{Begun, MAX_HEAD, Patience, arrive},
    memory::{self, Crowd},
    open::OpenConnections,
    service::HttpService,
    takeover::{Streamed, Takeover},
    wire::Wire,
};
use crate::http::{layers::ClientShare, response::Response};

/// Limits of a server's connections.
#[derive(Debug, Clone)]
pub struct ServerLimits {
    /// Connections at once; the next one is answered 503 and closed.
    pub connections: usize,
    /// How many of them are open; clones share it.
    pub open: OpenConnections,
    /// How many of them one client address may hold.
    pub per_client: ClientShare,
    /// How long a connection may take to send the head of a request, the pause
    /// before it included. Longer than gateways keep idle connections (nginx:
    /// 60 s), so that none is closed just as they use it.
    pub head_timeout: Duration,
    /// How long a client may keep still in the middle of a request, or while its
    /// response waits to be read.
    pub stall: Duration,
}

impl ServerLimits {
    /// Returns how many connections are open of those that may be.
    pub fn usage(&self) -> PoolUse {
        PoolUse { used: self.open.count(), limit: self.connections, waiting: None }
    }
}

impl Default for ServerLimits {
    /// 8,192 connections, of any address; 75 s for a head, 30 s of standstill.
    fn default() -> Self {
        Self {
            connections: 8_192,
            open: OpenConnections::default(),
            per_client: ClientShare::off(),
            head_timeout: Duration::from_secs(75),
            stall: Duration::from_secs(30),
        }
    }
}

/// How a server ends.
#[derive(Debug, Clone)]
pub struct Drain {
    /// Cancelled when it should end soon: every response from then on closes its
    /// connection, so that clients go elsewhere.
    pub draining: CancellationToken,
    /// Cancelled when it should end: it closes its listener, and responds to what
    /// is in flight.
    pub stop: CancellationToken,
    /// How long that may take; what is left then is cut off.
    pub grace: Duration,
}

impl Drain {
    /// A server that ends when `stop` is cancelled, within `grace`.
    pub fn new(stop: CancellationToken, grace: Duration) -> Self {
        Self { draining: stop.clone(), stop, grace }
    }
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

/// The pause after an accept that failed for want of something.
const PAUSE: Duration = Duration::from_millis(50);

/// Serves `service` on `listener` until it is stopped, and returns when the
/// last connection has ended.
///
/// # Cancel safety
/// A dropped future closes the listener and cuts every connection off.
pub async fn serve<S: HttpService>(
    listener: TcpListener,
    service: S,
    limits: ServerLimits,
    drain: Drain,
) -> Drained {
    let slots = Arc::new(Semaphore::new(limits.connections.min(Semaphore::MAX_PERMITS)));
    // Connections that are refused are few, and never hold up the others.
    let refusals = Arc::new(Semaphore::new(256));
    let mut connections = JoinSet::new();
    let server = Arc::new(Server {
        service,
        http: http(&limits),
        head_timeout: limits.head_timeout,
        stall: limits.stall,
        draining: AtomicBool::new(false),
    });
    let mut crowd = Crowd::default();
    let mut short_of_something = false;
    loop {
        let accepted = tokio::select! {
            biased;
            () = drain.stop.cancelled() => break,
            () = drain.draining.cancelled(), if !server.is_draining() => {
                server.draining.store(true, Ordering::Relaxed);
                continue;
            }
            Some(ended) = connections.join_next() => {
                report(ended);
                crowd.went(limits.open.count(), Instant::now());
                continue;
            }
            () = crowd.has_gone() => {
                if crowd.is_over(limits.open.count()) {
                    connections.spawn_blocking(memory::give_back);
                }
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
        let share = limits.per_client.take(peer.ip(), None);
        let full = share.is_none();
        match share.zip(Arc::clone(&slots).try_acquire_owned().ok()) {
            Some(slot) => {
                let open = limits.open.one_more();
                crowd.came(limits.open.count());
                let (server, stop) = (Arc::clone(&server), drain.stop.child_token());
                connections.spawn(async move {
                    server.connection(stream, peer, stop).await;
                    drop((slot, open));
                });
            }
            None => {
                if let Ok(slot) = Arc::clone(&refusals).try_acquire_owned() {
                    let why = if full { FULL_FOR_CLIENT } else { FULL };
                    connections.spawn(async move {
                        refuse(stream, why).await;
                        drop(slot);
                    });
                }
            }
        }
    }
    server.draining.store(true, Ordering::Relaxed);
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

/// HTTP/1 as we read and write it. Answers go out one by one (`pipeline_flush`
/// would hold one back while the client's next bytes are there), and a client
/// that has shut down its sending side is answered.
fn http(limits: &ServerLimits) -> http1::Builder {
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new())
        .header_read_timeout(limits.head_timeout)
        .max_buf_size(MAX_HEAD)
        .max_header_size(MAX_HEAD)
        .half_close(true);
    http
}

/// What the connections of a server share.
struct Server<S> {
    service: S,
    http: http1::Builder,
    head_timeout: Duration,
    stall: Duration,
    draining: AtomicBool,
}

impl<S: HttpService> Server<S> {
    fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Relaxed)
    }

    /// Serves one connection to its end, or, once stopped, to the end of its request.
    async fn connection(
        self: Arc<Self>,
        stream: TcpStream,
        peer: SocketAddr,
        stop: CancellationToken,
    ) {
        let patience =
            Patience { head: self.head_timeout, stall: self.stall, body: self.service.bodies() };
        let Some(begun) = arrive(&stream, patience, &stop).await else { return };
        // What hyper needs is given back before a stream begins that may last for hours.
        let ended = match Box::pin(Arc::clone(&self).speak(stream, begun, peer, stop)).await {
            Ok(Some((stream, wire))) => stream.send(wire).await.map_err(Into::into),
            Ok(None) => Ok(()),
            Err(error) => Err(error.into()),
        };
        if let Err::<_, Box<dyn Error + Send + Sync>>(error) = ended {
            // Clients disconnect, or send what is no HTTP: no fault of ours.
            tracing::debug!(error = &*error as &dyn Error, %peer, "connection ended");
        }
    }

    /// Answers requests, until there are none any more or a response is a stream.
    async fn speak(
        self: Arc<Self>,
        stream: TcpStream,
        begun: Begun,
        peer: SocketAddr,
        stop: CancellationToken,
    ) -> hyper::Result<Option<(Streamed, Wire)>> {
        // Without it responses would wait for acknowledgements; failing is harmless.
        let _ = stream.set_nodelay(true);
        let takeover = Takeover::default();
        let Begun { bytes, body } = begun;
        let early = Cell::new(body);
        let wire = TokioIo::new(Wire::new(stream, bytes, self.stall, takeover.clone()));
        let (server, taken) = (Arc::clone(&self), takeover.clone());
        let service = service_fn(move |mut request: Request<Incoming>| {
            let (server, taken) = (Arc::clone(&server), taken.clone());
            if let Some(body) = early.take() {
                request.extensions_mut().insert(body);
            }
            async move {
                let (version, has_body) = (request.version(), request.method() != Method::HEAD);
                let response = server.service.answer(peer, request).await;
                let response = server.last_of_all(response);
                Ok::<_, Infallible>(if has_body { taken.of(response, version) } else { response })
            }
        });
        let mut connection = self.http.serve_connection(wire, service);
        // A set polls what is in it only after that was woken. To poll the token's future takes two locks, and a
        // connection is polled some times for each request.
        let mut stopped = FuturesUnordered::from_iter([stop.cancelled_owned()]);
        let mut is_told = false;
        let taken_over = poll_fn(|context| {
            let mut ended = Pin::new(&mut connection).poll(context);
            // After a look at what has come: that is answered.
            if !is_told && ended.is_pending() && stopped.poll_next_unpin(context).is_ready() {
                is_told = true;
                Pin::new(&mut connection).graceful_shutdown();
                ended = Pin::new(&mut connection).poll(context);
            }
            match ended {
                Poll::Ready(ended) => Poll::Ready(ended.map(|()| None)),
                Poll::Pending => match takeover.take() {
                    Some(stream) => Poll::Ready(Ok(Some(stream))),
                    None => Poll::Pending,
                },
            }
        });
        let stream = taken_over.await?;
        Ok(stream.map(|stream| (stream, connection.into_parts().io.into_inner())))
    }

    /// Tells the client of a server that is draining that its connection ends with this response.
    fn last_of_all(&self, mut response: Response) -> Response {
        if self.is_draining() {
            response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
        }
        response
    }
}

const FULL: &str = "Too many connections.";
const FULL_FOR_CLIENT: &str = "Too many connections from this address.";

/// Answers 503 to whatever is asked, without reading it.
async fn refuse(mut stream: TcpStream, why: &str) {
    let answer = format!(
        "HTTP/1.1 503 Service Unavailable\r\ncontent-type: text/plain; charset=utf-8\r\n\
         retry-after: 1\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{why}",
        why.len()
    );
    let polite = async {
        stream.write_all(answer.as_bytes()).await?;
        stream.shutdown().await?;
        // Closing with something unread would reset the connection before the response is read.
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
