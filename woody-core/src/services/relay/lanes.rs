//! Fresh orders, published as they come.

use std::sync::atomic::Ordering;

use tokio::{sync::mpsc::Receiver, time::sleep};
use tokio_util::sync::CancellationToken;

use super::{
    FIRST_PAUSE, LONGEST_PAUSE, OutboxRelay, RelayError,
    feed::{Fresh, messages_of},
};
use crate::resilience::RetryDelays;

impl OutboxRelay {
    /// Publishes fresh orders until `shutdown`.
    pub(super) async fn lane(&self, shutdown: &CancellationToken) {
        loop {
            let (batch, _turn) = {
                let mut fresh = tokio::select! {
                    biased;
                    () = shutdown.cancelled() => return,
                    fresh = self.fresh.lock() => fresh,
                };
                let first = tokio::select! {
                    biased;
                    () = shutdown.cancelled() => return,
                    first = fresh.recv() => first,
                };
                let Some(first) = first else { return };
                let turn = self.turns.next().await;
                (self.filled(first, &mut fresh), turn)
            };
            self.publish_fresh(batch, shutdown).await;
        }
    }

    /// Publishes a batch. What fails is tried again for as long as the entries are leased
    /// to this process; afterwards they are the sweep's, of any.
    async fn publish_fresh(&self, mut batch: Vec<Fresh>, shutdown: &CancellationToken) {
        let mut pauses = RetryDelays::new(FIRST_PAUSE, LONGEST_PAUSE);
        loop {
            batch.retain(Fresh::is_leased);
            if batch.is_empty() {
                return;
            }
            let done = self.publish(&mut messages_of(&batch)).await;
            self.note(&done);
            if done.is_ok() {
                self.clearing.add(batch.into_iter().map(Fresh::confirmed));
                return;
            }
            if shutdown.is_cancelled() {
                return;
            }
            self.wait_for_a_comeback(&batch, &mut pauses, shutdown).await;
        }
    }

    /// Waits until it is worth another try, until nothing of `batch` is leased, or until
    /// `shutdown`.
    ///
    /// The broker is asked before: what timed out may be on its way, and would be doubled
    /// by each try into the dark.
    async fn wait_for_a_comeback(
        &self,
        batch: &[Fresh],
        pauses: &mut RetryDelays,
        shutdown: &CancellationToken,
    ) {
        let asking = async {
            loop {
                sleep(pauses.next_delay()).await;
                if !batch.iter().any(Fresh::is_leased) || self.publisher.ping().await.is_ok() {
                    return;
                }
            }
        };
        let _ = shutdown.run_until_cancelled(asking).await;
    }

    /// Adds to `first` what waits already, until the batch is full. What was stored
    /// together is published and cleared together, which is cheaper for the store.
    pub(super) fn filled(&self, first: Fresh, fresh: &mut Receiver<Fresh>) -> Vec<Fresh> {
        let mut count = first.orders.len();
        let mut batch = vec![first];
        while count < self.settings.batch
            && let Ok(next) = fresh.try_recv()
        {
            count += next.orders.len();
            batch.push(next);
        }
        batch
    }

    /// Logs the beginning of an outage, once.
    pub(super) fn note(&self, relayed: &Result<(), RelayError>) {
        match relayed {
            Ok(()) => self.failing.store(false, Ordering::Relaxed),
            Err(error) => {
                if !self.failing.swap(true, Ordering::Relaxed) {
                    tracing::warn!(
                        error = error as &dyn std::error::Error,
                        "orders wait in the outbox"
                    );
                }
            }
        }
    }
}
