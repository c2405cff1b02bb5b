use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use woody_core::ports::{BrokerAdmin, BrokerError, DeadLetter, DeadLetterId, QueueDepth};

use super::queue::Queue;

/// Counts, lists and moves the messages of the memory queue.
#[derive(Debug)]
pub(super) struct MemoryAdmin {
    queue: Arc<Queue>,
}

impl MemoryAdmin {
    pub(super) fn new(queue: Arc<Queue>) -> Self {
        Self { queue }
    }
}

#[async_trait]
impl BrokerAdmin for MemoryAdmin {
    async fn depth(&self) -> Result<QueueDepth, BrokerError> {
        self.queue.ensure_open()?;
        Ok(self.queue.depth())
    }

    async fn dead_letters(&self, limit: usize) -> Result<Vec<DeadLetter>, BrokerError> {
        self.queue.ensure_open()?;
        Ok(self.queue.dead_letters(limit))
    }

    async fn redrive(&self, ids: &[DeadLetterId]) -> Result<u64, BrokerError> {
        self.queue.ensure_open()?;
        Ok(self.queue.redrive(ids))
    }

    async fn resend(&self, bodies: &[Bytes]) -> Result<(), BrokerError> {
        self.queue.push(bodies, true)
    }

    async fn purge(&self, ids: &[DeadLetterId]) -> Result<u64, BrokerError> {
        self.queue.ensure_open()?;
        Ok(self.queue.purge(ids))
    }
}
