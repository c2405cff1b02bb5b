use std::{
    collections::{HashMap, VecDeque},
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use time::OffsetDateTime;
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;

use crate::{
    domain::{OrderId, OrderStatus, Outcome, now},
    forecast::{Expectation, Forecaster, QueueSample, Within},
    ports::{BrokerAdmin, StatusChange, Waiting},
};

/// When the orders of one queue will be ready, as a process sees it that accepts some of them.
///
/// It looks at the queue several times a second, hears of each order that ends, and learns from
/// some of those that were accepted here; no order costs a statement. Any number of
/// processes may accept orders of one queue: each keeps its own word, and none has to know of
/// the others.
///
/// Until it has [run](Self::run) for a while, and enough orders have ended, it says nothing; nor
/// while the broker is unavailable or nobody takes orders.
pub struct OrderForecasts {
    began: Instant,
    state: Mutex<State>,
}

/// When an order will be ready.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ready {
    /// It is as likely to be ready earlier as later.
    pub p50: OffsetDateTime,
    /// Nine of ten orders are ready by then.
    pub p90: OffsetDateTime,
}

/// An order that is about to be accepted.
#[derive(Debug)]
pub(super) struct Coming {
    /// When it will be ready if it is.
    pub(super) ready: Option<Ready>,
    id: OrderId,
    is_watched: bool,
}

#[derive(Default)]
struct State {
    forecaster: Forecaster,
    /// What was said of orders from which it will learn.
    watched: HashMap<OrderId, (Expectation, Instant)>,
    /// The same in the order in which they came, for those that are never heard of.
    watched_since: VecDeque<(OrderId, Instant)>,
    /// Orders accepted here since the last look, and each second on average.
    accepted: u32,
    accepted_per_s: f64,
    looked_at: Option<Instant>,
    is_quiet: bool,
}

/// Orders from which it will learn, at most, and how many of each second.
const WATCHED: usize = 4_096;
const LEARNS_PER_S: f64 = 16.0;
/// An order of which nothing was heard for so long is forgotten.
const FORGOTTEN: Duration = Duration::from_hours(1);
/// How often the queue is looked at, while there are orders and while there are none; and by how
/// much a pause is longer than the look before it, up to the longest.
const LOOKS: Duration = Duration::from_millis(250);
const QUIET: Duration = Duration::from_secs(1);
const SHARE: u32 = 4;
const LONGEST_PAUSE: Duration = Duration::from_secs(2);
/// How long a look may take.
const PATIENCE: Duration = Duration::from_secs(2);
/// Over how many seconds it averages how many orders come.
const AVERAGED_S: f64 = 8.0;

impl fmt::Debug for OrderForecasts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OrderForecasts").field("next", &self.next()).finish_non_exhaustive()
    }
}

impl Default for OrderForecasts {
    fn default() -> Self {
        Self::new()
    }
}

impl OrderForecasts {
    /// Makes one that knows nothing yet.
    pub fn new() -> Self {
        Self { began: Instant::now(), state: Mutex::default() }
    }

    /// Looks at the queue until `shutdown`.
    ///
    /// A look that takes long is followed by a pause four times as long, of 2 s at most.
    pub async fn run(&self, admin: Arc<dyn BrokerAdmin>, shutdown: CancellationToken) {
        loop {
            let began = Instant::now();
            let look = timeout(PATIENCE, admin.waiting());
            let seen = tokio::select! {
                biased;
                () = shutdown.cancelled() => return,
                seen = look => seen.ok().and_then(Result::ok),
            };
            let usual = self.saw(seen);
            tracing::trace!(?seen, took = ?began.elapsed(), next = ?self.next(), "looked at the queue");
            let pause = usual.max(began.elapsed() * SHARE).min(LONGEST_PAUSE);
            tokio::select! {
                biased;
                () = shutdown.cancelled() => return,
                () = sleep(pause) => {}
            }
        }
    }

    /// Returns what can be said of an order that would come now; `None` as long as there is no
    /// data.
    pub fn next(&self) -> Option<Expectation> {
        self.lock().forecaster.expects(self.began.elapsed())
    }

    /// Returns when a pending order that was accepted then will be ready; `None` where it should
    /// have ended before, or nothing is known of that time: it is more than an hour ago, or before
    /// there was data.
    pub fn ready(&self, accepted_at: OffsetDateTime) -> Option<Ready> {
        let (now, at) = (now(), self.began.elapsed());
        let ago = Duration::try_from(now - accepted_at).unwrap_or_default();
        let within = self.lock().forecaster.expects_of(at.checked_sub(ago)?, at)?;
        Ready::after(now, within)
    }

    /// Counts an order that is about to be accepted, and says when it will be ready.
    pub(super) fn coming(&self, id: OrderId, accepted_at: OffsetDateTime) -> Coming {
        let mut state = self.lock();
        let expected = state.forecaster.accepted(self.began.elapsed());
        state.accepted = state.accepted.saturating_add(1);
        let is_watched = expected.is_some_and(|expected| state.watch(id, expected));
        let within = expected.and_then(|expected| expected.ends_within);
        let ready = within.and_then(|within| Ready::after(accepted_at, within));
        Coming { ready, id, is_watched }
    }

    /// The order was not accepted, or had been before: there is nothing to learn from it.
    pub(super) fn is_not_new(&self, coming: &Coming) {
        if coming.is_watched {
            self.lock().watched.remove(&coming.id);
        }
    }

    /// Hears that an order has changed.
    pub(super) fn heard(&self, change: &StatusChange) {
        let outcome = match OrderStatus::from_parts(&change.status, None) {
            Some(OrderStatus::Ended(outcome)) => outcome,
            Some(OrderStatus::Pending) | None => return,
        };
        metrics::counter!("woody_ends_heard_total").increment(1);
        let mut state = self.lock();
        let watched = state.watched.remove(&change.order_id);
        // No worker has ended it: it says nothing of how long they take.
        if matches!(outcome, Outcome::Cancelled(_)) {
            return;
        }
        state.forecaster.ended();
        state.is_quiet = false;
        if let Some((expected, since)) = watched {
            state.forecaster.learned(&expected, since.elapsed(), self.began.elapsed());
        }
    }

    /// Returns after how long an order may come again that would wait for longer than `most`;
    /// `None` if one that comes now would not, and as long as nothing is known.
    pub(super) fn retry_after(&self, most: Duration) -> Option<Duration> {
        let until = self.lock().forecaster.until_wait_is(most, self.began.elapsed())?;
        (!until.is_zero()).then_some(until)
    }

    /// Takes in what a look has seen, if anything, and returns the pause before the next.
    fn saw(&self, seen: Option<Waiting>) -> Duration {
        let mut state = self.lock();
        let state = &mut *state;
        let now = Instant::now();
        let span = state.looked_at.replace(now).map_or(0.0, |last| (now - last).as_secs_f64());
        let accepted = std::mem::take(&mut state.accepted);
        if span > 0.0 {
            let part = (span / AVERAGED_S).min(1.0);
            state.accepted_per_s += (f64::from(accepted) / span - state.accepted_per_s) * part;
        }
        state.forget(now);
        let was_quiet = std::mem::replace(&mut state.is_quiet, true) && accepted == 0;
        let Some(Waiting { messages, consumers }) = seen else {
            state.forecaster.lost_sight();
            return QUIET;
        };
        let at = now - self.began;
        state.forecaster.sampled(QueueSample { at, waiting: messages, workers: consumers });
        if was_quiet && messages == 0 { QUIET } else { LOOKS }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Each order is as likely to be learned from as any other: of a burst not the first alone.
    fn watch(&mut self, id: OrderId, expected: Expectation) -> bool {
        let is_chosen = fastrand::f64() < LEARNS_PER_S / self.accepted_per_s.max(LEARNS_PER_S);
        let has_room = self.watched.len() < WATCHED && self.watched_since.len() < 2 * WATCHED;
        if !is_chosen || !has_room || self.watched.contains_key(&id) {
            return false;
        }
        let now = Instant::now();
        self.watched.insert(id, (expected, now));
        self.watched_since.push_back((id, now));
        true
    }

    fn forget(&mut self, now: Instant) {
        while let Some((id, since)) = self.watched_since.front() {
            let is_over = self.watched.get(id).is_none_or(|(_, watched)| watched != since);
            if !is_over && now - *since < FORGOTTEN {
                break;
            }
            if !is_over {
                self.watched.remove(id);
            }
            self.watched_since.pop_front();
        }
    }
}

impl Ready {
    /// In whole milliseconds: more would say that it is known better than it is.
    fn after(from: OffsetDateTime, within: Within) -> Option<Self> {
        let at = |within: Duration| {
            let at = from.checked_add(within.try_into().ok()?)?;
            at.replace_nanosecond(at.nanosecond() / 1_000_000 * 1_000_000).ok()
        };
        Some(Self { p50: at(within.p50)?, p90: at(within.p90)? })
    }
}
