use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use woody_core::ports::{BrokerAdmin, BrokerError, DeadLetter, DeadLetterId, QueueDepth};

use super::queue::{Origin, Queue};

/// Counts, lists and moves the messages of the memory queue.
#[derive(Debug)]
pub(super) struct MemoryAdmin {
    queue: Arc<Queue>,
    name: Arc<str>,
}

impl MemoryAdmin {
    pub(super) fn new(queue: Arc<Queue>, name: Arc<str>) -> Self {
        Self { queue, name }
    }
}

#[async_trait]
impl BrokerAdmin for MemoryAdmin {
    fn queue(&self) -> String {
        format!("memory:{}", self.name)
    }

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
        self.queue.push(bodies.iter().map(|body| (body.clone(), Origin::default())), true)
    }

    async fn purge(&self, ids: &[DeadLetterId]) -> Result<u64, BrokerError> {
        self.queue.ensure_open()?;
        Ok(self.queue.purge(ids))
    }
}
