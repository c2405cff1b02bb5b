//! HTTP/1.1 by hand, so that the load costs little of the cores that it shares with what
//! it measures.

use std::{io, net::SocketAddr};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

/// One connection that is kept open.
pub struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
}

/// What was asked for was answered.
pub struct Answer<'a> {
    pub status: u16,
    pub body: &'a [u8],
}

impl Connection {
    pub async fn open(address: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, buffer: Vec::with_capacity(4_096) })
    }

    /// Sends a request and reads the whole answer, which must say its length.
    pub async fn ask(&mut self, request: &[u8]) -> io::Result<Answer<'_>> {
        self.stream.write_all(request).await?;
        self.buffer.clear();
        let (head, length) = loop {
            if let Some(head) = self.buffer.windows(4).position(|four| four == b"\r\n\r\n") {
                break (head, content_length(&self.buffer[..head])?);
            }
            self.read_more().await?;
        };
        while self.buffer.len() < head + 4 + length {
            self.read_more().await?;
        }
        let status = std::str::from_utf8(&self.buffer[9..12]).ok().and_then(|s| s.parse().ok());
        let status = status.ok_or_else(|| io::Error::other("no status line"))?;
        Ok(Answer { status, body: &self.buffer[head + 4..head + 4 + length] })
    }

    /// Sends a request whose answer is a stream of events, and waits until `wanted` is in it.
    pub async fn follow(&mut self, request: &[u8], wanted: &[u8]) -> io::Result<()> {
        self.stream.write_all(request).await?;
        self.buffer.clear();
        while !self.buffer.windows(wanted.len()).any(|part| part == wanted) {
            self.read_more().await?;
        }
        Ok(())
    }

    async fn read_more(&mut self) -> io::Result<()> {
        match self.stream.read_buf(&mut self.buffer).await? {
            0 => Err(io::ErrorKind::UnexpectedEof.into()),
            _ => Ok(()),
        }
    }
}

fn content_length(head: &[u8]) -> io::Result<usize> {
    const NAME: &str = "content-length:";
    let text = std::str::from_utf8(head).map_err(io::Error::other)?;
    let line = text
        .lines()
        .find(|line| line.get(..NAME.len()).is_some_and(|name| name.eq_ignore_ascii_case(NAME)));
    line.map_or(Ok(0), |line| line[NAME.len()..].trim().parse().map_err(io::Error::other))
}

/// A GET of `path`.
pub fn get(path: &str) -> Vec<u8> {
    format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n").into_bytes()
}

/// The order that is placed over and over.
pub fn order() -> Vec<u8> {
    order_of("Train", 1)
}

/// An order of so many toys.
pub fn order_of(product: &str, quantity: u32) -> Vec<u8> {
    post("/api/orders", &format!(r#"{{"product": "{product}", "quantity": {quantity}}}"#))
}

/// A POST of JSON.
pub fn post(path: &str, body: &str) -> Vec<u8> {
    format!(
        "POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n\
         Content-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}
