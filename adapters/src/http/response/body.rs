use std::{
    convert::Infallible,
    pin::Pin,
    task::{Context, Poll},
};

use bytes::Bytes;
use futures::stream::BoxStream;
use hyper::body::{Frame, SizeHint};
use tokio::sync::OwnedSemaphorePermit;

/// The body of every response.
pub type Response = hyper::Response<Body>;

/// What a response carries: bytes that are there, or bytes that come.
pub struct Body(Inner);

enum Inner {
    /// Bytes that other responses may carry too.
    Whole(Bytes),
    /// Bytes that were made for this response.
    Own(Vec<u8>),
    Stream(BoxStream<'static, Bytes>),
}

impl Body {
    /// No bytes.
    pub fn empty() -> Self {
        Self(Inner::Whole(Bytes::new()))
    }

    /// Bytes that were made for this response, and are in memory until it is sent.
    pub fn own(bytes: Vec<u8>) -> Self {
        Self(Inner::Own(bytes))
    }

    /// Bytes that come as they come; their number is not known.
    pub fn stream(bytes: BoxStream<'static, Bytes>) -> Self {
        Self(Inner::Stream(bytes))
    }

    /// Returns the bytes that come, or the body whose bytes are there.
    pub(in crate::http) fn into_stream(self) -> Result<BoxStream<'static, Bytes>, Self> {
        match self.0 {
            Inner::Stream(bytes) => Ok(bytes),
            whole => Err(Self(whole)),
        }
    }

    /// Returns the bytes that are there, or the body whose bytes come.
    pub(in crate::http) fn into_bytes(self) -> Result<Bytes, Self> {
        match self.0 {
            Inner::Whole(bytes) => Ok(bytes),
            Inner::Own(bytes) => Ok(bytes.into()),
            stream @ Inner::Stream(_) => Err(Self(stream)),
        }
    }

    /// Returns how many bytes there are, if they are there.
    pub(in crate::http) fn size(&self) -> Option<usize> {
        match &self.0 {
            Inner::Whole(bytes) => Some(bytes.len()),
            Inner::Own(bytes) => Some(bytes.len()),
            Inner::Stream(_) => None,
        }
    }

    /// Returns how many bytes were made for this response alone.
    pub(in crate::http) fn own_bytes(&self) -> usize {
        match &self.0 {
            Inner::Own(bytes) => bytes.len(),
            Inner::Whole(_) | Inner::Stream(_) => 0,
        }
    }

    /// The same body, which gives `permit` back when it was sent or given up.
    pub(in crate::http) fn with_permit(self, permit: OwnedSemaphorePermit) -> Self {
        match self.0 {
            Inner::Own(bytes) => {
                Self(Inner::Whole(Bytes::from_owner(Counted { bytes, _permit: permit })))
            }
            other => Self(other),
        }
    }
}

/// Bytes that are counted while they are in memory.
struct Counted {
    bytes: Vec<u8>,
    _permit: OwnedSemaphorePermit,
}

impl AsRef<[u8]> for Counted {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl<B: Into<Bytes>> From<B> for Body {
    fn from(bytes: B) -> Self {
        Self(Inner::Whole(bytes.into()))
    }
}

impl std::fmt::Debug for Body {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.0 {
            Inner::Whole(bytes) => write!(f, "Body({} bytes)", bytes.len()),
            Inner::Own(bytes) => write!(f, "Body({} bytes of its own)", bytes.len()),
            Inner::Stream(_) => f.write_str("Body(a stream)"),
        }
    }
}

impl hyper::body::Body for Body {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let whole = match &mut self.0 {
            Inner::Whole(bytes) => std::mem::take(bytes),
            Inner::Own(bytes) => std::mem::take(bytes).into(),
            Inner::Stream(stream) => {
                let next = stream.as_mut().poll_next(context);
                return next.map(|bytes| bytes.map(Frame::data).map(Ok));
            }
        };
        Poll::Ready(if whole.is_empty() { None } else { Some(Ok(Frame::data(whole))) })
    }

    fn is_end_stream(&self) -> bool {
        match &self.0 {
            Inner::Whole(bytes) => bytes.is_empty(),
            Inner::Own(bytes) => bytes.is_empty(),
            Inner::Stream(_) => false,
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.0 {
            Inner::Whole(bytes) => SizeHint::with_exact(bytes.len() as u64),
            Inner::Own(bytes) => SizeHint::with_exact(bytes.len() as u64),
            Inner::Stream(_) => SizeHint::default(),
        }
    }
}
