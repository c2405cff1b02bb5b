//! What was promised lately, for a store that is continued from a copy which lagged behind.

use std::{
    error::Error,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio_util::sync::CancellationToken;

use super::lately::{Lately, Promised};
use crate::{
    domain::{Details, NewOrder, OrderId, Reason},
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
    /// How many bytes are remembered where there is another timeline.
    most: usize,
    lately: Mutex<Lately>,
}

impl Promises {
    pub(super) fn new(store: Arc<dyn OrderStore>, most: usize) -> Self {
        Self { store, most, lately: Mutex::default() }
    }

    /// Remembers an order that was accepted.
    pub(super) fn kept(&self, order: &NewOrder<Details>) {
        self.remember(|lately| lately.kept(order));
    }

    /// Remembers that an order was cancelled.
    pub(super) fn cancelled(&self, id: OrderId, reason: Option<&Reason>) {
        self.remember(|lately| lately.cancelled(id, reason));
    }

    fn remember(&self, what: impl FnOnce(&mut Lately)) {
        let mut lately = self.lately();
        if !lately.is_off() {
            what(&mut lately);
        }
    }

    /// Looks again and again on which timeline the store is, until `shutdown`; returns at once
    /// where it has no other.
    pub(super) async fn run(&self, every: Duration, shutdown: CancellationToken) {
        if self.most == 0 {
            return;
        }
        // Of a counter that begins with what it counts, Prometheus sees no increase.
        metrics::counter!("woody_store_timelines_total").increment(0);
        metrics::counter!("woody_promises_rewritten_total").increment(0);
        self.lately().remember_up_to(self.most);
        shutdown.run_until_cancelled(self.look_again_and_again(every)).await;
        self.lately().remember_up_to(0);
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
        let (mut next, until, since) = self.lately().span();
        let (mut orders, mut missing) = (0_usize, 0_usize);
        while next < until {
            let most = usize::try_from(until - next).unwrap_or(usize::MAX).min(BATCH);
            let (first, batch) = self.lately().from(next, most);
            next = first + batch.len() as u64;
            let kept = batch.iter().filter_map(|promise| match promise {
                Promised::Kept(order) => Some(order.clone()),
                Promised::Cancelled(..) => None,
            });
            let kept: Vec<_> = kept.collect();
            orders += kept.len();
            let inserted = self.store.insert(&kept, Duration::ZERO).await?;
            missing += inserted.iter().filter(|insert| **insert == Insert::Created).count();
            // After the orders of their batch: none is cancelled before it was given.
            for promise in batch {
                if let Promised::Cancelled(id, reason) = promise {
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

    fn lately(&self) -> MutexGuard<'_, Lately> {
        // Nothing panics while it is held; if it did, the value would still be whole.
        self.lately.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(all(test, feature = "mock"))]
mod tests {
    use super::*;
    use crate::ports::MockOrderStore;

    fn promised(promises: &Promises) -> usize {
        promises.cancelled(OrderId::fresh(), None);
        promises.lately().len()
    }

    #[tokio::test]
    async fn nothing_is_remembered_while_nobody_looks_for_another_timeline() {
        let mut store = MockOrderStore::new();
        store.expect_timeline().times(1).returning(|| Ok(None));
        let promises = Promises::new(Arc::new(store), 1_024);
        assert_eq!(promised(&promises), 0, "before the first look");
        promises.run(Duration::from_secs(1), CancellationToken::new()).await;
        assert_eq!(promised(&promises), 0, "the store has no timeline");
        promises.lately().remember_up_to(1_024);
        assert_eq!(promised(&promises), 1);
    }
}
