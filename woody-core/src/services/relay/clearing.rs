//! Entries whose messages the broker has confirmed.

use std::{
    mem,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::{
    sync::{Notify, OwnedSemaphorePermit},
    time::{Instant, sleep},
};
use tokio_util::sync::CancellationToken;

use super::{FIRST_PAUSE, LONGEST_PAUSE, OutboxRelay, RelayError};
use crate::{domain::OrderId, resilience::RetryDelays};

/// How long confirmed entries wait for others. Nobody waits for it, and a commit costs the
/// store far more than the entries in it; a process that dies meanwhile leaves entries
/// that are published once more.
const PAUSE: Duration = Duration::from_millis(50);

/// Entries that are about to be cleared. The places of their orders in the feed bound it.
#[derive(Debug, Default)]
pub(super) struct Clearing {
    confirmed: Mutex<Vec<Confirmed>>,
    arrived: Notify,
}

/// Orders that were stored together and are published.
#[derive(Debug)]
pub(super) struct Confirmed {
    pub(super) orders: Vec<OrderId>,
    pub(super) leased_until: Instant,
    pub(super) _places: OwnedSemaphorePermit,
}

impl Clearing {
    pub(super) fn add(&self, confirmed: impl IntoIterator<Item = Confirmed>) {
        self.confirmed().extend(confirmed);
        self.arrived.notify_one();
    }

    fn confirmed(&self) -> MutexGuard<'_, Vec<Confirmed>> {
        // Nothing panics while it is held; if it did, the value would still be whole.
        self.confirmed.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl OutboxRelay {
    /// Clears what is confirmed, some at a time, until `shutdown`.
    pub(super) async fn clear_as_they_come(&self, shutdown: &CancellationToken) {
        let clearing = async {
            let mut pauses = RetryDelays::new(FIRST_PAUSE, LONGEST_PAUSE);
            loop {
                self.clearing.arrived.notified().await;
                sleep(PAUSE).await;
                while let Err(error) = self.clear_confirmed().await {
                    self.note(&Err(error));
                    sleep(pauses.next_delay()).await;
                }
                pauses.clear();
            }
        };
        let _ = shutdown.run_until_cancelled(clearing).await;
    }

    /// Clears the entries that are confirmed by now. After an error they wait for another
    /// try, for as long as they are leased to this process; then they are the sweep's, of any.
    pub(super) async fn clear_confirmed(&self) -> Result<(), RelayError> {
        let confirmed = mem::take(&mut *self.clearing.confirmed());
        let orders: Vec<_> =
            confirmed.iter().flat_map(|entries| &entries.orders).copied().collect();
        let mut taken = Taken { clearing: &self.clearing, confirmed };
        if !orders.is_empty() {
            self.clear(&orders).await?;
        }
        taken.confirmed.clear();
        Ok(())
    }
}

/// What is being cleared. If that fails, or is given up, what is still leased waits again.
struct Taken<'a> {
    clearing: &'a Clearing,
    confirmed: Vec<Confirmed>,
}

impl Drop for Taken<'_> {
    fn drop(&mut self) {
        self.confirmed.retain(|entries| Instant::now() < entries.leased_until);
        self.clearing.confirmed().append(&mut self.confirmed);
    }
}
