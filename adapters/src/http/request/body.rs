use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use bytes::Bytes;
use hyper::body::{Body as _, Incoming};
use serde::de::DeserializeOwned;

use super::json;
use crate::http::response::Failure;

/// A request's body.
#[derive(Debug)]
pub struct RequestBody {
    incoming: Option<Incoming>,
    arrived: Bytes,
    remainder: Remainder,
}

/// Whether something of a body was left unread.
#[derive(Debug, Clone)]
pub(in crate::http) struct Remainder(Option<Arc<AtomicBool>>);

impl Remainder {
    /// Whether there is any: the connection cannot go on after it.
    pub(in crate::http) fn is_left(&self) -> bool {
        self.0.as_ref().is_some_and(|left| left.load(Ordering::Relaxed))
    }
}

impl RequestBody {
    /// The body `incoming`, of which nothing was read.
    pub(in crate::http) fn new(incoming: Incoming) -> Self {
        let left = (!incoming.is_end_stream()).then(|| Arc::new(AtomicBool::new(true)));
        let remainder = Remainder(left);
        Self { incoming: Some(incoming), arrived: Bytes::new(), remainder }
    }

    pub(in crate::http) fn remainder(&self) -> Remainder {
        self.remainder.clone()
    }

    /// What is still to be read.
    pub(in crate::http) fn incoming(&mut self) -> Option<&mut Incoming> {
        self.incoming.as_mut()
    }

    /// All of it is there.
    pub(in crate::http) fn arrived(&mut self, whole: Bytes) {
        self.incoming = None;
        self.arrived = whole;
        if let Some(left) = &self.remainder.0 {
            left.store(false, Ordering::Relaxed);
        }
    }

    /// Its bytes; there are some when the request is a `POST`.
    pub fn bytes(&self) -> &Bytes {
        &self.arrived
    }

    /// Reads it as JSON.
    ///
    /// # Errors
    /// A [`Failure`] when it is no `T`: it names all wrong fields.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, Failure> {
        json::parse(&self.arrived, &mut { json::EFFORT })
    }

    /// Reads it as JSON of which nothing is left over: a field that `T` would pass over
    /// is refused too.
    ///
    /// # Errors
    /// A [`Failure`] when it is no `T`, or has more fields: it names all wrong fields.
    pub fn whole_json<T: DeserializeOwned>(&self) -> Result<T, Failure> {
        json::parse_whole(&self.arrived, |_| Vec::new(), &mut { json::EFFORT })
    }
}
