//! Status changes for the backends that live in one process.

use async_trait::async_trait;
use futures::StreamExt;
use tokio::sync::broadcast;
use tokio_stream::wrappers::BroadcastStream;
use tokio_util::sync::CancellationToken;
use woody_core::ports::{BrokerError, OrderEvents, StatusChange, StatusStream};

/// How many changes a slow subscriber may lag behind before it misses some.
const LAG: usize = 4096;

/// Announces changes to the subscribers of this process only.
#[derive(Debug)]
pub(crate) struct InProcessEvents {
    changes: broadcast::Sender<StatusChange>,
    closed: CancellationToken,
}

impl InProcessEvents {
    /// Makes a bus whose subscriptions end when `closed` is cancelled.
    pub(crate) fn new(closed: CancellationToken) -> Self {
        Self { changes: broadcast::Sender::new(LAG), closed }
    }
}

#[async_trait]
impl OrderEvents for InProcessEvents {
    async fn announce(&self, changes: &[StatusChange]) -> Result<(), BrokerError> {
        if self.closed.is_cancelled() {
            return Err(BrokerError::Closed);
        }
        for change in changes {
            // It fails when there is no subscriber, which is fine.
            let _ = self.changes.send(change.clone());
        }
        Ok(())
    }

    async fn subscribe(&self) -> Result<StatusStream, BrokerError> {
        if self.closed.is_cancelled() {
            return Err(BrokerError::Closed);
        }
        let changes = BroadcastStream::new(self.changes.subscribe());
        // A subscriber that lagged misses some changes and goes on.
        let heard = changes.filter_map(|change| std::future::ready(change.ok()));
        Ok(heard.take_until(self.closed.clone().cancelled_owned()).boxed())
    }
}
