//! Requests come when they come, whether or not those before are answered: what a shop
//! sees, and the only honest way to measure latency. A request counts from the moment at
//! which it was due, so one that had to wait for a stalled service shows it (no coordinated
//! omission).

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use time::OffsetDateTime;

use super::{Connection, Seen, order};

/// An order that was accepted, and when it was due to be placed.
pub struct Placed {
    pub id: uuid::Uuid,
    pub due: OffsetDateTime,
}

/// Places `rate` orders a second; at most `connections` at once.
pub async fn at_a_rate(
    address: SocketAddr,
    rate: f64,
    connections: usize,
    lasting: Duration,
) -> (Seen, Vec<Placed>) {
    let between = Duration::from_secs_f64(1.0 / rate);
    let due = (0..).map(|nth| between.mul_f64(f64::from(nth)));
    place(address, order(), due.take_while(|due| *due < lasting).collect(), connections).await
}

/// Places `rate` orders a second on average, each whatever the others do (a Poisson process),
/// as many clients would.
pub async fn at_random(
    address: SocketAddr,
    order: Vec<u8>,
    rate: f64,
    connections: usize,
    lasting: Duration,
) -> (Seen, Vec<Placed>) {
    let mut chance = fastrand::Rng::with_seed(1);
    let mut due = 0.0;
    let all = std::iter::from_fn(|| {
        due -= (1.0 - chance.f64()).ln() / rate;
        Some(Duration::from_secs_f64(due))
    });
    place(address, order, all.take_while(|due| *due < lasting).collect(), connections).await
}

async fn place(
    address: SocketAddr,
    order: Vec<u8>,
    due: Vec<Duration>,
    connections: usize,
) -> (Seen, Vec<Placed>) {
    let schedule = Arc::new(Schedule {
        began: Instant::now(),
        began_at: OffsetDateTime::now_utc(),
        due,
        next: AtomicUsize::new(0),
    });
    let clients: Vec<_> = (0..connections)
        .map(|_| tokio::spawn(client(address, order.clone(), Arc::clone(&schedule))))
        .collect();
    let (mut all, mut placed) = (Seen::nothing(), Vec::new());
    for client in clients {
        let (seen, mine) = client.await.expect("a client");
        all.add(&seen);
        placed.extend(mine);
    }
    all.elapsed = schedule.began.elapsed();
    (all, placed)
}

struct Schedule {
    began: Instant,
    began_at: OffsetDateTime,
    /// When each request is due, from the beginning.
    due: Vec<Duration>,
    next: AtomicUsize,
}

impl Schedule {
    /// When the next request is due; `None` when none is any more.
    fn next(&self) -> Option<Duration> {
        self.due.get(self.next.fetch_add(1, Ordering::Relaxed)).copied()
    }
}

async fn client(
    address: SocketAddr,
    request: Vec<u8>,
    schedule: Arc<Schedule>,
) -> (Seen, Vec<Placed>) {
    let (mut seen, mut placed) = (Seen::nothing(), Vec::new());
    let mut connection = None;
    while let Some(due) = schedule.next() {
        tokio::time::sleep_until((schedule.began + due).into()).await;
        let open = match connection.take() {
            Some(open) => Ok(open),
            None => Connection::open(address).await,
        };
        let Ok(mut open) = open else {
            seen.note(None, Duration::ZERO);
            continue;
        };
        let Ok(answer) = open.ask(&request).await else {
            seen.note(None, Duration::ZERO);
            continue;
        };
        seen.note(Some(answer.status), schedule.began.elapsed().saturating_sub(due));
        if answer.status == 202 {
            let id = order_id(answer.body);
            placed.push(Placed { id, due: schedule.began_at + due });
        }
        connection = Some(open);
    }
    (seen, placed)
}

fn order_id(body: &[u8]) -> uuid::Uuid {
    #[derive(serde::Deserialize)]
    struct Receipt {
        order_id: uuid::Uuid,
    }
    serde_json::from_slice::<Receipt>(body).expect("a receipt").order_id
}
