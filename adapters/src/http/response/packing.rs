//! Bodies as gzip packs them, for clients that can read that.

use std::{
    io::{self, Write as _},
    sync::{Arc, OnceLock},
};

use bytes::Bytes;
use flate2::{Compression, write::GzEncoder};
use hyper::header::{CONTENT_ENCODING, CONTENT_TYPE, HeaderMap, HeaderValue, VARY};

use super::{
    body::{Body, Response},
    failure::Failure,
};

/// Smaller bodies are never packed: a response of one packet is not faster for it. The 202 of an order is one.
const SMALLEST: usize = 1024;

/// What responses depend on that may be packed.
const ENCODING: &str = "accept-encoding";

/// How much is packed before others have their turn: some 0.1 ms, at the best level 0.4.
const AT_ONCE: usize = 16 * 1024;

/// Media types that are worth it; one with a suffix, such as `application/problem+json`, is what it ends with.
const WORTH_IT: [&str; 8] = [
    "application/json",
    "image/svg+xml",
    "image/vnd.dxf",
    "text/css",
    "text/csv",
    "text/html",
    "text/javascript",
    "text/plain",
];

/// The packed form of a body that many responses carry: it is packed once. An extension of these responses.
#[derive(Debug, Clone, Default)]
pub(in crate::http) struct Kept(Arc<OnceLock<Bytes>>);

/// Whether a body of this type and size is packed for clients that can read it.
pub(super) fn is_worth_it(content_type: &str, bytes: usize) -> bool {
    let essence = content_type.split(';').next().unwrap_or_default().trim();
    bytes >= SMALLEST && (WORTH_IT.contains(&essence) || essence.ends_with("+json"))
}

/// Says that the response depends on what the client can read.
pub(super) fn vary(headers: &mut HeaderMap) {
    headers.append(VARY, HeaderValue::from_static(ENCODING));
}

/// Returns what came of a request, packed if that is worth it for a client that reads gzip or does not; `None` where
/// nothing is packed.
pub(in crate::http) async fn packed_for(
    reads_gzip: Option<bool>,
    outcome: Result<Response, Failure>,
) -> Result<Response, Failure> {
    match (outcome, reads_gzip) {
        (Ok(response), Some(reads_gzip)) if response.body().size() >= Some(SMALLEST) => {
            // What a small one must not pay for: the future of a request is as large as its largest part.
            Ok(Box::pin(pack(response, reads_gzip)).await)
        }
        (outcome, _) => outcome,
    }
}

/// Returns `response` packed, if that is worth it and its client `reads_gzip`.
///
/// What comes as it comes is not: events would wait for others. The `ETag` stays, since it is a weak one: it says that the
/// text is the same, not the bytes.
async fn pack(mut response: Response, reads_gzip: bool) -> Response {
    let size = response.body().size().unwrap_or_default();
    let kind = response.headers().get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    if size < SMALLEST || !kind.is_some_and(|kind| is_worth_it(kind, size)) {
        return response;
    }
    let told = response.headers().get_all(VARY);
    if !told.iter().any(|told| told == ENCODING) {
        vary(response.headers_mut());
    }
    if !reads_gzip || response.headers().contains_key(CONTENT_ENCODING) {
        return response;
    }
    let kept = response.extensions_mut().remove::<Kept>();
    let (mut head, body) = response.into_parts();
    let body = match (kept, body.into_bytes()) {
        (_, Err(stream)) => return Response::from_parts(head, stream),
        (None, Ok(plain)) => match gzip(&plain, Compression::fast()).await {
            Ok(packed) => Body::own(packed),
            Err(_) => return Response::from_parts(head, plain.into()),
        },
        (Some(Kept(kept)), Ok(plain)) => match kept.get() {
            Some(packed) => packed.clone().into(),
            None => match gzip(&plain, Compression::best()).await {
                Ok(packed) => kept.get_or_init(|| packed.into()).clone().into(),
                Err(_) => return Response::from_parts(head, plain.into()),
            },
        },
    };
    head.headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    Response::from_parts(head, body)
}

/// Packs `plain`, a piece at a time, so that others have their turn on this thread.
///
/// # Errors
/// None that memory has; what is sent then is not packed.
async fn gzip(plain: &[u8], level: Compression) -> io::Result<Vec<u8>> {
    let mut packer = GzEncoder::new(Vec::with_capacity(plain.len() / 4), level);
    let mut pieces = plain.chunks(AT_ONCE).peekable();
    while let Some(piece) = pieces.next() {
        packer.write_all(piece)?;
        if pieces.peek().is_some() {
            tokio::task::yield_now().await;
        }
    }
    packer.finish()
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use flate2::read::GzDecoder;
    use futures::{FutureExt, StreamExt};
    use http_body_util::BodyExt;
    use proptest::prelude::*;

    use super::*;
    use crate::http::response::reply;

    fn unpacked(response: Response) -> Vec<u8> {
        let body = response.into_body().collect().now_or_never().unwrap().unwrap();
        let mut plain = Vec::new();
        GzDecoder::new(&*body.to_bytes()).read_to_end(&mut plain).unwrap();
        plain
    }

    fn run<F: Future>(work: F) -> F::Output {
        futures::executor::block_on(work)
    }

    fn is_packed(response: &Response) -> bool {
        response.headers().contains_key(CONTENT_ENCODING)
    }

    fn varies(response: &Response) -> bool {
        response.headers().get_all(VARY).iter().any(|told| told == ENCODING)
    }

    proptest! {
        #[test]
        fn what_is_packed_is_unpacked_as_it_was(
            bytes in prop::collection::vec(any::<u8>(), 0..3 * AT_ONCE),
            is_kept in any::<bool>(),
        ) {
            let mut response = reply::bytes(reply::JSON, bytes.clone());
            if is_kept {
                response.extensions_mut().insert(Kept::default());
            }
            let response = run(pack(response, true));
            prop_assert_eq!(is_packed(&response), bytes.len() >= SMALLEST);
            prop_assert_eq!(varies(&response), is_packed(&response));
            if is_packed(&response) {
                prop_assert_eq!(unpacked(response), bytes);
            }
        }
    }

    #[test]
    fn only_text_is_packed_and_only_for_those_who_read_it() {
        for (kind, is_worth) in [
            (reply::JSON, true),
            ("application/problem+json", true),
            (reply::TEXT, true),
            (reply::HTML, true),
            (reply::CSS, true),
            (reply::JAVASCRIPT, true),
            (reply::SVG, true),
            ("text/event-stream", false),
            ("application/octet-stream", false),
            ("image/png", false),
        ] {
            let answer = || reply::bytes(kind, vec![b'a'; SMALLEST]);
            let packed = run(pack(answer(), true));
            assert_eq!((is_packed(&packed), varies(&packed)), (is_worth, is_worth), "{kind}");
            let plain = run(pack(answer(), false));
            assert_eq!((is_packed(&plain), varies(&plain)), (false, is_worth), "{kind}");
        }
    }

    #[test]
    fn what_comes_as_it_comes_is_passed_on_at_once() {
        let pieces = futures::stream::repeat(Bytes::from_static(&[b'a'; 2 * SMALLEST]));
        let mut response = Response::new(Body::stream(pieces.boxed()));
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(reply::JSON));
        let response = pack(response, true).now_or_never().expect("no waiting");
        assert!(!is_packed(&response) && !varies(&response));
    }

    #[test]
    fn a_file_is_packed_once() {
        let kept = Kept::default();
        let packed = || {
            let mut response = reply::bytes(reply::CSS, vec![b'a'; 4 * SMALLEST]);
            response.extensions_mut().insert(kept.clone());
            let response = run(pack(response, true));
            response.into_body().into_bytes().unwrap()
        };
        assert_eq!(packed().as_ptr(), packed().as_ptr());
    }
}
