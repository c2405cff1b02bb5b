//! Each client asks again when it has its answer: how much goes through at most.

use std::{
    net::SocketAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use super::{Connection, Seen};

/// Asks over `connections` connections, one request at a time on each.
pub async fn one_after_another(
    address: SocketAddr,
    request: Vec<u8>,
    connections: usize,
    lasting: Duration,
) -> Seen {
    ask(address, request, connections, lasting, false).await
}

/// The same, by clients that open another connection at once when theirs is closed.
pub async fn impatient(
    address: SocketAddr,
    request: Vec<u8>,
    connections: usize,
    lasting: Duration,
) -> Seen {
    ask(address, request, connections, lasting, true).await
}

async fn ask(
    address: SocketAddr,
    request: Vec<u8>,
    connections: usize,
    lasting: Duration,
    comes_again: bool,
) -> Seen {
    let request: Arc<[u8]> = request.into();
    let started = Instant::now();
    let until = started + lasting;
    let clients: Vec<_> = (0..connections)
        .map(|_| tokio::spawn(client(address, Arc::clone(&request), until, comes_again)))
        .collect();
    let mut all = Seen::nothing();
    for client in clients {
        all.add(&client.await.expect("a client"));
    }
    all.elapsed = started.elapsed();
    all
}

async fn client(
    address: SocketAddr,
    request: Arc<[u8]>,
    until: Instant,
    comes_again: bool,
) -> Seen {
    let mut seen = Seen::nothing();
    while Instant::now() < until {
        let Ok(mut connection) = Connection::open(address).await else {
            seen.note(None, Duration::ZERO);
            tokio::time::sleep(Duration::from_millis(10)).await;
            continue;
        };
        while Instant::now() < until {
            let asked = Instant::now();
            let Ok(answer) = connection.ask(&request).await else {
                seen.note(None, Duration::ZERO);
                break;
            };
            seen.note(Some(answer.status), asked.elapsed());
        }
        if !comes_again {
            break;
        }
    }
    seen
}
