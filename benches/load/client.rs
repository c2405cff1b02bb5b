//! Clients that place orders as fast as they are answered.
//!
//! HTTP/1.1 by hand, so that the load costs little of the two cores it shares
//! with what it measures.

use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

use hdrhistogram::Histogram;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

/// What the clients saw.
pub struct Accepted {
    pub count: u64,
    pub refused: u64,
    elapsed: Duration,
    /// In microseconds.
    latencies: Histogram<u64>,
}

/// What keeps three digits of every time up to a minute.
fn latencies() -> Histogram<u64> {
    Histogram::new_with_bounds(1, 60_000_000, 3).unwrap()
}

impl Accepted {
    pub fn per_second(&self) -> f64 {
        self.count as f64 / self.elapsed.as_secs_f64()
    }

    pub fn p99_ms(&self) -> f64 {
        self.latencies.value_at_quantile(0.99) as f64 / 1_000.0
    }
}

/// Places orders over `connections` connections, one at a time on each.
pub async fn place_orders(address: SocketAddr, connections: usize, lasting: Duration) -> Accepted {
    let started = Instant::now();
    let until = started + lasting;
    let clients: Vec<_> =
        (0..connections).map(|_| tokio::spawn(place_until(address, until))).collect();
    let (mut latencies, mut refused) = (latencies(), 0);
    for client in clients {
        let (mine, my_refused) = client.await.unwrap();
        latencies.add(mine).unwrap();
        refused += my_refused;
    }
    let elapsed = started.elapsed();
    Accepted { count: latencies.len(), refused, elapsed, latencies }
}

async fn place_until(address: SocketAddr, until: Instant) -> (Histogram<u64>, u64) {
    const BODY: &str = r#"{"product": "Train", "quantity": 1}"#;
    let request = format!(
        "POST /api/orders HTTP/1.1\r\nHost: shop\r\nContent-Type: application/json\r\n\
         Content-Length: {}\r\n\r\n{BODY}",
        BODY.len()
    );
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.set_nodelay(true).unwrap();
    let (mut latencies, mut refused) = (latencies(), 0);
    let mut buffer = Vec::with_capacity(4_096);
    while Instant::now() < until {
        let asked = Instant::now();
        stream.write_all(request.as_bytes()).await.unwrap();
        if answer(&mut stream, &mut buffer).await == 202 {
            latencies.saturating_record(u64::try_from(asked.elapsed().as_micros()).unwrap());
        } else {
            refused += 1;
        }
    }
    (latencies, refused)
}

/// Reads one answer and gives its status.
async fn answer(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> u16 {
    buffer.clear();
    loop {
        if let Some(head) = buffer.windows(4).position(|four| four == b"\r\n\r\n") {
            let text = String::from_utf8_lossy(&buffer[..head]).to_lowercase();
            let length: usize = text
                .lines()
                .find_map(|line| line.strip_prefix("content-length:"))
                .map_or(0, |length| length.trim().parse().unwrap());
            if buffer.len() >= head + 4 + length {
                return text[9..12].parse().unwrap();
            }
        }
        assert!(stream.read_buf(buffer).await.unwrap() > 0, "the service closed the connection");
    }
}
