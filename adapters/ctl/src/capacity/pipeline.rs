//! The order's way as a simulation: what waits for what, and for how long.
//!
//! | step | who waits | for |
//! | --- | --- | --- |
//! | accept | an order | the commit under way in its order-service; those that wait share the next |
//! | publish | what was committed | the publish under way in that order-service |
//! | queue | a message | a worker that holds fewer than its prefetch |
//! | look, save | what the worker received, or has validated | the statement under way in that worker |
//! | validate | an order that computes | a core that nothing else wants |
//! | all of them | processor time | a core, which all that run share |
//!
//! Not in it: the network between machines, garbage collection, checkpoints, vacuum, and whatever else a machine does.

use std::collections::{BinaryHeap, VecDeque};

use super::{
    cores::{Cores, Due},
    costs::Costs,
    deployment::{Deployment, Hardware, Load, Process},
    random::Chance,
    seen::{Orders, Seen},
};

/// The most orders in one commit, look or save.
const BATCH: usize = 512;
/// How long entries of published orders wait for others before they are deleted.
const CLEARS_AFTER: f64 = 0.05;

/// Where the orders are when it begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Begins {
    /// With their clients, each of which comes when it comes.
    Arriving,
    /// All in the queue.
    Queued,
}

/// Simulates so many orders, from the first to the end of the last.
pub(super) fn simulate(
    load: &Load,
    deployment: &Deployment,
    costs: &Costs,
    orders: usize,
    begins: Begins,
) -> Seen {
    let mut simulation = Simulation::new(load, deployment, costs, orders);
    if begins == Begins::Queued {
        simulation.queue.extend(0..orders);
        simulation.stagger();
        simulation.dispatch();
    }
    simulation.run(begins);
    simulation.seen.finish(orders)
}

#[derive(Debug, Clone, Copy)]
enum Step {
    Work(Process, f64),
    Compute(f64),
    Wait(f64),
}

/// Steps one after the other, and what they lead to.
#[derive(Debug)]
struct Task {
    steps: VecDeque<Step>,
    then: Then,
}

#[derive(Debug)]
enum Then {
    Arrived { order: usize },
    Committed { service: usize, orders: Vec<usize> },
    Published { service: usize, orders: Vec<usize> },
    ToClear { service: usize },
    Received { worker: usize, order: usize },
    Looked { worker: usize, orders: Vec<usize> },
    Validated { worker: usize, order: usize },
    Computed { worker: usize, order: usize },
    Saved { worker: usize, orders: Vec<usize> },
    Acknowledged { worker: usize, orders: Vec<usize> },
    Nothing,
}

/// Those that wait for a turn, one of which is under way at a time.
#[derive(Debug, Default)]
struct Group {
    is_busy: bool,
    waiting: VecDeque<usize>,
}

impl Group {
    /// The next batch, if it is its turn.
    fn next(&mut self) -> Option<Vec<usize>> {
        if self.is_busy || self.waiting.is_empty() {
            return None;
        }
        self.is_busy = true;
        let most = self.waiting.len().min(BATCH);
        Some(self.waiting.drain(..most).collect())
    }
}

#[derive(Debug, Default)]
struct Service {
    commits: Group,
    publishes: Group,
    to_clear: usize,
}

#[derive(Debug, Default)]
struct Worker {
    looks: Group,
    saves: Group,
    computing: f64,
    to_compute: VecDeque<usize>,
}

struct Simulation<'a> {
    load: &'a Load,
    costs: &'a Costs,
    threads: f64,
    now: f64,
    arrivals: Chance,
    /// How long each order is validated.
    validations: Vec<f64>,
    cores: Vec<Cores>,
    waits: BinaryHeap<Due>,
    tasks: Vec<Option<Task>>,
    free: Vec<usize>,
    /// What comes next at this very time.
    at_once: VecDeque<Then>,
    services: Vec<Service>,
    queue: VecDeque<usize>,
    workers: Vec<Worker>,
    /// A worker for each order that it may take, whose turn it is first.
    places: VecDeque<usize>,
    seen: Orders,
}

impl<'a> Simulation<'a> {
    fn new(load: &'a Load, deployment: &Deployment, costs: &'a Costs, orders: usize) -> Self {
        let cores = match deployment.hardware {
            Hardware::Shared(cores) => vec![cores],
            Hardware::Apart(cores) => cores.to_vec(),
        };
        let some = |count: u32| count.max(1) as usize;
        let (services, workers) = (some(deployment.order_services), some(deployment.workers));
        let (mean, spread) = (load.validation.mean, load.validation.spread);
        let mut chance = Chance::new(2);
        let validations = std::iter::repeat_with(|| chance.time(mean, spread));
        // No more places than orders: a deployment may have millions.
        let places = (0..some(deployment.prefetch)).flat_map(|_| 0..workers).take(orders);
        Self {
            load,
            costs,
            threads: deployment.hardware.of_workers(),
            now: 0.0,
            arrivals: Chance::new(1),
            validations: validations.take(orders).collect(),
            cores: cores.into_iter().map(Cores::new).collect(),
            waits: BinaryHeap::new(),
            tasks: Vec::new(),
            free: Vec::new(),
            at_once: VecDeque::new(),
            services: std::iter::repeat_with(Service::default).take(services).collect(),
            queue: VecDeque::new(),
            workers: std::iter::repeat_with(Worker::default).take(workers).collect(),
            places: places.collect(),
            seen: Orders::new(orders),
        }
    }

    /// Shortens what is validated first, as if it had begun before: workers do not go in step.
    fn stagger(&mut self) {
        let mut chance = Chance::new(3);
        for time in self.validations.iter_mut().take(self.places.len()) {
            *time *= chance.part();
        }
    }

    fn run(&mut self, begins: Begins) {
        let mut to_come = if begins == Begins::Arriving { self.seen.len() } else { 0 };
        let between = 1.0 / self.load.rate;
        let mut arrives = self.arrivals.time(between, self.load.arrivals);
        loop {
            while let Some(then) = self.at_once.pop_front() {
                self.go_on(then);
            }
            let arrival = if to_come > 0 { arrives } else { f64::INFINITY };
            let wait = self.waits.peek().map_or(f64::INFINITY, |due| due.at);
            let done = self.cores.iter().map(|cores| cores.next().unwrap_or(f64::INFINITY));
            let (busiest, done) = done
                .enumerate()
                .min_by(|(_, one), (_, other)| one.total_cmp(other))
                .unwrap_or((0, f64::INFINITY));
            let next = arrival.min(wait).min(done);
            if next.is_infinite() {
                return;
            }
            self.now = next.max(self.now);
            if arrival <= next {
                let order = self.seen.len() - to_come;
                to_come -= 1;
                arrives += self.arrivals.time(between, self.load.arrivals);
                self.seen.arrived(order, self.now);
                let request = Step::Work(Process::OrderService, self.costs.request.each);
                self.begin([request], Then::Arrived { order });
            } else if wait <= next {
                if let Some(due) = self.waits.pop() {
                    self.step(due.what);
                }
            } else if let Some(task) = self.cores[busiest].done(self.now) {
                self.step(task);
            }
        }
    }

    fn begin(&mut self, steps: impl IntoIterator<Item = Step>, then: Then) {
        let task = Some(Task { steps: steps.into_iter().collect(), then });
        let place = if let Some(place) = self.free.pop() {
            self.tasks[place] = task;
            place
        } else {
            self.tasks.push(task);
            self.tasks.len() - 1
        };
        self.step(place);
    }

    /// Begins the next step of a task, or what comes after its last.
    fn step(&mut self, place: usize) {
        loop {
            let Some(task) = &mut self.tasks[place] else { return };
            let (process, seconds, is_heavy) = match task.steps.pop_front() {
                Some(Step::Work(process, seconds)) => (process, seconds, false),
                Some(Step::Compute(seconds)) => (Process::OrderWorker, seconds, true),
                Some(Step::Wait(seconds)) => {
                    if seconds > 0.0 {
                        return self.waits.push(Due { at: self.now + seconds, what: place });
                    }
                    continue;
                }
                None => break,
            };
            if seconds > 0.0 {
                self.seen.worked(process, seconds);
                let whose = if self.cores.len() == 1 { 0 } else { process as usize };
                return self.cores[whose].add(self.now, seconds, is_heavy, place);
            }
        }
        if let Some(task) = self.tasks[place].take() {
            self.free.push(place);
            self.at_once.push_back(task.then);
        }
    }

    fn go_on(&mut self, then: Then) {
        match then {
            Then::Arrived { order } => {
                let service = order % self.services.len();
                self.services[service].commits.waiting.push_back(order);
                self.commit(service);
            }
            Then::Committed { service, orders } => {
                for order in &orders {
                    self.seen.accepted(*order, self.now);
                }
                self.services[service].commits.is_busy = false;
                self.services[service].publishes.waiting.extend(orders);
                self.commit(service);
                self.publish(service);
            }
            Then::Published { service, orders } => {
                let this = &mut self.services[service];
                this.publishes.is_busy = false;
                if this.to_clear == 0 {
                    self.begin([Step::Wait(CLEARS_AFTER)], Then::ToClear { service });
                }
                self.services[service].to_clear += orders.len();
                self.queue.extend(orders);
                self.publish(service);
                self.dispatch();
            }
            Then::ToClear { service } => {
                let orders = std::mem::take(&mut self.services[service].to_clear);
                let clear = self.costs.clear.of(count(orders));
                self.begin([Step::Work(Process::Postgres, clear)], Then::Nothing);
            }
            Then::Received { worker, order } => {
                self.workers[worker].looks.waiting.push_back(order);
                self.look(worker);
            }
            Then::Looked { worker, orders } => {
                self.workers[worker].looks.is_busy = false;
                for order in orders {
                    self.validate(worker, order);
                }
                self.look(worker);
            }
            Then::Computed { worker, order } => {
                self.workers[worker].computing -= 1.0;
                if let Some(next) = self.workers[worker].to_compute.pop_front() {
                    self.validate(worker, next);
                }
                self.at_once.push_back(Then::Validated { worker, order });
            }
            Then::Validated { worker, order } => {
                self.workers[worker].saves.waiting.push_back(order);
                self.save(worker);
            }
            Then::Saved { worker, orders } => {
                self.workers[worker].saves.is_busy = false;
                for order in &orders {
                    self.seen.ended(*order, self.now);
                }
                self.acknowledge(worker, orders);
                self.save(worker);
            }
            Then::Acknowledged { worker, orders } => {
                for order in orders {
                    self.seen.given_back(order, self.now);
                    self.places.push_back(worker);
                }
                self.dispatch();
            }
            Then::Nothing => {}
        }
    }

    fn commit(&mut self, service: usize) {
        let Some(orders) = self.services[service].commits.next() else { return };
        self.seen.logged(self.costs.wal_accepted.of(count(orders.len())));
        let steps = [
            Step::Work(Process::OrderService, self.costs.request.batch),
            Step::Work(Process::Postgres, self.costs.commit.of(count(orders.len()))),
            Step::Wait(self.costs.synced),
        ];
        self.begin(steps, Then::Committed { service, orders });
    }

    fn publish(&mut self, service: usize) {
        let Some(orders) = self.services[service].publishes.next() else { return };
        let steps = [
            Step::Work(Process::RabbitMq, self.costs.publish.of(count(orders.len()))),
            Step::Wait(self.costs.synced),
        ];
        self.begin(steps, Then::Published { service, orders });
    }

    /// Hands messages to workers for as long as there are both.
    fn dispatch(&mut self) {
        while let (Some(order), Some(worker)) = (self.queue.front(), self.places.front()) {
            let (order, worker) = (*order, *worker);
            self.queue.pop_front();
            self.places.pop_front();
            self.seen.taken(order, self.now);
            let steps = [
                Step::Work(Process::RabbitMq, self.costs.deliver.each),
                Step::Work(Process::OrderWorker, self.costs.handle.each),
            ];
            self.begin(steps, Then::Received { worker, order });
        }
    }

    fn look(&mut self, worker: usize) {
        let Some(orders) = self.workers[worker].looks.next() else { return };
        let steps = [
            Step::Work(Process::OrderWorker, self.costs.handle.batch / 2.0),
            Step::Work(Process::Postgres, self.costs.look.of(count(orders.len()))),
        ];
        self.begin(steps, Then::Looked { worker, orders });
    }

    fn validate(&mut self, worker: usize, order: usize) {
        let time = self.validations[order];
        if !self.load.validation.computes {
            // Who waits for nobody asks nobody.
            let ask = if time > 0.0 { self.costs.ask.each } else { 0.0 };
            let steps = [Step::Work(Process::OrderWorker, ask), Step::Wait(time)];
            self.begin(steps, Then::Validated { worker, order });
        } else if self.workers[worker].computing + 1.0 > self.threads.ceil() {
            self.workers[worker].to_compute.push_back(order);
        } else {
            self.workers[worker].computing += 1.0;
            self.begin([Step::Compute(time)], Then::Computed { worker, order });
        }
    }

    fn save(&mut self, worker: usize) {
        let Some(orders) = self.workers[worker].saves.next() else { return };
        self.seen.logged(self.costs.wal_ended.of(count(orders.len())));
        let steps = [
            Step::Work(Process::OrderWorker, self.costs.handle.batch / 2.0),
            Step::Work(Process::Postgres, self.costs.save.of(count(orders.len()))),
            Step::Wait(self.costs.synced),
        ];
        self.begin(steps, Then::Saved { worker, orders });
    }

    fn acknowledge(&mut self, worker: usize, orders: Vec<usize>) {
        // With the acknowledgement, RabbitMQ is woken for the next delivery as well.
        let batch = self.costs.ack.of(count(orders.len())) + self.costs.deliver.batch;
        let steps = [Step::Work(Process::RabbitMq, batch), Step::Wait(self.costs.synced)];
        self.begin(steps, Then::Acknowledged { worker, orders });
    }
}

#[expect(clippy::cast_precision_loss, reason = "a batch has hundreds")]
fn count(orders: usize) -> f64 {
    orders as f64
}
