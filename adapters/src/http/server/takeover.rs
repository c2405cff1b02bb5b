//! Streams of events, taken over from hyper once their head is sent.
//!
//! A stream may last for hours, and thousands of them at once. For that long hyper would keep
//! two buffers of 8 KiB and the head of the request for each; a stream needs none of it.

use std::{
    sync::{Arc, Mutex, PoisonError},
    task::Poll,
};

use bytes::Bytes;
use futures::{StreamExt, stream::BoxStream};
use hyper::{
    Version,
    header::{CONNECTION, HeaderValue},
};

use crate::http::response::{Body, Response};

/// The stream of a connection, from when its response is there until its head is sent.
#[derive(Clone, Default)]
pub(super) struct Takeover(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    stream: Option<Streamed>,
    head: Head,
}

/// How far the head of the response is.
#[derive(Default, PartialEq, Eq)]
enum Head {
    #[default]
    Awaited,
    /// It is in hyper's buffer, and all that was there before.
    Written,
    /// It has left the buffer.
    Sent,
}

/// A body that is sent without hyper.
pub(super) struct Streamed {
    pub(super) pieces: BoxStream<'static, Bytes>,
    /// Otherwise it ends with its connection.
    pub(super) is_chunked: bool,
}

impl Takeover {
    fn with<T>(&self, then: impl FnOnce(&mut State) -> T) -> T {
        // Nothing panics while it is held; if it did, the value would still be whole.
        then(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Keeps the stream of `response`, if it is one, and returns what hyper should send of it:
    /// the head, which says that the connection ends with the stream.
    pub(super) fn of(&self, response: Response, asked_with: Version) -> Response {
        let (mut head, body) = response.into_parts();
        let pieces = match body.into_stream() {
            Ok(pieces) => pieces,
            Err(whole) => return Response::from_parts(head, whole),
        };
        // As hyper says it in the head.
        let is_chunked = asked_with == Version::HTTP_11;
        self.with(|state| state.stream = Some(Streamed { pieces, is_chunked }));
        head.headers.insert(CONNECTION, HeaderValue::from_static("close"));
        let this = self.clone();
        // A body is asked for once its head is written, and not before.
        let body = futures::stream::poll_fn(move |_| {
            this.with(|state| {
                // It may be asked for again when it is sent.
                if state.head == Head::Awaited {
                    state.head = Head::Written;
                }
            });
            Poll::<Option<Bytes>>::Pending
        });
        Response::from_parts(head, Body::stream(body.boxed()))
    }

    /// Notes that hyper's buffer has been sent to its end.
    pub(super) fn flushed(&self) {
        self.with(|state| {
            if state.head == Head::Written {
                state.head = Head::Sent;
            }
        });
    }

    /// Returns the stream once its head is sent.
    pub(super) fn take(&self) -> Option<Streamed> {
        self.with(|state| state.stream.take_if(|_| state.head == Head::Sent))
    }
}
