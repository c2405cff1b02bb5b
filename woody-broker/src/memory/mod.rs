//! A queue in the memory of this process: for tests, examples and embedding.
//!
//! It forgets everything when the process ends, and no other process sees it. In
//! all else it is as strict as a broker over the network: it is bounded, hands
//! each message to one consumer, takes back what is dropped, delays retries and
//! keeps dead letters.

mod acker;
mod admin;
mod consumer;
mod publisher;
mod queue;

use std::sync::{Arc, atomic::Ordering};

use async_trait::async_trait;
use tokio_util::sync::CancellationToken;
use woody_core::ports::{
    Broker, BrokerAdmin, BrokerError, Consumer, OrderEvents, Prefetch, Publisher,
};

use self::{
    admin::MemoryAdmin, consumer::MemoryConsumer, publisher::MemoryPublisher, queue::Queue,
};
use crate::events::InProcessEvents;

/// A [`Broker`] that lives in this process.
///
/// Time is tokio's, so that a test that pauses it decides when retries are due.
/// There are no background tasks.
#[derive(Debug)]
pub struct MemoryBroker {
    queue: Arc<Queue>,
    name: Arc<str>,
    events: Arc<InProcessEvents>,
}

impl MemoryBroker {
    /// How many messages [`new`](Self::new) has room for.
    pub const DEFAULT_CAPACITY: usize = 100_000;

    /// Makes an empty queue with room for [`DEFAULT_CAPACITY`](Self::DEFAULT_CAPACITY) messages.
    pub fn new() -> Self {
        Self::with_capacity(Self::DEFAULT_CAPACITY)
    }

    /// Makes an empty queue with room for `capacity` messages, whether they are ready,
    /// in flight, delayed or dead. A full queue refuses what is published.
    pub fn with_capacity(capacity: usize) -> Self {
        let closed = CancellationToken::new();
        let events = Arc::new(InProcessEvents::new(closed.clone()));
        Self { queue: Arc::new(Queue::new(capacity, closed)), name: "".into(), events }
    }

    /// Bounds the dead letters. A message for which there is no room among them comes again
    /// after a second, and again, until there is.
    #[must_use]
    pub fn with_room_for_dead(self, dead: usize) -> Self {
        self.queue.most_dead.store(dead, Ordering::Relaxed);
        self
    }

    /// Names the queue. Queues that carry orders of one store need names that differ: by
    /// them a look for lost messages tells whose are whose.
    #[must_use]
    pub fn named(mut self, name: &str) -> Self {
        self.name = name.into();
        self
    }
}

impl Default for MemoryBroker {
    fn default() -> Self {
        Self::new()
    }
}

#[async_trait]
impl Broker for MemoryBroker {
    fn publisher(&self) -> Arc<dyn Publisher> {
        Arc::new(MemoryPublisher::new(Arc::clone(&self.queue)))
    }

    async fn consumer(&self, prefetch: Prefetch) -> Result<Box<dyn Consumer>, BrokerError> {
        self.queue.ensure_open()?;
        Ok(Box::new(MemoryConsumer::new(Arc::clone(&self.queue), prefetch)))
    }

    fn admin(&self) -> Arc<dyn BrokerAdmin> {
        Arc::new(MemoryAdmin::new(Arc::clone(&self.queue), Arc::clone(&self.name)))
    }

    fn events(&self) -> Arc<dyn OrderEvents> {
        Arc::<InProcessEvents>::clone(&self.events)
    }

    async fn close(&self) {
        self.queue.close();
    }
}
