//! A connection's first request, while it arrives.
//!
//! hyper keeps some 14 KiB for a connection whatever comes of it, and more once a request has begun. A client that
//! says nothing, or sends its order a byte a second, is waited for without hyper: it costs its socket, a
//! task and the bytes that have come. hyper gets the connection when there is something to do.

use std::{
    future::{pending, poll_fn},
    io,
    pin::pin,
    task::{Poll, ready},
    time::Duration,
};

use httparse::{EMPTY_HEADER, Status};
use hyper::header::{CONTENT_LENGTH, EXPECT, HeaderName, TRANSFER_ENCODING};
use tokio::{
    net::TcpStream,
    time::{Instant, sleep_until},
};
use tokio_util::sync::CancellationToken;

use crate::http::layers::{BodyBudget, BodyInFlight, BodyLimits, EarlyBody};

/// The largest head of a request, in bytes.
pub(super) const MAX_HEAD: usize = 32 * 1024;
/// How many headers are looked through; of a head with more hyper says what is wrong.
const MOST_HEADERS: usize = 100;
/// How much is read at once.
const AT_ONCE: usize = 4 * 1024;

/// How long a first request is waited for, and how much of it is kept.
pub(super) struct Patience<'a> {
    /// For its head, the pause before it included.
    pub(super) head: Duration,
    /// While its head does not go on.
    pub(super) stall: Duration,
    /// Of its body; `None` where nobody reads bodies.
    pub(super) body: Option<(BodyLimits, &'a BodyBudget)>,
}

/// What came of a connection, and what the service should know of it.
#[derive(Debug, Default)]
pub(super) struct Begun {
    /// What was read: the whole request, mostly.
    pub(super) bytes: Vec<u8>,
    /// What came of its body, if that was waited for.
    pub(super) body: Option<EarlyBody>,
}

/// Waits until the first request is there as a whole, or should be answered before.
///
/// Returns `None` when the connection has nothing to be answered: its client has gone, its head took too
/// long or had to give way, or the server ends.
pub(super) async fn arrive(
    stream: &TcpStream,
    patience: Patience<'_>,
    stop: &CancellationToken,
) -> Option<Begun> {
    let mut begun = Begun::default();
    let mut awaited = Awaited::Head;
    // What came at once is not counted.
    let mut in_flight: Option<BodyInFlight> = None;
    let head_until = Instant::now() + patience.head;
    let mut timer = pin!(sleep_until(head_until));
    loop {
        let read = tokio::select! {
            biased;
            read = read_some(stream, &mut begun.bytes) => read,
            () = gives_way(in_flight.as_ref()) => return begun.late(EarlyBody::GaveWay, awaited),
            () = timer.as_mut() => return begun.late(EarlyBody::Slow, awaited),
            // Whoever has begun is answered.
            () = stop.cancelled() => return begun.so_far(),
        };
        let read = match read {
            // hyper finds the same, and says what is to be said.
            Ok(0) | Err(_) => return begun.so_far(),
            Ok(read) => read,
        };
        let bytes = begun.bytes.len();
        let limits = patience.body.map(|(limits, _)| limits);
        if awaited == Awaited::Head {
            awaited = after_head(&begun.bytes, read, limits);
            let until = match (awaited, limits) {
                (Awaited::Body { .. }, Some(limits)) => Instant::now() + limits.timeout,
                _ => head_until.min(Instant::now() + patience.stall),
            };
            timer.as_mut().reset(until);
        }
        match awaited {
            Awaited::Body { until } if until <= bytes => {
                return Some(Begun { body: Some(EarlyBody::Whole), ..begun });
            }
            Awaited::Nothing => return Some(begun),
            Awaited::Head | Awaited::Body { .. } => {}
        }
        match (&in_flight, patience.body) {
            (Some(in_flight), _) => in_flight.grow(read),
            (None, Some((_, budget))) => in_flight.insert(budget.begin()).grow(bytes),
            (None, None) => {}
        }
    }
}

impl Begun {
    /// What is there, if something is.
    fn so_far(self) -> Option<Self> {
        (!self.bytes.is_empty()).then_some(self)
    }

    /// What is there, where it can be told that it is late: of a head that is not whole nothing can.
    fn late(self, late: EarlyBody, awaited: Awaited) -> Option<Self> {
        (awaited != Awaited::Head).then_some(Self { body: Some(late), ..self })
    }
}

/// What a request still needs, to be served without waiting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Awaited {
    Head,
    Body {
        /// How many bytes head and body have together.
        until: usize,
    },
    Nothing,
}

/// What a request needs of which `bytes` are there, `fresh` of them since the last look.
fn after_head(bytes: &[u8], fresh: usize, limits: Option<BodyLimits>) -> Awaited {
    if bytes.len() > MAX_HEAD {
        return Awaited::Nothing;
    }
    // A head that comes in crumbs is parsed once, at its end.
    let since = bytes.len().saturating_sub(fresh + 3);
    let ends = bytes[since..].windows(2).any(|pair| pair == b"\n\n")
        || bytes[since..].windows(3).any(|three| three == b"\n\r\n");
    if !ends {
        return Awaited::Head;
    }
    let mut headers = [EMPTY_HEADER; MOST_HEADERS];
    let mut request = httparse::Request::new(&mut headers);
    let Ok(Status::Complete(head)) = request.parse(bytes) else { return Awaited::Nothing };
    let (Some("POST"), Some(limits)) = (request.method, limits) else { return Awaited::Nothing };
    let mut length: Option<usize> = None;
    for header in &*request.headers {
        let is = |name: &HeaderName| header.name.eq_ignore_ascii_case(name.as_str());
        // The client waits for a word first; or its length is told as it comes.
        if is(&EXPECT) || is(&TRANSFER_ENCODING) {
            return Awaited::Nothing;
        }
        if is(&CONTENT_LENGTH) {
            let given = std::str::from_utf8(header.value).ok().and_then(|given| given.parse().ok());
            let (Some(given), None) = (given, length) else { return Awaited::Nothing };
            length = Some(given);
        }
    }
    match length {
        // A larger one is refused before it comes.
        Some(length) if length <= limits.max_bytes => Awaited::Body { until: head + length },
        _ => Awaited::Nothing,
    }
}

async fn gives_way(body: Option<&BodyInFlight>) {
    match body {
        Some(body) => body.gives_way().await,
        None => pending().await,
    }
}

/// Reads what is there to the end of `bytes`, and returns how much that was: 0 at the end of the client's side.
async fn read_some(stream: &TcpStream, bytes: &mut Vec<u8>) -> io::Result<usize> {
    poll_fn(|context| {
        loop {
            ready!(stream.poll_read_ready(context))?;
            let mut piece = [0; AT_ONCE];
            match stream.try_read(&mut piece) {
                Ok(read) => {
                    // As much as there is, and a little where there is much.
                    bytes.reserve_exact(read.max(bytes.len() / 4));
                    bytes.extend_from_slice(&piece[..read]);
                    return Poll::Ready(Ok(read));
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Poll::Ready(Err(error)),
            }
        }
    })
    .await
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// What a request needs of which these pieces have come.
    fn after(pieces: &[&[u8]]) -> Awaited {
        let mut bytes = Vec::new();
        let mut awaited = Awaited::Head;
        for piece in pieces {
            bytes.extend_from_slice(piece);
            if awaited == Awaited::Head {
                awaited = after_head(&bytes, piece.len(), Some(BodyLimits::default()));
            }
        }
        awaited
    }

    #[test]
    fn only_a_body_of_known_and_fair_length_is_waited_for() {
        let post = "POST /api/orders HTTP/1.1\r\nhost: a\r\n";
        let body = |head: &str| Awaited::Body { until: head.len() + 7 };
        for (head, awaited) in [
            (format!("{post}content-length: 7\r\n\r\n"), None),
            (format!("\r\n{post}Content-Length:7\r\n\r\n"), None),
            (format!("{post}content-length: 7\n\n"), None),
            (format!("{post}content-length: 7\r\n"), Some(Awaited::Head)),
            (format!("{post}\r\n"), Some(Awaited::Nothing)),
            (format!("{post}content-length: 65537\r\n\r\n"), Some(Awaited::Nothing)),
            (format!("{post}content-length: 18446744073709551616\r\n\r\n"), Some(Awaited::Nothing)),
            (format!("{post}content-length: 7, 7\r\n\r\n"), Some(Awaited::Nothing)),
            (
                format!("{post}content-length: 7\r\ncontent-length: 8\r\n\r\n"),
                Some(Awaited::Nothing),
            ),
            (
                format!("{post}content-length: 7\r\ntransfer-encoding: chunked\r\n\r\n"),
                Some(Awaited::Nothing),
            ),
            (
                format!("{post}content-length: 7\r\nexpect: 100-continue\r\n\r\n"),
                Some(Awaited::Nothing),
            ),
            ("GET / HTTP/1.1\r\ncontent-length: 7\r\n\r\n".to_owned(), Some(Awaited::Nothing)),
            ("no request\r\n\r\n".to_owned(), Some(Awaited::Nothing)),
            ("x".repeat(MAX_HEAD + 1), Some(Awaited::Nothing)),
        ] {
            assert_eq!(after(&[head.as_bytes()]), awaited.unwrap_or(body(&head)), "{head}");
        }
    }

    proptest! {
        #[test]
        fn it_does_not_matter_in_which_pieces_a_request_comes(
            cuts in prop::collection::vec(0_usize..70, 0..8),
            line_end in prop::sample::select(vec!["\r\n", "\n"]),
        ) {
            let request = ["POST /api/orders HTTP/1.1", "host: a", "content-length: 11", "", "{\"a\":\n\n\"b\"}"].join(line_end);
            let mut cuts: Vec<_> = cuts.into_iter().map(|cut| cut.min(request.len())).collect();
            cuts.extend([0, request.len()]);
            cuts.sort_unstable();
            let pieces: Vec<_> = cuts.windows(2).map(|cut| &request.as_bytes()[cut[0]..cut[1]]).collect();
            prop_assert_eq!(after(&pieces), Awaited::Body { until: request.len() });
        }
    }
}
