//! One connection, and what is read on it.

use std::net::SocketAddr;

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use super::{
    super::client::FOREVER,
    messages::{Expected, Message, Then},
};

/// How the bytes go out.
#[derive(Debug, Clone, Copy)]
pub(super) enum Sending {
    /// All at once.
    Whole,
    /// All at once, and then the sending side is shut down.
    HalfClosed,
    /// One at a time, each in a segment of its own.
    ByteByByte,
    /// In two pieces.
    CutAt(usize),
}

pub(super) struct Exchange<'a> {
    pub(super) addr: SocketAddr,
    pub(super) sending: Sending,
    pub(super) bytes: &'a [u8],
}

impl Exchange<'_> {
    /// Sends the bytes, and says what came back that should not have.
    pub(super) async fn run(&self, message: &Message) -> Result<(), String> {
        let stream = TcpStream::connect(self.addr).await.unwrap();
        stream.set_nodelay(true).unwrap();
        let (read, mut write) = stream.into_split();
        let mut answers = Answers::new(read);
        let half_closed = matches!(self.sending, Sending::HalfClosed);
        let sending = async {
            for piece in self.pieces() {
                // A server that has refused the first half may be gone by the second.
                if write.write_all(piece).await.is_err() {
                    break;
                }
                for _ in 0..3 {
                    tokio::task::yield_now().await;
                }
            }
            if half_closed {
                let _ = write.shutdown().await;
            }
        };
        let reading = async {
            for expected in message.answers {
                let status = answers.next(matches!(expected, Expected::Head)).await?;
                if !expected.is(status) {
                    return Err(format!("answered {status}, not as {expected:?}"));
                }
            }
            Ok(())
        };
        let timed = tokio::time::timeout(FOREVER, async { tokio::join!(sending, reading).1 });
        timed.await.map_err(|_| "no answer".to_owned())??;
        let again = b"GET /again HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
        if !half_closed && message.then == Then::Stays {
            write.write_all(again).await.map_err(|error| error.to_string())?;
            let status = tokio::time::timeout(FOREVER, answers.next(false));
            let status = status.await.map_err(|_| "no second answer".to_owned())??;
            if status != 404 {
                return Err(format!("the next request was answered {status}"));
            }
        }
        if !half_closed && message.then == Then::Closes {
            // What stands unfinished at the end is for the client to give up.
            let _ = write.shutdown().await;
        }
        let rest = tokio::time::timeout(FOREVER, answers.rest());
        match rest.await.map_err(|_| "the connection stays open".to_owned())?.as_slice() {
            [] => Ok(()),
            // The unfinished request is told so.
            rest if rest.starts_with(b"HTTP/1.1 400") => Ok(()),
            rest => Err(format!("more came: {}", String::from_utf8_lossy(rest))),
        }
    }

    fn pieces(&self) -> Vec<&[u8]> {
        match self.sending {
            Sending::Whole | Sending::HalfClosed => vec![self.bytes],
            Sending::ByteByByte => self.bytes.chunks(1).collect(),
            Sending::CutAt(at) => vec![&self.bytes[..at], &self.bytes[at..]],
        }
    }
}

impl Expected {
    fn is(self, status: u16) -> bool {
        match self {
            Self::Got | Self::Head => matches!(status, 200 | 404),
            Self::Made => matches!(status, 201 | 202),
            Self::Refused(statuses) => statuses.contains(&status),
        }
    }
}

/// The answers on a connection.
pub(super) struct Answers<R> {
    read: R,
    unread: Vec<u8>,
}

impl<R: AsyncReadExt + Unpin> Answers<R> {
    pub(super) fn new(read: R) -> Self {
        Self { read, unread: Vec::new() }
    }

    /// The status of the next answer, all of which is read; `100 Continue` is passed over.
    pub(super) async fn next(&mut self, is_head: bool) -> Result<u16, String> {
        loop {
            let head = self.until(b"\r\n\r\n").await?;
            let head = String::from_utf8(head).map_err(|error| error.to_string())?;
            let head = head.to_ascii_lowercase();
            let status = head.get(9..12).and_then(|status| status.parse().ok());
            let status: u16 = status.ok_or_else(|| format!("no answer: {head}"))?;
            if status == 100 {
                continue;
            }
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
            let length: usize = length.map_or(0, |length| length.parse().unwrap());
            if !is_head {
                self.exactly(length).await?;
            }
            return Ok(status);
        }
    }

    /// All that comes until the server closes.
    pub(super) async fn rest(mut self) -> Vec<u8> {
        // A reset after the last answer is a close too.
        let _ = self.read.read_to_end(&mut self.unread).await;
        self.unread
    }

    async fn until(&mut self, end: &[u8]) -> Result<Vec<u8>, String> {
        loop {
            if let Some(at) = self.unread.windows(end.len()).position(|window| window == end) {
                return Ok(self.unread.drain(..at + end.len()).collect());
            }
            self.more().await?;
        }
    }

    async fn exactly(&mut self, length: usize) -> Result<(), String> {
        while self.unread.len() < length {
            self.more().await?;
        }
        self.unread.drain(..length);
        Ok(())
    }

    async fn more(&mut self) -> Result<(), String> {
        match self.read.read_buf(&mut self.unread).await {
            Ok(0) => Err("closed without an answer".to_owned()),
            Ok(_) => Ok(()),
            Err(error) => Err(format!("closed without an answer: {error}")),
        }
    }
}
