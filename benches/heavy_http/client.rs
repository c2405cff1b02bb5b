//! One connection, one request at a time.
//!
//! HTTP/1.1 by hand, so that asking costs little of the cores it shares with what it measures.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// How long the service may take to listen.
const TIMEOUT: Duration = Duration::from_secs(30);

pub struct Client {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Client {
    /// Connects, as soon as the service listens.
    pub async fn connect(address: SocketAddr) -> Self {
        let deadline = Instant::now() + TIMEOUT;
        let stream = loop {
            match TcpStream::connect(address).await {
                Ok(stream) => break stream,
                Err(error) => assert!(Instant::now() < deadline, "{error}"),
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        };
        stream.set_nodelay(true).unwrap();
        Self { stream, buffer: Vec::with_capacity(4_096) }
    }

    /// Asks for a path and returns the status.
    pub async fn get(&mut self, path: &str) -> u16 {
        let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n");
        self.stream.write_all(request.as_bytes()).await.unwrap();
        self.buffer.clear();
        loop {
            if let Some(head) = self.buffer.windows(4).position(|four| four == b"\r\n\r\n") {
                let text = String::from_utf8_lossy(&self.buffer[..head]).to_lowercase();
                let length = text.lines().find_map(|line| line.strip_prefix("content-length:"));
                let length: usize = length.map_or(0, |length| length.trim().parse().unwrap());
                if self.buffer.len() >= head + 4 + length {
                    return text[9..12].parse().unwrap();
                }
            }
            let read = self.stream.read_buf(&mut self.buffer).await.unwrap();
            assert!(read > 0, "the service closed the connection");
        }
    }
}
