//! A shop as a simulation of its events: orders come, wait in one queue, are taken up by workers, and end.

use std::{
    cmp::{Ordering, Reverse},
    collections::{BinaryHeap, HashMap, VecDeque},
    fmt,
    time::Duration,
};

use fastrand::Rng;
use woody_core::forecast::{Expectation, Forecaster, QueueSample, Within};

/// How long a validation takes, in seconds, around a mean.
#[derive(Debug, Clone, Copy)]
pub enum Takes {
    /// Exponential.
    AnyTime(f64),
    AlwaysTheSame(f64),
    /// Pareto with an infinite variance.
    SometimesVeryLong(f64),
    Mixed {
        mostly: f64,
        seldom: f64,
        one_in: u32,
    },
}

impl Takes {
    fn draw(self, rng: &mut Rng) -> f64 {
        match self {
            Self::AnyTime(mean) => exponential(rng, mean),
            Self::AlwaysTheSame(mean) => mean * (0.95 + 0.1 * rng.f64()),
            Self::SometimesVeryLong(mean) => mean * (0.7 / 1.7) / (1.0 - rng.f64()).powf(1.0 / 1.7),
            Self::Mixed { seldom, one_in, .. } if rng.u32(0..one_in) == 0 => {
                exponential(rng, seldom)
            }
            Self::Mixed { mostly, .. } => exponential(rng, mostly),
        }
    }
}

fn exponential(rng: &mut Rng, mean: f64) -> f64 {
    -mean * (1.0 - rng.f64()).ln()
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    None,
    /// A worker is gone for 3 s.
    Killed,
    /// Each worker is gone for 1.5 s, one after the other.
    Updated,
}

#[derive(Debug, Clone, Copy)]
pub struct Phase {
    pub name: &'static str,
    pub orders: usize,
    pub per_s: f64,
    /// Orders that come in the same moment, to the same service.
    pub together: usize,
    pub takes: Takes,
    pub change: Change,
}

#[derive(Debug, Clone, Copy)]
pub struct Shop {
    pub services: usize,
    pub workers: usize,
    /// Orders that a worker validates at once.
    pub at_once: usize,
}

/// How a phase went.
#[derive(Debug)]
pub struct Row {
    pub name: &'static str,
    pub orders: usize,
    /// Orders of which nothing was foretold.
    pub none: usize,
    /// In per cent of the others.
    pub kept_p50: f64,
    pub kept_p90: f64,
    /// How far orders were from their p50 on average, in seconds.
    pub error_s: f64,
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, orders, none, kept_p50, kept_p90, error_s } = self;
        write!(f, "{name:10} {orders:8} {none:6} {kept_p50:7.1} % {kept_p90:7.1} % {error_s:9.3} s")
    }
}

/// How often a service looks at the queue, in seconds; what it hears is a little late.
const LOOK: f64 = 0.25;
const NEWS: f64 = 0.003;
/// How many orders a service learns from each second, about.
const LEARNS: f64 = 16.0;

#[derive(Debug, Clone, Copy, PartialEq)]
enum Event {
    Come,
    Look,
    Done { worker: usize, order: usize, life: u32 },
    Heard(usize),
    Down(usize),
    Up(usize),
}

#[derive(Debug, Clone, Copy, PartialEq)]
struct At(f64, u64, Event);

impl Eq for At {}

impl PartialOrd for At {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for At {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.total_cmp(&other.0).then(self.1.cmp(&other.1))
    }
}

struct Order {
    phase: usize,
    service: usize,
    came: f64,
    told: Option<Within>,
    ended: f64,
}

#[derive(Default)]
struct Service {
    forecaster: Forecaster,
    watched: HashMap<usize, Expectation>,
    since_look: f64,
    per_s: f64,
}

struct Worker {
    is_up: bool,
    /// Counts its lives: what it held when it died is not done by it.
    life: u32,
    holds: Vec<usize>,
}

struct World<'a> {
    shop: Shop,
    phases: &'a [Phase],
    rng: Rng,
    events: BinaryHeap<Reverse<At>>,
    counted: u64,
    orders: Vec<Order>,
    waiting: VecDeque<usize>,
    services: Vec<Service>,
    workers: Vec<Worker>,
    ended: usize,
}

/// Returns how each phase went, and all together last.
pub fn simulate(shop: Shop, phases: &[Phase], seed: u64) -> Vec<Row> {
    let worker = || Worker { is_up: true, life: 0, holds: Vec::new() };
    let mut world = World {
        shop,
        phases,
        rng: Rng::with_seed(seed),
        events: BinaryHeap::new(),
        counted: 0,
        orders: Vec::new(),
        waiting: VecDeque::new(),
        services: (0..shop.services).map(|_| Service::default()).collect(),
        workers: (0..shop.workers).map(|_| worker()).collect(),
        ended: 0,
    };
    world.plan(0.0, Event::Look);
    world.plan(0.0, Event::Come);
    while let Some(Reverse(At(now, _, event))) = world.events.pop() {
        world.happens(now, event);
        world.take_up(now);
    }
    let of = |n: usize| move |order: &&Order| order.phase == n;
    let mut rows: Vec<Row> =
        (0..phases.len()).map(|n| row(phases[n].name, world.orders.iter().filter(of(n)))).collect();
    rows.push(row("all", world.orders.iter()));
    rows
}

impl World<'_> {
    fn plan(&mut self, at: f64, event: Event) {
        self.counted += 1;
        self.events.push(Reverse(At(at, self.counted, event)));
    }

    fn happens(&mut self, now: f64, event: Event) {
        match event {
            Event::Come => self.come(now),
            Event::Look => self.look(now),
            Event::Done { worker, order, life } if self.workers[worker].life == life => {
                self.workers[worker].holds.retain(|held| *held != order);
                self.orders[order].ended = now;
                self.ended += 1;
                self.plan(now + NEWS, Event::Heard(order));
            }
            Event::Done { .. } => {}
            Event::Heard(order) => self.heard(now, order),
            Event::Down(worker) => {
                let worker = &mut self.workers[worker];
                (worker.is_up, worker.life) = (false, worker.life + 1);
                for order in worker.holds.drain(..).rev() {
                    self.waiting.push_front(order);
                }
            }
            Event::Up(worker) => self.workers[worker].is_up = true,
        }
    }

    /// The phase in which the next order comes, and whether it is the first of it.
    fn phase(&self) -> Option<(usize, bool)> {
        let mut before = 0;
        for (n, phase) in self.phases.iter().enumerate() {
            if self.orders.len() < before + phase.orders {
                return Some((n, self.orders.len() == before));
            }
            before += phase.orders;
        }
        None
    }

    fn come(&mut self, now: f64) {
        let Some((n, is_first)) = self.phase() else { return };
        let phase = self.phases[n];
        if is_first {
            self.change(now, phase);
        }
        let service = self.rng.usize(0..self.shop.services);
        for _ in 0..phase.together {
            let order = self.orders.len();
            let asked = &mut self.services[service];
            let expected = asked.forecaster.accepted(Duration::from_secs_f64(now));
            asked.since_look += 1.0;
            if let Some(expected) = expected
                && self.rng.f64() < LEARNS / asked.per_s.max(LEARNS)
            {
                asked.watched.insert(order, expected);
            }
            let told = expected.and_then(|expected| expected.ends_within);
            self.orders.push(Order { phase: n, service, came: now, told, ended: now });
            self.waiting.push_back(order);
        }
        #[expect(clippy::cast_precision_loss, reason = "hundreds")]
        let gap = exponential(&mut self.rng, phase.together as f64 / phase.per_s);
        self.plan(now + gap, Event::Come);
    }

    fn change(&mut self, now: f64, phase: Phase) {
        match phase.change {
            Change::None => {}
            Change::Killed => {
                self.plan(now + 5.0, Event::Down(0));
                self.plan(now + 8.0, Event::Up(0));
            }
            Change::Updated => {
                let mut at = now + 3.0;
                for worker in 0..self.shop.workers {
                    self.plan(at, Event::Down(worker));
                    self.plan(at + 1.5, Event::Up(worker));
                    at += 4.0;
                }
            }
        }
    }

    fn look(&mut self, now: f64) {
        let workers = self.workers.iter().filter(|worker| worker.is_up).count() as u64;
        let waiting = self.waiting.len() as u64;
        let at = Duration::from_secs_f64(now);
        for service in &mut self.services {
            service.forecaster.sampled(QueueSample { at, waiting, workers: Some(workers) });
            service.per_s += (service.since_look / LOOK - service.per_s) / 32.0;
            service.since_look = 0.0;
        }
        if self.phase().is_some() || self.ended < self.orders.len() {
            self.plan(now + LOOK, Event::Look);
        }
    }

    fn heard(&mut self, now: f64, order: usize) {
        for service in &mut self.services {
            service.forecaster.ended();
        }
        let Order { service, came, ended, .. } = self.orders[order];
        let service = &mut self.services[service];
        if let Some(expected) = service.watched.remove(&order) {
            let took = Duration::from_secs_f64(ended - came);
            service.forecaster.learned(&expected, took, Duration::from_secs_f64(now));
        }
    }

    fn take_up(&mut self, now: f64) {
        while !self.waiting.is_empty() {
            let free = self.workers.iter().enumerate();
            let free = free.filter(|(_, w)| w.is_up && w.holds.len() < self.shop.at_once);
            let Some((worker, _)) = free.min_by_key(|(_, w)| w.holds.len()) else { break };
            let Some(order) = self.waiting.pop_front() else { break };
            let takes = self.phases[self.orders[order].phase].takes.draw(&mut self.rng);
            self.workers[worker].holds.push(order);
            let life = self.workers[worker].life;
            self.plan(now + 0.002 + takes, Event::Done { worker, order, life });
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "thousands")]
fn row<'a>(name: &'static str, orders: impl Iterator<Item = &'a Order>) -> Row {
    let (mut all, mut told, mut p50, mut p90, mut error) = (0, 0, 0, 0, 0.0);
    for order in orders {
        all += 1;
        let Some(within) = order.told else { continue };
        let took = order.ended - order.came;
        told += 1;
        p50 += usize::from(took <= within.p50.as_secs_f64());
        p90 += usize::from(took <= within.p90.as_secs_f64());
        error += (took - within.p50.as_secs_f64()).abs();
    }
    let of = told.max(1) as f64;
    let (kept_p50, kept_p90) = (100.0 * p50 as f64 / of, 100.0 * p90 as f64 / of);
    Row { name, orders: all, none: all - told, kept_p50, kept_p90, error_s: error / of }
}
