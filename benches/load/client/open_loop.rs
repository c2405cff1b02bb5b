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
use tokio::sync::mpsc;
use uuid::Uuid;

use super::{Connection, Seen, order};

/// An order that was accepted, and when it was due to be placed.
pub struct Placed {
    pub id: Uuid,
    pub due: OffsetDateTime,
}

/// Places `rate` orders a second; at most `connections` at once.
pub async fn at_a_rate(
    address: SocketAddr,
    rate: f64,
    connections: usize,
    lasting: Duration,
) -> (Seen, Vec<Placed>) {
    place(address, order(), steadily(rate, lasting), connections, None).await
}

/// The same, and tells of each order as soon as it is accepted.
pub async fn at_a_rate_telling(
    address: SocketAddr,
    rate: f64,
    connections: usize,
    lasting: Duration,
    accepted: mpsc::UnboundedSender<Uuid>,
) -> (Seen, Vec<Placed>) {
    place(address, order(), steadily(rate, lasting), connections, Some(accepted)).await
}

fn steadily(rate: f64, lasting: Duration) -> Vec<Duration> {
    let between = Duration::from_secs_f64(1.0 / rate);
    let due = (0..).map(|nth| between.mul_f64(f64::from(nth)));
    due.take_while(|due| *due < lasting).collect()
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
    let due = all.take_while(|due| *due < lasting).collect();
    place(address, order, due, connections, None).await
}

async fn place(
    address: SocketAddr,
    order: Vec<u8>,
    due: Vec<Duration>,
    connections: usize,
    accepted: Option<mpsc::UnboundedSender<Uuid>>,
) -> (Seen, Vec<Placed>) {
    let schedule = Arc::new(Schedule {
        began: Instant::now(),
        began_at: OffsetDateTime::now_utc(),
        due,
        next: AtomicUsize::new(0),
        accepted,
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
    /// Who wants to know of each order that is accepted.
    accepted: Option<mpsc::UnboundedSender<Uuid>>,
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
            if let Some(accepted) = &schedule.accepted {
                let _ = accepted.send(id);
            }
            placed.push(Placed { id, due: schedule.began_at + due });
        }
        connection = Some(open);
    }
    (seen, placed)
}

fn order_id(body: &[u8]) -> Uuid {
    #[derive(serde::Deserialize)]
    struct Receipt {
        order_id: Uuid,
    }
    serde_json::from_slice::<Receipt>(body).expect("a receipt").order_id
}
