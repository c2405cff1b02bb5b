use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use woody_core::domain::OrderMessage;
use woody_core::ports::{BrokerError, Publisher};

use super::queue::{Origin, Queue};

/// Puts messages into the memory queue.
#[derive(Debug)]
pub(super) struct MemoryPublisher {
    queue: Arc<Queue>,
}

impl MemoryPublisher {
    pub(super) fn new(queue: Arc<Queue>) -> Self {
        Self { queue }
    }
}

#[async_trait]
impl Publisher for MemoryPublisher {
    async fn send(&self, bodies: &[Bytes]) -> Result<(), BrokerError> {
        self.queue.push(bodies.iter().map(|body| (body.clone(), Origin::default())), false)
    }

    async fn publish(&self, messages: &[OrderMessage]) -> Result<(), BrokerError> {
        self.queue.push(messages.iter().map(|message| (message.to_bytes(), message.into())), false)
    }

    async fn ping(&self) -> Result<(), BrokerError> {
        self.queue.ensure_open()
    }
}
