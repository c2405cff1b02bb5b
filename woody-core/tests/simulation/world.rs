//! What all parts of one schedule share: the dependencies' durable state, the
//! dice, the ledger, the trace. One lock, never held across an await.

use std::{
    collections::BTreeSet,
    future::pending,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::{sync::Notify, time::Instant};
use tokio_util::sync::CancellationToken;

use crate::{
    broker::BrokerState,
    coverage::Coverage,
    ledger::{Broken, Invariant, Ledger},
    mood::Mood,
    sabotage::Sabotage,
    store::StoreState,
};

/// How a schedule is run.
#[derive(Debug, Clone, Copy, Default)]
pub struct Options {
    /// A safeguard that is taken out.
    pub sabotage: Option<Sabotage>,
    pub watch: Watch,
    pub trace: bool,
}

/// Which invariants are watched.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Watch {
    /// Those of every moment too.
    #[default]
    Everything,
    /// Only what a client could notice.
    Outcomes,
    /// Only this, though something else may break before.
    Only(Invariant),
}

pub struct World {
    inner: Mutex<Inner>,
    /// Wakes consumers: something about the queue has changed.
    pub queue_changed: Notify,
}

/// Whether a dependency can be reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Link {
    Up,
    /// Calls fail at once.
    Down,
    /// Calls hang until their limit, or until it speaks again.
    Silent,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Dep {
    Store,
    Broker,
}

impl Dep {
    pub fn name(self) -> &'static str {
        match self {
            Self::Store => "store",
            Self::Broker => "broker",
        }
    }
}

pub struct Inner {
    pub rng: fastrand::Rng,
    pub mood: Mood,
    pub sabotage: Option<Sabotage>,
    watch: Watch,
    pub store: StoreState,
    pub broker: BrokerState,
    links: [Link; 2],
    /// Processes that alone cannot reach the store.
    pub cut_off: BTreeSet<u32>,
    /// Those that could not, and have had no response since.
    pub unaware: BTreeSet<u32>,
    pub ledger: Ledger,
    pub coverage: Coverage,
    pub validator_is_away: bool,
    /// Things that still happen by themselves: effects on their way, processes
    /// that are ending, clients that wait.
    pub under_way: usize,
    /// The schedule is over: whatever is dropped now has no effect.
    pub over: bool,
    pub broken: Option<Broken>,
    born: Instant,
    trace: Option<Vec<String>>,
}

impl World {
    pub fn new(seed: u64, options: Options) -> Arc<Self> {
        let Options { sabotage, watch, trace } = options;
        let mut rng = fastrand::Rng::with_seed(seed);
        let mood = Mood::pick(&mut rng);
        let inner = Inner {
            rng,
            mood,
            sabotage,
            watch,
            store: StoreState::new(),
            broker: BrokerState::default(),
            links: [Link::Up; 2],
            cut_off: BTreeSet::new(),
            unaware: BTreeSet::new(),
            ledger: Ledger::default(),
            coverage: Coverage::default(),
            validator_is_away: false,
            under_way: 0,
            over: false,
            broken: None,
            born: Instant::now(),
            trace: trace.then(Vec::new),
        };
        Arc::new(Self { inner: Mutex::new(inner), queue_changed: Notify::new() })
    }

    pub fn with<T>(&self, f: impl FnOnce(&mut Inner) -> T) -> T {
        f(&mut self.inner.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Does `effect` after `delay`, also if its process has died meanwhile.
    pub fn later(
        self: &Arc<Self>,
        delay: Duration,
        effect: impl FnOnce(&mut Inner) + Send + 'static,
    ) {
        self.with(|inner| inner.under_way += 1);
        let world = Arc::clone(self);
        tokio::spawn(async move {
            tokio::time::sleep(delay).await;
            world.with(|inner| {
                inner.under_way -= 1;
                effect(inner);
            });
            world.queue_changed.notify_waiters();
        });
    }

    pub fn set_link(&self, dep: Dep, link: Link) {
        self.with(|inner| {
            inner.say(|| format!("{} is {link:?}", dep.name()));
            inner.links[dep as usize] = link;
            if dep == Dep::Broker && link == Link::Down {
                inner.connections_break();
            }
            if dep == Dep::Store && link == Link::Down {
                inner.store_crashes();
            }
        });
        self.queue_changed.notify_waiters();
    }
}

impl Inner {
    pub fn link(&self, dep: Dep) -> Link {
        self.links[dep as usize]
    }

    /// Whether `process` can reach a dependency.
    pub fn link_of(&self, process: u32, dep: Dep) -> Link {
        let is_cut = dep == Dep::Store && self.cut_off.contains(&process);
        if is_cut { Link::Down } else { self.link(dep) }
    }

    /// Adds a line to the trace, if there is one.
    pub fn say(&mut self, line: impl FnOnce() -> String) {
        if let Some(trace) = &mut self.trace {
            trace.push(format!("{:6} ms  {}", self.born.elapsed().as_millis(), line()));
        }
    }

    pub fn take_trace(&mut self) -> Vec<String> {
        self.trace.take().unwrap_or_default()
    }

    pub fn count(&mut self, what: &'static str) {
        self.coverage.count(what, 1);
    }

    /// Notes that an invariant does not hold; the first one stays.
    pub fn broken(&mut self, invariant: Invariant, detail: impl FnOnce() -> String) {
        let is_watched = match self.watch {
            Watch::Everything => true,
            Watch::Outcomes => !invariant.is_inside(),
            Watch::Only(one) => invariant == one,
        };
        if !is_watched {
            return;
        }
        if self.broken.is_none() && !self.over {
            let detail = detail();
            self.say(|| format!("BROKEN {invariant:?}: {detail}"));
            self.broken = Some(Broken { invariant, detail });
        }
    }

    /// A time between two, in ms.
    pub fn ms(&mut self, from: u64, to: u64) -> Duration {
        Duration::from_millis(self.rng.u64(from..=to))
    }

    pub fn per_mille(&mut self, rate: u32) -> bool {
        rate > 0 && self.rng.u32(..1_000) < rate
    }
}

/// One process: what dies when it is killed. Its tasks may linger, but none of
/// their calls leads outside any more, which is all that being dead means.
#[derive(Debug, Clone)]
pub struct Life {
    pub no: u32,
    gone: CancellationToken,
}

impl Life {
    pub fn begin(no: u32) -> Self {
        Self { no, gone: CancellationToken::new() }
    }

    pub fn is_over(&self) -> bool {
        self.gone.is_cancelled()
    }

    pub fn end(&self) {
        self.gone.cancel();
    }

    /// Returns when the process has died.
    pub async fn over(&self) {
        self.gone.cancelled().await;
    }

    /// Stays here for ever if the process is dead.
    pub async fn or_stop(&self) {
        if self.is_over() {
            pending::<()>().await;
        }
    }
}
