use std::{num::NonZeroU16, sync::Arc};

use async_trait::async_trait;
use bytes::Bytes;
use time::OffsetDateTime;
use tokio::sync::watch;

use super::{BrokerError, Delivery, OrderEvents};
use crate::domain::{OrderMessage, Reason};

/// A queue of orders with all that belongs to it, so that a program can be given one
/// thing.
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait Broker: Send + Sync {
    /// Returns a publisher for this queue.
    fn publisher(&self) -> Arc<dyn Publisher>;

    /// Makes a consumer that holds at most `prefetch` unsettled deliveries.
    ///
    /// It connects in the background: an unavailable broker is no error.
    ///
    /// # Errors
    /// [`BrokerError`] when the broker was closed.
    async fn consumer(&self, prefetch: Prefetch) -> Result<Box<dyn Consumer>, BrokerError>;

    /// Returns what counts messages and moves dead letters, for operators.
    fn admin(&self) -> Arc<dyn BrokerAdmin>;

    /// Returns what announces status changes to those that watch orders.
    fn events(&self) -> Arc<dyn OrderEvents>;

    /// Closes connections and ends background tasks; returns when they have ended.
    async fn close(&self);
}

/// How many unsettled deliveries a consumer may hold.
pub type Prefetch = NonZeroU16;

/// Puts messages on the queue.
///
/// # Contract
/// - `Ok` means that every message of the batch is stored in the queue, on disk
///   where the broker is durable.
/// - On an error some, all or none may be there: send them again.
/// - A queue that does not exist is an error, not a silent loss.
/// - Each call is bounded in time; a broker that does not reply is an error.
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait Publisher: Send + Sync {
    /// Stores `bodies` in the queue, unread.
    ///
    /// # Errors
    /// [`BrokerError`].
    async fn send(&self, bodies: &[Bytes]) -> Result<(), BrokerError>;

    /// Stores order messages in the queue.
    ///
    /// # Errors
    /// [`BrokerError`].
    async fn publish(&self, messages: &[OrderMessage]) -> Result<(), BrokerError> {
        let bodies: Vec<Bytes> = messages.iter().map(OrderMessage::to_bytes).collect();
        self.send(&bodies).await
    }

    /// Returns `Ok` when the broker would take messages; readiness calls it.
    ///
    /// # Errors
    /// [`BrokerError`].
    async fn ping(&self) -> Result<(), BrokerError>;
}

/// Takes messages off the queue.
///
/// # Contract
/// - Each message goes to one consumer at a time, in about the order it came; of a broker that
///   spreads messages over several queues, in about that order in each of them.
/// - At most the prefetch's number of deliveries is unsettled at once.
/// - A consumer that loses its broker reconnects by itself, with growing pauses, and
///   shows it in [`state`](Self::state). It never ends silently.
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait Consumer: Send {
    /// Waits for the next delivery; `None` once the consumer was stopped or the
    /// broker closed.
    ///
    /// # Cancel safety
    /// A dropped future loses no delivery.
    async fn next(&mut self) -> Option<Delivery>;

    /// Watches whether deliveries can arrive.
    fn state(&self) -> watch::Receiver<ConsumerState>;

    /// Stops: no delivery arrives any more, unsettled ones can still be settled until
    /// [`Broker::close`], and those buffered but not handed out are given back.
    async fn stop(&mut self);
}

/// Whether a consumer can receive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ConsumerState {
    /// It is subscribed at the broker.
    Consuming,
    /// It is connecting, or reconnecting, to the broker.
    Recovering,
    /// It has left the queue for as long as an operator wants.
    Paused,
    /// It was stopped.
    Stopped,
}

/// Counts messages and moves dead letters, for operators.
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait BrokerAdmin: Send + Sync {
    /// Returns what tells the queue from others that carry orders of the same store. It
    /// stays the same over a restart, and holds no secret.
    fn queue(&self) -> String;

    /// Counts messages and consumers.
    ///
    /// A message that is in the queue throughout is counted, once or, while it moves, twice.
    ///
    /// # Errors
    /// [`BrokerError`], also when the count is uncertain, for instance while a replicated
    /// queue has no leader: unknown is not empty.
    async fn depth(&self) -> Result<QueueDepth, BrokerError>;

    /// Counts messages and consumers, for those who watch the queue and ask again and again.
    ///
    /// For half a minute it may leave out what other processes have just begun to fill. By default it is what `depth` says.
    ///
    /// # Errors
    /// [`BrokerError`], as `depth`.
    async fn glance(&self) -> Result<QueueDepth, BrokerError> {
        self.depth().await
    }

    /// Counts what waits for a consumer, and consumers, for those who ask several times a second.
    ///
    /// It may be less sure than [`depth`](Self::depth): nothing may wait because the queue has no
    /// leader for a moment, and a long queue may be estimated. What it costs does not depend on how
    /// long the queue is. By default it is what `depth` says.
    ///
    /// # Errors
    /// [`BrokerError`].
    async fn waiting(&self) -> Result<Waiting, BrokerError> {
        let QueueDepth { ready, consumers, .. } = self.depth().await?;
        Ok(Waiting { messages: ready, consumers })
    }

    /// Returns at most `limit` dead letters, oldest first, and leaves them where they are.
    ///
    /// # Errors
    /// [`BrokerError`].
    async fn dead_letters(&self, limit: usize) -> Result<Vec<DeadLetter>, BrokerError>;

    /// Puts these dead letters back on the queue, marked as redriven, their
    /// attempts at zero. Ids that are not there are ignored; returns how many were moved.
    ///
    /// # Errors
    /// [`BrokerError`]; a message may then be in both places, never in none.
    async fn redrive(&self, ids: &[DeadLetterId]) -> Result<u64, BrokerError>;

    /// Stores `bodies` in the queue as [`Publisher::send`] does, marked as redriven: for orders
    /// whose messages are gone.
    ///
    /// # Errors
    /// [`BrokerError`]; some, all or none may be there.
    async fn resend(&self, bodies: &[Bytes]) -> Result<(), BrokerError>;

    /// Deletes these dead letters; returns how many.
    ///
    /// # Errors
    /// [`BrokerError`].
    async fn purge(&self, ids: &[DeadLetterId]) -> Result<u64, BrokerError>;
}

/// How full the queue is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct QueueDepth {
    /// Messages that wait for a consumer.
    pub ready: u64,
    /// Messages that a consumer holds unsettled; `None` where the broker does not tell.
    pub in_flight: Option<u64>,
    /// Messages that wait for their next attempt.
    pub delayed: u64,
    /// Dead letters.
    pub dead: u64,
    /// Consumers of the queue; `None` where the broker does not tell.
    pub consumers: Option<u64>,
}

/// What waits in a queue.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Waiting {
    /// Messages that wait for a consumer, about.
    pub messages: u64,
    /// Consumers of the queue; `None` where the broker does not tell.
    pub consumers: Option<u64>,
}

/// An id of one dead letter, unique in its queue.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct DeadLetterId(String);

impl DeadLetterId {
    /// Makes the id that the broker knows by `text`.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// Returns the id as the broker writes it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Display for DeadLetterId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// A message whose processing was given up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeadLetter {
    /// Its id.
    pub id: DeadLetterId,
    /// The message as it was published.
    pub body: Bytes,
    /// Why it was given up.
    pub reason: Reason,
    /// How many attempts were counted.
    pub attempts: u32,
    /// When it was given up, UTC; `None` when the broker itself moved it.
    pub died_at: Option<OffsetDateTime>,
}
