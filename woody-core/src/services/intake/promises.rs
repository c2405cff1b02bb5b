//! What was promised lately, for a store that is continued from a copy which lagged behind.

use std::{
    collections::VecDeque,
    error::Error,
    mem::size_of,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use time::OffsetDateTime;
use tokio_util::sync::CancellationToken;

use crate::{
    domain::{Details, NewOrder, OrderId, Reason, now},
    ports::{Insert, OrderStore, StoreError, Timeline},
    resilience::RetryDelays,
};

/// How many orders are written again in one statement.
const BATCH: usize = 500;

/// Remembers what an intake has promised lately, and writes it again once the store is on
/// another [`Timeline`].
///
/// Nothing is promised anew by that: an order that the store still has stays as it is.
pub(super) struct Promises {
    store: Arc<dyn OrderStore>,
    /// How many bytes are remembered.
    room: usize,
    lately: Mutex<Lately>,
}

#[derive(Default)]
struct Lately {
    promises: VecDeque<Promise>,
    bytes: usize,
    /// How many were forgotten, so that one is found by its number while others go.
    forgotten: u64,
}

#[derive(Clone)]
struct Promise {
    given_at: OffsetDateTime,
    what: Promised,
}

#[derive(Clone)]
enum Promised {
    Kept(NewOrder<Details>),
    Cancelled(OrderId, Option<Reason>),
}

impl Promise {
    fn bytes(&self) -> usize {
        size_of::<Self>()
            + match &self.what {
                Promised::Kept(order) => order.details.as_str().len(),
                Promised::Cancelled(_, reason) => {
                    reason.as_ref().map_or(0, |reason| reason.as_str().len())
                }
            }
    }
}

impl Promises {
    pub(super) fn new(store: Arc<dyn OrderStore>, room: usize) -> Self {
        Self { store, room, lately: Mutex::default() }
    }

    /// Remembers an order that was accepted.
    pub(super) fn kept(&self, order: &NewOrder<Details>) {
        self.remember(|| Promised::Kept(order.clone()));
    }

    /// Remembers that an order was cancelled.
    pub(super) fn cancelled(&self, id: OrderId, reason: Option<&Reason>) {
        self.remember(|| Promised::Cancelled(id, reason.cloned()));
    }

    fn remember(&self, what: impl FnOnce() -> Promised) {
        if self.room == 0 {
            return;
        }
        let promise = Promise { given_at: now(), what: what() };
        let mut lately = self.lately();
        lately.bytes += promise.bytes();
        lately.promises.push_back(promise);
        while lately.bytes > self.room {
            let Some(oldest) = lately.promises.pop_front() else { break };
            lately.bytes -= oldest.bytes();
            lately.forgotten += 1;
        }
    }

    /// Looks again and again on which timeline the store is, until `shutdown`; returns at once
    /// where it has no other.
    pub(super) async fn run(&self, every: Duration, shutdown: CancellationToken) {
        if self.room == 0 {
            return;
        }
        // Of a counter that begins with what it counts, Prometheus sees no increase.
        metrics::counter!("woody_store_timelines_total").increment(0);
        metrics::counter!("woody_promises_rewritten_total").increment(0);
        shutdown.run_until_cancelled(self.look_again_and_again(every)).await;
    }

    async fn look_again_and_again(&self, every: Duration) {
        let mut known: Option<Timeline> = None;
        loop {
            match (self.store.timeline().await, known) {
                (Ok(None), _) => return,
                (Ok(Some(seen)), None) => known = Some(seen),
                (Ok(Some(seen)), Some(before)) if seen != before => {
                    // What could not be written is written at the next look.
                    if self.write_again(before, seen).await.is_ok() {
                        known = Some(seen);
                    }
                }
                (Ok(Some(_)), Some(_)) => {}
                (Err(error), _) => {
                    tracing::debug!(
                        error = &error as &dyn Error,
                        "the store does not say on which timeline it is"
                    );
                }
            }
            tokio::time::sleep(RetryDelays::new(every / 2, every).next_delay()).await;
        }
    }

    /// Writes all that is remembered into a store that may lack it.
    async fn write_again(&self, before: Timeline, now: Timeline) -> Result<(), StoreError> {
        let (mut next, until, since) = self.span();
        let (mut orders, mut missing) = (0_usize, 0_usize);
        while next < until {
            let (first, batch) = self.batch(next, until);
            next = first + batch.len() as u64;
            let mut kept = Vec::new();
            for promise in &batch {
                if let Promised::Kept(order) = &promise.what {
                    kept.push(order.clone());
                }
            }
            orders += kept.len();
            let inserted = self.store.insert(&kept, Duration::ZERO).await?;
            missing += inserted.iter().filter(|insert| **insert == Insert::Created).count();
            // After the orders of their batch: none is cancelled before it was given.
            for promise in batch {
                if let Promised::Cancelled(id, reason) = promise.what {
                    self.store.cancel(id, reason).await?;
                }
            }
        }
        metrics::counter!("woody_store_timelines_total").increment(1);
        metrics::counter!("woody_promises_rewritten_total").increment(missing as u64);
        tracing::warn!(
            %before,
            %now,
            orders,
            missing,
            since = since.map(tracing::field::display),
            "the store was continued from a copy of it: of the orders that this process has accepted \
             since, those that are missing were written again; what others have accepted, or this one \
             before, may be missing as well"
        );
        Ok(())
    }

    /// Returns the numbers of the first promise and of the next to come, and when the first was
    /// given.
    fn span(&self) -> (u64, u64, Option<OffsetDateTime>) {
        let lately = self.lately();
        let until = lately.forgotten + lately.promises.len() as u64;
        (lately.forgotten, until, lately.promises.front().map(|first| first.given_at))
    }

    /// Returns the next promises from the one with this number, and the first one's number: some
    /// may have been forgotten meanwhile.
    fn batch(&self, from: u64, until: u64) -> (u64, Vec<Promise>) {
        let lately = self.lately();
        let from = from.max(lately.forgotten);
        let skip = usize::try_from(from - lately.forgotten).unwrap_or(usize::MAX);
        let most = usize::try_from(until.saturating_sub(from)).unwrap_or(usize::MAX).min(BATCH);
        (from, lately.promises.iter().skip(skip).take(most).cloned().collect())
    }

    fn lately(&self) -> MutexGuard<'_, Lately> {
        // Nothing panics while it is held; if it did, the value would still be whole.
        self.lately.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
