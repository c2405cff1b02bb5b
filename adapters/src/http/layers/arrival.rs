use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures::{
    FutureExt,
    future::{BoxFuture, Either},
};
use http_body_util::BodyExt;
use hyper::{
    HeaderMap, Method,
    body::{Body as _, Incoming},
    header::{CONTENT_ENCODING, CONTENT_TYPE, HeaderName, TRANSFER_ENCODING},
};
use std::task::{Context, Poll};
use tower::{Layer, Service};

use super::budget::{BodyBudget, BodyInFlight};
use crate::http::{
    request::{RoutedRequest, query::quoted},
    response::{Failure, FailureKind, Response},
};

/// How much a client may send, and how slowly.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BodyLimits {
    /// The largest body that is read, in bytes.
    pub max_bytes: usize,
    /// The largest body of a route that takes many things at once, in bytes.
    pub max_batch_bytes: usize,
    /// How long all of it may take to arrive.
    pub timeout: Duration,
}

impl Default for BodyLimits {
    /// 64 KiB, 1 MiB of a batch, ten seconds.
    fn default() -> Self {
        let timeout = Duration::from_secs(10);
        Self { max_bytes: 64 * 1024, max_batch_bytes: 1024 * 1024, timeout }
    }
}

/// Has the body of a `POST` arrive whole, before the request takes a permit among
/// those that are under way. Other bodies are not read.
#[derive(Debug, Clone)]
pub(in crate::http) struct Arrival {
    pub(in crate::http) limits: BodyLimits,
    pub(in crate::http) bodies: BodyBudget,
}

impl<S> Layer<S> for Arrival {
    type Service = AfterArrival<S>;

    fn layer(&self, inner: S) -> AfterArrival<S> {
        AfterArrival { inner, arrival: self.clone() }
    }
}

/// What came of a body before its request was read, among the extensions of the request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::http) enum EarlyBody {
    /// All of it is there.
    Whole,
    /// It did not arrive in the time it had.
    Slow,
    /// Others needed its place.
    GaveWay,
}

/// A service behind an [`Arrival`].
#[derive(Debug, Clone)]
pub(in crate::http) struct AfterArrival<S> {
    inner: S,
    arrival: Arrival,
}

impl<S, A> Service<RoutedRequest<A>> for AfterArrival<S>
where
    S: Service<RoutedRequest<A>, Response = Response, Error = Failure, Future: Send>
        + Clone
        + Send
        + 'static,
    A: Send + 'static,
{
    type Response = Response;
    type Error = Failure;
    type Future = Either<S::Future, BoxFuture<'static, Result<Response, Failure>>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Failure>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, mut request: RoutedRequest<A>) -> Self::Future {
        if request.head.method != Method::POST {
            return Either::Left(self.inner.call(request));
        }
        // The one that was asked whether it is ready is the one to request.
        let other = self.inner.clone();
        let mut inner = std::mem::replace(&mut self.inner, other);
        let arrival = self.arrival.clone();
        Either::Right(Box::pin(async move {
            is_plain(&request.head.headers, if request.is_form { FORM } else { JSON })?;
            if let Some(incoming) = request.body.incoming() {
                let limits = arrival.limits;
                let max_bytes =
                    if request.is_batch { limits.max_batch_bytes } else { limits.max_bytes };
                let early = request.head.extensions.get().copied();
                let whole = arrival.whole(incoming, max_bytes, early).await?;
                request.body.arrived(whole);
            }
            inner.call(request).await
        }))
    }
}

impl Arrival {
    /// Reads a body to its end.
    async fn whole(
        &self,
        incoming: &mut Incoming,
        max_bytes: usize,
        early: Option<EarlyBody>,
    ) -> Result<Bytes, Failure> {
        let timeout = self.limits.timeout;
        if incoming.size_hint().lower() > max_bytes as u64 {
            return Err(too_large(max_bytes));
        }
        let read = self.read(incoming, max_bytes, early);
        tokio::time::timeout(timeout, read).await.unwrap_or_else(|_elapsed| Err(slow(timeout)))
    }

    async fn read(
        &self,
        incoming: &mut Incoming,
        max_bytes: usize,
        early: Option<EarlyBody>,
    ) -> Result<Bytes, Failure> {
        let mut whole = BytesMut::new();
        let mut waited_for: Option<BodyInFlight> = None;
        loop {
            // What came with the head is not waited for, and takes nothing of the budget.
            let frame = match (incoming.frame().now_or_never(), early) {
                (Some(frame), _) => frame,
                (None, Some(EarlyBody::Whole)) => incoming.frame().await,
                (None, Some(EarlyBody::Slow)) => return Err(slow(self.limits.timeout)),
                (None, Some(EarlyBody::GaveWay)) => return Err(gave_way()),
                (None, None) => {
                    let body = waited_for.get_or_insert_with(|| self.begin(whole.len()));
                    tokio::select! {
                        biased;
                        () = body.gives_way() => return Err(gave_way()),
                        frame = incoming.frame() => frame,
                    }
                }
            };
            let Some(frame) = frame else { return Ok(whole.freeze()) };
            let frame =
                frame.map_err(|_| Failure::new(FailureKind::BrokenBody, "The body broke off."))?;
            let Ok(data) = frame.into_data() else { continue };
            if whole.len() + data.len() > max_bytes {
                return Err(too_large(max_bytes));
            }
            if let Some(body) = &waited_for {
                body.grow(data.len());
            }
            whole.extend_from_slice(&data);
        }
    }

    fn begin(&self, bytes: usize) -> BodyInFlight {
        let body = self.bodies.begin();
        body.grow(bytes);
        body
    }
}

fn too_large(max_bytes: usize) -> Failure {
    Failure::new(FailureKind::BodyTooLarge, format!("The body may have {max_bytes} bytes at most."))
}

fn slow(timeout: Duration) -> Failure {
    let detail = format!("The body did not arrive within {timeout:?}.");
    Failure::new(FailureKind::SlowBody, detail)
}

fn gave_way() -> Failure {
    let detail = "Too many bodies are on their way, and this one took longest. Please try again.";
    Failure::new(FailureKind::Overloaded, detail)
}

const JSON: &str = "application/json";
const FORM: &str = "application/x-www-form-urlencoded";

/// Whether a body is of this type as it is: neither of another one, nor compressed.
fn is_plain(headers: &HeaderMap, content_type: &str) -> Result<(), Failure> {
    if let Some(coding) = coding(headers, &TRANSFER_ENCODING, "chunked") {
        let problem = format!("is {coding}: send it chunked, or with its length");
        return Err(Failure::field(
            FailureKind::UnsupportedTransferCoding,
            "Transfer-Encoding",
            problem,
        ));
    }
    if let Some(coding) = coding(headers, &CONTENT_ENCODING, "identity") {
        let problem = format!("is {coding}: send the body as it is, not compressed");
        return Err(Failure::field(FailureKind::UnsupportedCoding, "Content-Encoding", problem));
    }
    let unsupported = |found: &str| {
        let detail = format!("Send {content_type}, not {found}.");
        Err(Failure::new(FailureKind::UnsupportedMediaType, detail))
    };
    let Some(given) = headers.get(CONTENT_TYPE) else {
        return unsupported("a body without Content-Type");
    };
    let given = given.to_str().unwrap_or("something unreadable");
    let essence = given.split(';').next().unwrap_or_default().trim();
    if essence.eq_ignore_ascii_case(content_type) { Ok(()) } else { unsupported(&quoted(essence)) }
}

/// The first coding that `header` lists besides `plain`, as the client wrote it.
fn coding(headers: &HeaderMap, header: &HeaderName, plain: &str) -> Option<String> {
    let lists = headers.get_all(header).iter().map(|list| list.to_str().unwrap_or("\u{fffd}"));
    let mut codings = lists.flat_map(|list| list.split(',')).map(str::trim);
    codings.find(|coding| !coding.is_empty() && !coding.eq_ignore_ascii_case(plain)).map(quoted)
}

#[cfg(test)]
mod tests {
    use hyper::header::HeaderValue;

    use super::*;

    #[test]
    fn any_coding_but_none_is_refused_by_its_name() {
        for (header, value, refused) in [
            (CONTENT_ENCODING, "gzip", Some(FailureKind::UnsupportedCoding)),
            (CONTENT_ENCODING, "identity, br", Some(FailureKind::UnsupportedCoding)),
            (CONTENT_ENCODING, "deflate", Some(FailureKind::UnsupportedCoding)),
            (CONTENT_ENCODING, "Identity", None),
            (CONTENT_ENCODING, "", None),
            (TRANSFER_ENCODING, "gzip, chunked", Some(FailureKind::UnsupportedTransferCoding)),
            (TRANSFER_ENCODING, "Chunked", None),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
            headers.insert(header, HeaderValue::from_static(value));
            let kind = is_plain(&headers, JSON).err().map(|failure| failure.kind());
            assert_eq!(kind, refused, "{value}");
        }
    }
}
