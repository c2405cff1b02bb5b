use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;

use super::Saved;
use crate::domain::{ClientName, Reason, TraceContext};

/// One message that this process holds: exactly one of its methods settles it.
///
/// # Contract
/// - Settling consumes the delivery, so that it happens once.
/// - A delivery that is dropped unsettled goes back to the queue, as if by
///   [`release`](Self::release), and counts as no attempt.
/// - Until it is settled, no other consumer gets the message; when this consumer dies,
///   it is delivered again.
#[derive(Debug)]
pub struct Delivery {
    body: Bytes,
    attempt: u32,
    redelivered: bool,
    redriven: bool,
    trace: Option<TraceContext>,
    client: Option<ClientName>,
    acker: Option<Box<dyn Acker>>,
}

/// How a broker backend settles one delivery. Programs use [`Delivery`].
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait Acker: std::fmt::Debug + Send + Sync {
    /// Settles the delivery. `Ok` means that the broker will act on it: for
    /// `RetryAfter`, `Postpone` and `DeadLetter` the message is stored in its new place
    /// before it leaves the old one, so it may be doubled but never lost.
    ///
    /// A message whose new place does not take it comes again later, behind those that
    /// wait: it neither holds them up nor keeps its place in the prefetch.
    ///
    /// # Errors
    /// [`SettleError`]; the message is then delivered again.
    async fn settle(self: Box<Self>, settlement: Settlement) -> Result<(), SettleError>;

    /// Gives the message back without waiting: the delivery was dropped.
    fn abandon(self: Box<Self>);
}

/// How a delivery is settled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Settlement {
    /// It is done.
    Ack,
    /// It goes back to the queue as it was; no attempt is counted.
    Release,
    /// It comes again after about `delay`, its attempt counted.
    RetryAfter {
        /// How long it waits; backends may round it up.
        delay: Duration,
        /// Why, kept with the message.
        reason: Reason,
    },
    /// It comes again after about `delay`; no attempt is counted.
    Postpone {
        /// How long it waits; backends may round it up.
        delay: Duration,
        /// Why, kept with the message.
        reason: Reason,
    },
    /// It goes to the dead letters, with its reason. Where they do not take it, it comes
    /// again later, no attempt counted.
    DeadLetter {
        /// Why, kept with the message.
        reason: Reason,
    },
}

/// The broker did not settle the delivery; the message will be delivered again.
#[non_exhaustive]
#[derive(Debug, thiserror::Error)]
pub enum SettleError {
    /// The connection by which the message was delivered is gone, or its lock.
    #[error("the delivery is no longer ours, it will come again")]
    Gone,
    /// The broker could not move the message in time.
    #[error("the broker did not settle the delivery, it will come again")]
    Broker(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The proof was for another order: a bug in the program.
    #[error("the proof is for order {proof}, the delivery is not")]
    WrongProof {
        /// The order that was saved.
        proof: crate::domain::OrderId,
    },
}

impl Delivery {
    /// Makes a delivery of a received message. For broker backends.
    ///
    /// `attempt` is 1 at the first try; `redelivered` is whether the message
    /// may have been seen before, `redriven` whether an operator sent it again.
    pub fn new(
        body: Bytes,
        attempt: u32,
        redelivered: bool,
        redriven: bool,
        acker: Box<dyn Acker>,
    ) -> Self {
        let attempt = attempt.max(1);
        let (trace, client) = (None, None);
        Self { body, attempt, redelivered, redriven, trace, client, acker: Some(acker) }
    }

    /// The same delivery of a message that belongs to this trace. For broker backends.
    #[must_use]
    pub fn traced(mut self, trace: Option<TraceContext>) -> Self {
        self.trace = trace;
        self
    }

    /// The same delivery of a message whose order this client has placed. For broker backends.
    #[must_use]
    pub fn placed_by(mut self, client: Option<ClientName>) -> Self {
        self.client = client;
        self
    }

    /// Returns the trace that the message's headers name; `None` too where the broker keeps no
    /// headers.
    pub fn trace(&self) -> Option<TraceContext> {
        self.trace
    }

    /// Returns the client that the message's headers name; `None` too where the broker keeps no
    /// headers.
    pub fn client(&self) -> Option<&ClientName> {
        self.client.as_ref()
    }

    /// Returns the message as it was published.
    pub fn body(&self) -> &Bytes {
        &self.body
    }

    /// Returns which attempt this is, counting from 1. Releases do not count.
    pub fn attempt(&self) -> u32 {
        self.attempt
    }

    /// Whether this message may have been delivered before. After a broker restart it is
    /// true of messages that were not: it is never a sign of poison.
    pub fn redelivered(&self) -> bool {
        self.redelivered
    }

    /// Whether an operator sent this message again from the dead letters.
    pub fn redriven(&self) -> bool {
        self.redriven
    }

    /// Takes the message off the queue for good; needs the proof that its
    /// order is saved.
    ///
    /// # Errors
    /// [`SettleError`]; the message comes again, which costs work but does no harm.
    pub async fn ack(mut self, saved: Saved) -> Result<(), SettleError> {
        // Parsed again, so that the caller's bookkeeping need not be trusted: it costs a
        // microsecond.
        let ours = crate::domain::OrderMessage::parse(&self.body).map(|message| message.order_id);
        if ours != Ok(saved.order_id()) {
            return Err(SettleError::WrongProof { proof: saved.order_id() });
        }
        self.settle(Settlement::Ack).await
    }

    /// Lets the message come again after `delay`, its attempt counted.
    ///
    /// # Errors
    /// [`SettleError`]; the message comes again, perhaps at once.
    pub async fn retry_after(mut self, delay: Duration, reason: Reason) -> Result<(), SettleError> {
        self.settle(Settlement::RetryAfter { delay, reason }).await
    }

    /// Lets the message come again after `delay`, behind those that wait, no attempt
    /// counted: it waits for something, and is not to blame.
    ///
    /// # Errors
    /// [`SettleError`]; the message comes again, perhaps at once.
    pub async fn postpone(mut self, delay: Duration, reason: Reason) -> Result<(), SettleError> {
        self.settle(Settlement::Postpone { delay, reason }).await
    }

    /// Moves the message to the dead letters.
    ///
    /// # Errors
    /// [`SettleError`]; the message comes again.
    pub async fn dead_letter(mut self, reason: Reason) -> Result<(), SettleError> {
        self.settle(Settlement::DeadLetter { reason }).await
    }

    /// Gives the message back to the queue; no attempt is counted.
    ///
    /// # Errors
    /// [`SettleError`]; the message comes again anyway.
    pub async fn release(mut self) -> Result<(), SettleError> {
        self.settle(Settlement::Release).await
    }

    // It borrows, since a future has room twice for what is moved into it.
    async fn settle(&mut self, settlement: Settlement) -> Result<(), SettleError> {
        match self.acker.take() {
            Some(acker) => acker.settle(settlement).await,
            None => Err(SettleError::Gone),
        }
    }
}

impl Drop for Delivery {
    fn drop(&mut self) {
        if let Some(acker) = self.acker.take() {
            acker.abandon();
        }
    }
}
