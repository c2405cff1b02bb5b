use std::{
    mem,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::{
    sync::Notify,
    time::{Instant, sleep},
};
use tokio_util::sync::CancellationToken;

use super::feed::Confirmed;
use crate::{
    domain::OrderId,
    ports::{OrderStore, StoreError},
    resilience::RetryDelays,
};

/// How long confirmed entries wait for others. Nobody waits for it, and a commit costs the
/// store far more than the entries in it; a process that dies meanwhile leaves entries
/// that are published once more.
const PAUSE: Duration = Duration::from_millis(50);

const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// Clears the entries of orders whose messages the broker has confirmed, those of several
/// publishes at once. The places of the orders in the feed bound what waits.
pub(super) struct Clearing {
    store: Arc<dyn OrderStore>,
    confirmed: Mutex<Vec<Confirmed>>,
    arrived: Notify,
}

impl Clearing {
    pub(super) fn new(store: Arc<dyn OrderStore>) -> Self {
        Self { store, confirmed: Mutex::default(), arrived: Notify::new() }
    }

    pub(super) fn add(&self, confirmed: impl IntoIterator<Item = Confirmed>) {
        self.confirmed().extend(confirmed);
        self.arrived.notify_one();
    }

    /// Clears what is confirmed until `shutdown`.
    pub(super) async fn run(&self, shutdown: &CancellationToken) {
        let clearing = async {
            let mut pauses = RetryDelays::new(PAUSE, LONGEST_PAUSE);
            loop {
                self.arrived.notified().await;
                sleep(PAUSE).await;
                while let Err(error) = self.clear().await {
                    if pauses.is_clear() {
                        tracing::warn!(
                            error = &error as &dyn std::error::Error,
                            "published orders stay in the outbox until it can be cleared"
                        );
                    }
                    sleep(pauses.next_delay()).await;
                }
                pauses.clear();
            }
        };
        let _ = shutdown.run_until_cancelled(clearing).await;
    }

    /// Clears what is confirmed by now. After an error it waits for another try, for as
    /// long as it is leased to this process; then it is the sweep's, of any.
    pub(super) async fn clear(&self) -> Result<(), StoreError> {
        let confirmed = mem::take(&mut *self.confirmed());
        let mut taken = Taken { clearing: self, confirmed };
        let orders: Vec<_> = taken.confirmed.iter().flat_map(Confirmed::orders).collect();
        self.clear_entries(&orders).await?;
        taken.confirmed.clear();
        Ok(())
    }

    /// Clears the entries of these orders, whose messages the broker has confirmed.
    pub(super) async fn clear_entries(&self, orders: &[OrderId]) -> Result<(), StoreError> {
        if !orders.is_empty() {
            self.store.clear_outbox(orders).await?;
            metrics::counter!("woody_outbox_published_total").increment(orders.len() as u64);
        }
        Ok(())
    }

    fn confirmed(&self) -> MutexGuard<'_, Vec<Confirmed>> {
        // Nothing panics while it is held; if it did, the value would still be whole.
        self.confirmed.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What is being cleared. If that fails, or is given up, what is still leased waits again.
struct Taken<'a> {
    clearing: &'a Clearing,
    confirmed: Vec<Confirmed>,
}

impl Drop for Taken<'_> {
    fn drop(&mut self) {
        let now = Instant::now();
        self.confirmed.retain(|confirmed| now < confirmed.leased_until);
        self.clearing.confirmed().append(&mut self.confirmed);
    }
}
