use std::{
    fmt,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use futures::{FutureExt, Stream, StreamExt, stream::BoxStream};
use hyper::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::{Interval, MissedTickBehavior, interval},
};
use tokio_util::sync::CancellationToken;
use woody_core::domain::OrderDetails;

use super::view::OrderView;
use crate::http::{
    layers::{ClientShare, Held},
    request::RoutedRequest,
    response::{Body, Failure, FailureKind, Response, reply},
};

/// How order events are streamed, and orders waited for.
#[derive(Debug, Clone)]
pub struct StreamSettings {
    /// Streams at once; the next one is refused. A stream of several orders counts once for
    /// each four of them.
    pub streams: usize,
    /// How many of them one client may follow.
    pub per_client: ClientShare,
    /// A sign of life is sent when nothing else was, this often.
    pub heartbeat: Duration,
    /// Cancelled when streams should end, so that clients connect elsewhere.
    pub stop: CancellationToken,
}

impl StreamSettings {
    /// 1,024 streams, a sign of life every 15 s, until `stop`.
    pub fn until(stop: CancellationToken) -> Self {
        Self {
            streams: 1_024,
            per_client: ClientShare::off(),
            heartbeat: Duration::from_secs(15),
            stop,
        }
    }
}

/// What a client waits before it connects again, in milliseconds; sent first.
const HELLO: &[u8] = b"retry: 1000\n\n";
const SIGN_OF_LIFE: &[u8] = b": still here\n\n";
const SPACE: &[u8] = b" ";
const X_ACCEL_BUFFERING: HeaderName = HeaderName::from_static("x-accel-buffering");

/// One order more in a stream takes some 1.2 KB of memory, one stream more some 4.
const ORDERS_A_PLACE: usize = 4;

/// The streams of a process.
pub(super) struct OrderStreams {
    slots: Arc<Semaphore>,
    most: u32,
    per_client: ClientShare,
    heartbeat: Duration,
    stop: CancellationToken,
}

impl OrderStreams {
    pub(super) fn new(settings: StreamSettings) -> Self {
        let StreamSettings { streams, per_client, heartbeat, stop } = settings;
        let most = u32::try_from(streams.min(Semaphore::MAX_PERMITS)).unwrap_or(u32::MAX);
        Self {
            slots: Arc::new(Semaphore::new(streams.min(Semaphore::MAX_PERMITS))),
            most,
            per_client,
            heartbeat: heartbeat.max(Duration::from_millis(1)),
            stop,
        }
    }

    /// A slot for one more stream of the client that asks, which follows so many orders.
    pub(super) fn take_slot<A>(
        &self,
        request: &RoutedRequest<A>,
        orders: usize,
    ) -> Result<StreamSlot, Failure> {
        let refused = |detail| Failure::new(FailureKind::Overloaded, detail).retry_after_s(5);
        let share =
            self.per_client.take(request.client, request.client_name()).ok_or_else(|| {
                refused("Too many orders are followed from this address. Please try again.")
            })?;
        let places = u32::try_from(orders.div_ceil(ORDERS_A_PLACE)).unwrap_or(u32::MAX);
        let permit = Arc::clone(&self.slots)
            // One that needs more than there are has them for itself.
            .try_acquire_many_owned(places.min(self.most).max(1))
            .map_err(|_| refused("Too many clients follow their orders. Please try again."))?;
        let mut heartbeat = interval(self.heartbeat);
        heartbeat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        heartbeat.reset();
        Ok(StreamSlot { held: (permit, share), heartbeat, stop: self.stop.clone() })
    }
}

/// A slot among the streams.
pub(super) struct StreamSlot {
    held: (OwnedSemaphorePermit, Held),
    heartbeat: Interval,
    stop: CancellationToken,
}

impl StreamSlot {
    /// Cancelled when streams should end.
    pub(super) fn stop(&self) -> CancellationToken {
        self.stop.clone()
    }

    /// Returns the response of server-sent `events`, ending with them.
    pub(super) fn respond(self, events: impl Stream<Item = Bytes> + Send + 'static) -> Response {
        let hello = futures::stream::iter([Bytes::from_static(HELLO)]);
        let stopped = self.stop.clone().cancelled_owned();
        let events = self.lively(events, SIGN_OF_LIFE);
        stream(hello.chain(events).take_until(stopped), "text/event-stream")
    }

    /// Returns the response of the JSON text that `later` will be; until then spaces, which
    /// mean nothing in JSON, show that it is still awaited.
    pub(super) fn respond_later(
        self,
        later: impl Future<Output = Bytes> + Send + 'static,
    ) -> Response {
        stream(self.lively(later.into_stream(), SPACE), reply::JSON)
    }

    fn lively(
        self,
        pieces: impl Stream<Item = Bytes> + Send + 'static,
        sign: &'static [u8],
    ) -> Lively {
        Lively { pieces: pieces.boxed(), heartbeat: self.heartbeat, sign, _held: self.held }
    }
}

fn stream(
    pieces: impl Stream<Item = Bytes> + Send + 'static,
    content_type: &'static str,
) -> Response {
    let mut response = Response::new(Body::stream(pieces.boxed()));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    // nginx would wait for a buffer to fill.
    headers.insert(X_ACCEL_BUFFERING, HeaderValue::from_static("no"));
    reply::no_store(response)
}

/// A stream that gives a sign of life when it has nothing else to say.
struct Lively {
    pieces: BoxStream<'static, Bytes>,
    heartbeat: Interval,
    sign: &'static [u8],
    _held: (OwnedSemaphorePermit, Held),
}

impl Stream for Lively {
    type Item = Bytes;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Bytes>> {
        if let Poll::Ready(piece) = self.pieces.poll_next_unpin(context) {
            self.heartbeat.reset();
            return Poll::Ready(piece);
        }
        let sign = self.sign;
        self.heartbeat.poll_tick(context).map(|_| Some(Bytes::from_static(sign)))
    }
}

/// One change. Its id says all that the client has seen, this included.
pub(super) fn event<D: OrderDetails>(view: &OrderView<D>, id: impl fmt::Display) -> Bytes {
    // It was written as JSON before: that cannot fail. JSON holds no line feed, so it
    // is one line of data.
    let data = serde_json::to_string(view).unwrap_or_default();
    format!("event: status\nid: {id}\ndata: {data}\n\n").into()
}
