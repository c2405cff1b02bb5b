use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use woody_core::ports::{BrokerError, Publisher};

use super::handle::{Handle, Request};

/// The largest body, in bytes: RabbitMQ's limit.
const MAX_BODY: usize = 16 * 1024 * 1024;

/// Puts messages into the file.
#[derive(Debug)]
pub(super) struct SqlitePublisher {
    handle: Arc<Handle>,
}

impl SqlitePublisher {
    pub(super) fn new(handle: Arc<Handle>) -> Self {
        Self { handle }
    }
}

/// Appends messages to the queue, each marked if it is redriven.
pub(super) async fn put(
    handle: &Handle,
    bodies: &[Bytes],
    redriven: bool,
) -> Result<(), BrokerError> {
    // A body that is too large would fail the others of its commit, too.
    if let Some(large) = bodies.iter().find(|body| body.len() > MAX_BODY) {
        return Err(BrokerError::refused(format!(
            "a message of {} bytes is larger than {MAX_BODY}",
            large.len()
        )));
    }
    if bodies.is_empty() {
        return handle.ensure_open();
    }
    handle.ask(|done| Request::Publish { bodies: bodies.to_vec(), redriven, done }).await
}

#[async_trait]
impl Publisher for SqlitePublisher {
    async fn send(&self, bodies: &[Bytes]) -> Result<(), BrokerError> {
        put(&self.handle, bodies, false).await
    }

    async fn ping(&self) -> Result<(), BrokerError> {
        self.handle.ask(|done| Request::Ping { done }).await
    }
}
