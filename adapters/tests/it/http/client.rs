//! A client that sends what it is told to the letter.

use std::{net::SocketAddr, time::Duration};

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::{HeaderMap, Request, StatusCode, client::conn::http1};
use hyper_util::rt::TokioIo;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

/// Long enough on a busy machine; a test that gets here has failed.
pub(super) const FOREVER: Duration = Duration::from_mins(1);

/// What came back.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

impl Answer {
    pub(super) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    pub(super) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    pub(super) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

/// Sends one request on a connection of its own.
pub(super) async fn send(addr: SocketAddr, request: Request<Full<Bytes>>) -> Answer {
    tokio::time::timeout(FOREVER, try_send(addr, request)).await.unwrap().unwrap()
}

/// Like [`send`], where the connection may fail.
pub(super) async fn try_send(
    addr: SocketAddr,
    mut request: Request<Full<Bytes>>,
) -> Result<Answer, Box<dyn std::error::Error + Send + Sync>> {
    if !request.headers().contains_key("host") {
        request.headers_mut().insert("host", "localhost".parse()?);
    }
    let stream = TcpStream::connect(addr).await?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    tokio::spawn(connection);
    let response = sender.send_request(request).await?;
    let (head, body) = response.into_parts();
    let body = body.collect().await?.to_bytes();
    Ok(Answer { status: head.status, headers: head.headers, body })
}

/// A request: `GET /path`, headers as `name: value`, and a body.
pub(super) fn request(
    line: &str,
    headers: &[&str],
    body: impl Into<Bytes>,
) -> Request<Full<Bytes>> {
    let (method, path) = line.split_once(' ').unwrap();
    let mut request = Request::builder().method(method).uri(path);
    for header in headers {
        let (name, value) = header.split_once(": ").unwrap();
        request = request.header(name, value);
    }
    request.body(Full::new(body.into())).unwrap()
}

/// Sends bytes, whatever they are, and returns all that comes back until the
/// server closes.
pub(super) async fn raw(addr: SocketAddr, bytes: &[u8]) -> String {
    let mut stream = TcpStream::connect(addr).await.unwrap();
    stream.write_all(bytes).await.unwrap();
    rest(stream).await
}

/// All that comes on `stream` until the server closes it.
pub(super) async fn rest(mut stream: TcpStream) -> String {
    let mut answer = Vec::new();
    let all = stream.read_to_end(&mut answer);
    // A reset after the answer is a close too.
    let _ = tokio::time::timeout(FOREVER, all).await.expect("the server never closed");
    String::from_utf8(answer).unwrap()
}
