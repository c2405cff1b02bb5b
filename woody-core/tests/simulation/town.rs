//! The processes: services with intake, relay and tracker, workers, and how they
//! start, are killed and are drained. Each is wired as the binaries wire it.

use std::{
    num::NonZeroU16,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio_util::{sync::CancellationToken, task::TaskTracker};
use woody_core::{
    ports::{Broker, OrderEvents, Prefetch},
    services::{OrderIntake, OrderTracker, OrderWorker, Pipeline},
};

use crate::{
    broker_port::SimBroker,
    call::Wire,
    mood::Mood,
    notices::{SimNotifier, subscription},
    order::TownOrder,
    sabotage::Sabotage,
    store_port::SimStore,
    validator::SimValidator,
    world::{Life, World},
};

/// What clients see of a service.
#[derive(Clone)]
pub struct Front {
    pub life: Life,
    pub intake: Arc<OrderIntake<TownOrder>>,
    pub tracker: Arc<OrderTracker<TownOrder>>,
}

/// The services that take orders, by slot; a slot is empty while its process is down.
pub type Fronts = Arc<Mutex<Vec<Option<Front>>>>;

pub fn front(fronts: &Fronts, slot: usize) -> Option<Front> {
    let fronts = fronts.lock().unwrap_or_else(PoisonError::into_inner);
    fronts[slot % fronts.len()].clone()
}

struct Service {
    life: Life,
    broker: SimBroker,
    pipeline: Pipeline<TownOrder>,
}

struct Worker {
    life: Life,
    broker: SimBroker,
    tasks: TaskTracker,
    stopping: CancellationToken,
    running: tokio::task::JoinHandle<()>,
}

pub struct Town {
    world: Arc<World>,
    pub fronts: Fronts,
    services: Vec<Option<Service>>,
    workers: Vec<Option<Worker>>,
    processes: u32,
}

/// How long a process that was told to end may take.
const GRACE: Duration = Duration::from_secs(3);

impl Town {
    pub async fn open(world: &Arc<World>) -> Self {
        let mood = world.with(|inner| inner.mood.clone());
        let mut town = Self {
            world: Arc::clone(world),
            fronts: Arc::new(Mutex::new(vec![None; mood.services])),
            services: (0..mood.services).map(|_| None).collect(),
            workers: (0..mood.workers).map(|_| None).collect(),
            processes: 0,
        };
        town.start_all().await;
        town
    }

    /// Starts whatever is down.
    pub async fn start_all(&mut self) {
        for slot in 0..self.services.len() {
            self.start_service(slot).await;
        }
        for slot in 0..self.workers.len() {
            self.start_worker(slot).await;
        }
    }

    /// Starts anew what its own work has ended, as its supervisor would.
    pub async fn restart_fallen(&mut self) {
        for slot in 0..self.services.len() {
            if self.services[slot].as_ref().is_some_and(|service| service.life.is_over()) {
                self.kill_service(slot);
                self.start_service(slot).await;
            }
        }
        for slot in 0..self.workers.len() {
            if self.workers[slot].as_ref().is_some_and(|worker| worker.life.is_over()) {
                self.kill_worker(slot);
                self.start_worker(slot).await;
            }
        }
    }

    /// A new process, and the settings for all of its kind.
    fn process(&mut self) -> (Wire, SimBroker, Mood, Prefetch) {
        self.processes += 1;
        let wire = Wire { world: Arc::clone(&self.world), life: Life::begin(self.processes) };
        let mut mood = self.world.with(|inner| inner.mood.clone());
        let sabotage = self.world.with(|inner| inner.sabotage);
        if matches!(
            sabotage,
            Some(Sabotage::NoReconciliation | Sabotage::NoOutboxNorReconciliation)
        ) {
            mood.relay.reconcile_every = Duration::from_hours(24);
        }
        let prefetch = NonZeroU16::new(mood.prefetch).unwrap();
        (wire.clone(), SimBroker::new(wire), mood, prefetch)
    }

    pub async fn start_service(&mut self, slot: usize) {
        let slot = slot % self.services.len();
        if self.services[slot].is_some() {
            return;
        }
        let (wire, broker, mood, prefetch) = self.process();
        self.say(&wire.life, "service starts");
        let mut builder =
            Pipeline::builder(Arc::new(SimStore(wire.clone())), Arc::new(broker.clone()))
                .intake_settings(mood.intake)
                .relay_settings(mood.relay)
                .worker_settings(mood.worker)
                .prefetch(prefetch)
                .look_every(Duration::from_millis(400))
                // All processes of a schedule have one clock, which stands still.
                .clocks_differ_by(Duration::ZERO);
        if mood.is_told {
            let notices = Arc::new(SimStore(wire.clone()));
            let notifier = Arc::new(SimNotifier(wire.clone()));
            builder =
                builder.notifier(notices, subscription(), notifier).notice_settings(mood.notices);
        }
        if mood.all_in_one {
            builder = builder.validator(Arc::new(SimValidator(wire.clone())));
        }
        let pipeline = builder.start().await.unwrap();
        let front = Front {
            life: wire.life.clone(),
            intake: pipeline.intake(),
            tracker: pipeline.tracker(),
        };
        self.set_front(slot, Some(front));
        self.services[slot] = Some(Service { life: wire.life, broker, pipeline });
    }

    pub async fn start_worker(&mut self, slot: usize) {
        let slot = slot % self.workers.len();
        if self.workers[slot].is_some() {
            return;
        }
        let (wire, broker, mood, prefetch) = self.process();
        self.say(&wire.life, "worker starts");
        let (tasks, stopping) = (TaskTracker::new(), CancellationToken::new());
        let consumer = broker.consumer(prefetch).await.unwrap();
        let worker = Arc::new(OrderWorker::start(
            Arc::new(SimStore(wire.clone())),
            Arc::new(SimValidator(wire.clone())),
            Arc::new(broker.clone()) as Arc<dyn OrderEvents>,
            mood.worker,
            &tasks,
        ));
        let running = tasks.spawn(worker.run(consumer, stopping.clone()));
        self.workers[slot] = Some(Worker { life: wire.life, broker, tasks, stopping, running });
    }

    /// `kill -9`: nothing of it leaves the process any more. The broker notices
    /// soon or late.
    pub fn kill_service(&mut self, slot: usize) {
        let slot = slot % self.services.len();
        self.set_front(slot, None);
        if let Some(Service { life, .. }) = self.services[slot].take() {
            self.end(&life, "killed services");
        }
    }

    pub fn kill_worker(&mut self, slot: usize) {
        let slot = slot % self.workers.len();
        if let Some(Worker { life, running, .. }) = self.workers[slot].take() {
            self.end(&life, "killed workers");
            running.abort();
        }
    }

    pub fn kill_all(&mut self) {
        (0..self.services.len()).for_each(|slot| self.kill_service(slot));
        (0..self.workers.len()).for_each(|slot| self.kill_worker(slot));
    }

    fn end(&self, life: &Life, what: &'static str) {
        self.say(life, "is killed");
        life.end();
        let (no, noticed_after) = (life.no, self.world.with(|inner| inner.ms(0, 2_000)));
        self.world.with(|inner| inner.count(what));
        self.world.later(noticed_after, move |inner| inner.connection_breaks(no));
    }

    /// SIGTERM: it stops taking orders, finishes what it has, and ends.
    pub fn drain_service(&mut self, slot: usize) {
        let slot = slot % self.services.len();
        self.set_front(slot, None);
        let Some(Service { life, broker, pipeline }) = self.services[slot].take() else { return };
        self.say(&life, "is drained");
        self.ending(life, broker, pipeline.stop_within(GRACE));
    }

    pub fn drain_worker(&mut self, slot: usize) {
        let slot = slot % self.workers.len();
        let Some(worker) = self.workers[slot].take() else { return };
        let Worker { life, broker, tasks, stopping, running } = worker;
        self.say(&life, "is drained");
        stopping.cancel();
        tasks.close();
        self.ending(life, broker, async move {
            let ended = tokio::time::timeout(GRACE, tasks.wait()).await.is_ok();
            running.abort();
            ended
        });
    }

    fn ending(
        &self,
        life: Life,
        broker: SimBroker,
        ending: impl Future<Output = bool> + Send + 'static,
    ) {
        let world = Arc::clone(&self.world);
        world.with(|inner| inner.under_way += 1);
        tokio::spawn(async move {
            let ended = ending.await;
            life.end();
            broker.close().await;
            world.with(|inner| {
                inner.under_way -= 1;
                inner.count(if ended { "drained processes" } else { "processes out of grace" });
                inner.say(|| format!("p{} has ended, drained: {ended}", life.no));
            });
        });
    }

    /// A worker's connection breaks; it comes back at once.
    pub fn cut_worker(&mut self, slot: usize) {
        let slot = slot % self.workers.len();
        if let Some(worker) = &self.workers[slot] {
            self.world.with(|inner| {
                inner.count("cut connections");
                inner.connection_breaks(worker.life.no);
            });
            self.world.queue_changed.notify_waiters();
        }
    }

    /// A service alone cannot reach the store, or can again.
    pub fn cut_off(&self, slot: usize, is: bool) {
        let Some(service) = &self.services[slot % self.services.len()] else { return };
        let no = service.life.no;
        self.say(
            &service.life,
            if is { "is cut off from the store" } else { "is cut off no more" },
        );
        self.world.with(|inner| {
            if is {
                inner.count("services cut off from the store alone");
                inner.cut_off.insert(no);
                inner.unaware.insert(no);
            } else {
                inner.cut_off.remove(&no);
            }
        });
    }

    fn set_front(&self, slot: usize, front: Option<Front>) {
        self.fronts.lock().unwrap_or_else(PoisonError::into_inner)[slot] = front;
    }

    fn say(&self, life: &Life, what: &str) {
        self.world.with(|inner| inner.say(|| format!("p{} {what}", life.no)));
    }
}
