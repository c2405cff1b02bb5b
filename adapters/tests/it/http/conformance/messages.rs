//! What is sent, and what must come back.

/// One or more requests as a client writes them. `{get}`, `{post}`, `{body}` and
/// so on are the service's own; see [`Service::fill`](super::services::Service::fill).
pub(super) struct Message {
    pub(super) name: &'static str,
    pub(super) bytes: &'static str,
    /// The answers, in their order.
    pub(super) answers: &'static [Expected],
    pub(super) then: Then,
}

/// One answer.
#[derive(Debug, Clone, Copy)]
pub(super) enum Expected {
    /// To a GET: 200, or 404 from a service whose route names an order.
    Got,
    /// The head of that alone.
    Head,
    /// To a POST: 201 or 202.
    Made,
    /// A refusal with one of these statuses.
    Refused(&'static [u16]),
}

/// What the connection does after the answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Then {
    /// It takes another request.
    Stays,
    /// The server closes it.
    Closes,
}

use Expected::{Got, Head, Made, Refused};
use Then::{Closes, Stays};

const BAD: Expected = Refused(&[400]);

const fn message(
    name: &'static str,
    bytes: &'static str,
    answers: &'static [Expected],
    then: Then,
) -> Message {
    Message { name, bytes, answers, then }
}

#[rustfmt::skip]
pub(super) const MESSAGES: &[Message] = &[
    message("a GET", "GET {get} HTTP/1.1\r\nHost: x\r\n\r\n", &[Got], Stays),
    message("a GET with bare line feeds", "GET {get} HTTP/1.1\nHost: x\n\n", &[Got], Stays),
    message("a GET after empty lines", "\r\n\r\nGET {get} HTTP/1.1\r\nHost: x\r\n\r\n", &[Got], Stays),
    message("a GET and CRLF", "GET {get} HTTP/1.1\r\nHost: x\r\n\r\n\r\n", &[Got], Stays),
    message("a GET with odd blanks in its headers", "GET {get} HTTP/1.1\r\nhOsT:x \t\r\nX-A:\t 1\r\nx-b:\r\n\r\n", &[Got], Stays),
    message("a GET in absolute form", "GET http://shop.test{get} HTTP/1.1\r\nHost: shop.test\r\n\r\n", &[Got], Stays),
    message("a GET that closes", "GET {get} HTTP/1.1\r\nHost: x\r\nConnection: Close\r\n\r\n", &[Got], Closes),
    message("a HEAD", "HEAD {get} HTTP/1.1\r\nHost: x\r\n\r\n", &[Head], Stays),
    message("HTTP/1.0", "GET {get} HTTP/1.0\r\n\r\n", &[Got], Closes),
    message("HTTP/1.0 that stays", "GET {get} HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", &[Got], Stays),
    message("three pipelined GETs", "GET {get} HTTP/1.1\r\nHost: x\r\n\r\nHEAD {get} HTTP/1.1\r\nHost: x\r\n\r\nGET {get} HTTP/1.1\r\nHost: x\r\n\r\n", &[Got, Head, Got], Stays),
    message("a GET and the first bytes of the next", "GET {get} HTTP/1.1\r\nHost: x\r\n\r\nGE", &[Got], Closes),
    message("a GET and garbage", "GET {get} HTTP/1.1\r\nHost: x\r\n\r\n\x01\x02\r\n\r\n", &[Got, BAD], Closes),

    message("a POST", "POST {post} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}", &[Made], Stays),
    message("a POST and CRLF", "POST {post} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}\r\n", &[Made], Stays),
    message("a POST and the first bytes of the next", "POST {post} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}POST {po", &[Made], Closes),
    message("two pipelined POSTs and a GET", "POST {post} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}POST {post} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}GET {get} HTTP/1.1\r\nHost: x\r\n\r\n", &[Made, Made, Got], Stays),
    message("a POST with Expect", "POST {post} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nExpect: 100-continue\r\nContent-Length: {length}\r\n\r\n{body}", &[Made], Stays),
    message("a POST with two lengths that agree", "POST {post} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: {length}\r\nContent-Length: {length}\r\n\r\n{body}", &[Made], Stays),
    message("a POST in chunks", "POST {post} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n{size1}\r\n{chunk1}\r\n{size2}\r\n{chunk2}\r\n0\r\n\r\n", &[Made], Stays),
    message("a POST in chunks with extensions", "POST {post} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n{size1};a=1;b=\"2\"\r\n{chunk1}\r\n{size2};c\r\n{chunk2}\r\n0;d\r\n\r\n", &[Made], Stays),
    message("a POST in chunks with trailers", "POST {post} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTrailer: X-Sum\r\nTransfer-Encoding: chunked\r\n\r\n{size1}\r\n{chunk1}\r\n{size2}\r\n{chunk2}\r\n0\r\nX-Sum: 1\r\nX-More: 2\r\n\r\n", &[Made], Stays),

    message("garbage", "\x01\x02\x03\r\n\r\n", &[BAD], Closes),
    message("words that are no request", "nonsense\r\n\r\n", &[BAD], Closes),
    message("a version from the future", "GET {get} HTTP/9.9\r\nHost: x\r\n\r\n", &[Refused(&[400, 505])], Closes),
    message("a header without a colon", "GET {get} HTTP/1.1\r\nHost: x\r\nbad header\r\n\r\n", &[BAD], Closes),
    message("a blank before the colon", "GET {get} HTTP/1.1\r\nHost : x\r\n\r\n", &[BAD], Closes),
    message("a folded header", "GET {get} HTTP/1.1\r\nHost: x\r\nA: b\r\n c\r\n\r\n", &[BAD], Closes),
    message("no Host", "GET {get} HTTP/1.1\r\nAccept: */*\r\n\r\n", &[BAD], Closes),
    message("two Hosts", "GET {get} HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n", &[BAD], Closes),
    message("two lengths", "POST {get} HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nabc", &[BAD], Closes),
    message("a length that is none", "POST {get} HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n", &[BAD], Closes),
    message("chunked, but not last", "POST {get} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n", &[BAD], Closes),
    message("a coding below chunked", "POST {post} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", &[Refused(&[501])], Closes),
    message("a chunk's size that is none", "POST {post} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{body}\r\n0\r\n\r\n", &[BAD], Closes),
    message("a POST that nobody takes, its body unread", "POST {get}x HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc", &[Refused(&[404, 405])], Closes),
];
