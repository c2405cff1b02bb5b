use std::sync::Arc;

use async_trait::async_trait;
use tokio::sync::OwnedSemaphorePermit;
use woody_core::ports::{Acker, Delivery, SettleError, Settlement};

use super::queue::{Message, Origin, Queue};

/// Settles one delivery of the memory queue.
#[derive(Debug)]
pub(super) struct MemoryAcker {
    queue: Arc<Queue>,
    message: Message,
    /// What the delivery takes of its consumer's prefetch.
    permit: OwnedSemaphorePermit,
}

impl MemoryAcker {
    /// Wraps a taken message for its consumer.
    pub(super) fn deliver(
        queue: Arc<Queue>,
        message: Message,
        permit: OwnedSemaphorePermit,
    ) -> Delivery {
        let (attempt, seen, redriven) = (message.attempts + 1, message.seen, message.redriven);
        let body = message.body.clone();
        let Origin { trace, client } = message.origin.clone();
        let acker = Self { queue, message, permit };
        Delivery::new(body, attempt, seen, redriven, Box::new(acker))
            .traced(trace)
            .placed_by(client)
    }
}

#[async_trait]
impl Acker for MemoryAcker {
    async fn settle(self: Box<Self>, settlement: Settlement) -> Result<(), SettleError> {
        let Self { queue, message, permit } = *self;
        if queue.closed.is_cancelled() {
            queue.settle(message, Settlement::Release);
            return Err(SettleError::Gone);
        }
        let is_settled = queue.settle(message, settlement);
        drop(permit);
        if is_settled {
            Ok(())
        } else {
            Err(SettleError::Broker("the dead letters are full".into()))
        }
    }

    fn abandon(self: Box<Self>) {
        let Self { queue, message, permit } = *self;
        queue.settle(message, Settlement::Release);
        drop(permit);
    }
}
