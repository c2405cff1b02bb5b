//! Fresh orders, published as they come.

use std::{sync::atomic::Ordering, time::Duration};

use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use super::{LONGEST_PAUSE, OutboxRelay, RelayError, feed::Fresh, messages};
use crate::resilience::RetryDelays;

const FIRST_PAUSE: Duration = Duration::from_millis(100);

impl OutboxRelay {
    /// Publishes fresh orders until `shutdown`.
    pub(super) async fn lane(&self, shutdown: &CancellationToken) {
        loop {
            let mut batch = Vec::new();
            {
                let mut fresh = tokio::select! {
                    biased;
                    () = shutdown.cancelled() => break,
                    fresh = self.fresh.lock() => fresh,
                };
                tokio::select! {
                    biased;
                    () = shutdown.cancelled() => {}
                    _ = fresh.recv_many(&mut batch, self.settings.batch) => {}
                }
            }
            if batch.is_empty() {
                break;
            }
            self.publish_fresh(batch, shutdown).await;
        }
        self.note(&self.flush().await.map(drop));
    }

    /// Publishes a batch and clears its entries. What fails is tried again for as long as
    /// the entries are leased to this process; afterwards they are the sweep's, of any.
    async fn publish_fresh(&self, mut batch: Vec<Fresh>, shutdown: &CancellationToken) {
        let mut pauses = RetryDelays::new(FIRST_PAUSE, LONGEST_PAUSE);
        let mut is_published = false;
        loop {
            batch.retain(Fresh::is_leased);
            if batch.is_empty() {
                return;
            }
            let messages = messages(batch.iter().map(|fresh| &fresh.order));
            let done = async {
                if !is_published {
                    self.publish(&messages).await?;
                    is_published = true;
                }
                self.clear(&messages).await
            }
            .await;
            self.note(&done);
            if done.is_ok() || shutdown.is_cancelled() {
                return;
            }
            self.wait_for_a_comeback(is_published, &batch, &mut pauses, shutdown).await;
        }
    }

    /// Waits until it is worth another try, until nothing of `batch` is leased, or until
    /// `shutdown`.
    ///
    /// The broker is asked before: what timed out may be on its way, and would be doubled
    /// by each try into the dark.
    async fn wait_for_a_comeback(
        &self,
        is_published: bool,
        batch: &[Fresh],
        pauses: &mut RetryDelays,
        shutdown: &CancellationToken,
    ) {
        let asking = async {
            loop {
                sleep(pauses.next_delay()).await;
                if is_published
                    || !batch.iter().any(Fresh::is_leased)
                    || self.publisher.ping().await.is_ok()
                {
                    return;
                }
            }
        };
        let _ = shutdown.run_until_cancelled(asking).await;
    }

    /// Logs the beginning of an outage, once.
    fn note(&self, relayed: &Result<(), RelayError>) {
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
