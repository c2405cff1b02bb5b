//! What a simulation saw.

use super::deployment::Process;

/// When each order came by.
#[derive(Debug)]
pub(super) struct Orders {
    all: Vec<Order>,
    worked: [f64; 4],
    logged: f64,
}

#[derive(Debug, Clone, Copy, Default)]
struct Order {
    arrived: f64,
    accepted: f64,
    taken: f64,
    ended: f64,
    given_back: f64,
}

/// What is to be said of them.
#[derive(Debug)]
pub(super) struct Seen {
    /// From the request to the response, sorted.
    pub(super) accepted: Vec<f64>,
    /// From the request to the final state, sorted.
    pub(super) ended: Vec<f64>,
    /// How long an order takes one of the places of its worker, on average.
    pub(super) held: f64,
    /// Orders that ended in a second.
    pub(super) rate: f64,
    /// Processor time of each process for each order, in seconds.
    pub(super) worked: [f64; 4],
    /// Bytes of PostgreSQL's log for each order.
    pub(super) logged: f64,
}

impl Orders {
    pub(super) fn new(orders: usize) -> Self {
        Self { all: vec![Order::default(); orders], worked: [0.0; 4], logged: 0.0 }
    }

    pub(super) fn len(&self) -> usize {
        self.all.len()
    }

    pub(super) fn arrived(&mut self, order: usize, now: f64) {
        self.all[order].arrived = now;
    }

    pub(super) fn accepted(&mut self, order: usize, now: f64) {
        self.all[order].accepted = now;
    }

    pub(super) fn taken(&mut self, order: usize, now: f64) {
        self.all[order].taken = now;
    }

    pub(super) fn ended(&mut self, order: usize, now: f64) {
        self.all[order].ended = now;
    }

    pub(super) fn given_back(&mut self, order: usize, now: f64) {
        self.all[order].given_back = now;
    }

    pub(super) fn worked(&mut self, process: Process, seconds: f64) {
        self.worked[process as usize] += seconds;
    }

    pub(super) fn logged(&mut self, bytes: f64) {
        self.logged += bytes;
    }

    /// Leaves out the first fifth, while the shop fills, and from the rates the last, while it empties.
    #[expect(clippy::cast_precision_loss, reason = "orders are counted in hundreds of thousands")]
    pub(super) fn finish(self, orders: usize) -> Seen {
        let usual = &self.all[orders / 5..];
        let sorted = |time: fn(&Order) -> f64| {
            let mut times: Vec<f64> = usual.iter().map(time).collect();
            times.sort_by(f64::total_cmp);
            times
        };
        let held = usual.iter().map(|order| order.given_back - order.taken).sum::<f64>();
        let mut ends: Vec<f64> = self.all.iter().map(|order| order.ended).collect();
        ends.sort_by(f64::total_cmp);
        let (from, to) = (orders / 5, orders * 4 / 5);
        let took = ends.get(to).zip(ends.get(from)).map_or(0.0, |(to, from)| to - from);
        Seen {
            accepted: sorted(|order| order.accepted - order.arrived),
            ended: sorted(|order| order.ended - order.arrived),
            held: held / usual.len().max(1) as f64,
            rate: if took > 0.0 { (to - from) as f64 / took } else { f64::INFINITY },
            worked: self.worked.map(|seconds| seconds / orders.max(1) as f64),
            logged: self.logged / orders.max(1) as f64,
        }
    }
}

/// The time that so many of 100 stay below.
pub(super) fn percentile(sorted: &[f64], of_100: usize) -> f64 {
    let nth = (sorted.len() * of_100).div_ceil(100).saturating_sub(1);
    sorted.get(nth).copied().unwrap_or(0.0)
}
