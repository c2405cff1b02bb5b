use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;

use super::Saved;
use crate::domain::Reason;

/// One message in our hands: exactly one of its methods settles it.
///
/// # Contract
/// - Settling consumes the delivery, so that it happens once.
/// - A delivery that is dropped unsettled goes back to the queue and counts as
///   no attempt, as if by [`release`](Self::release).
/// - Until it is settled, no other consumer gets the message; when this
///   consumer dies, it comes again.
#[derive(Debug)]
pub struct Delivery {
    body: Bytes,
    attempt: u32,
    redelivered: bool,
    redriven: bool,
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
    /// # Errors
    /// [`SettleError`]; the message is then delivered again.
    async fn settle(self: Box<Self>, settlement: Settlement) -> Result<(), SettleError>;

    /// The delivery was dropped: give the message back, without waiting.
    fn abandon(self: Box<Self>);
}

/// What is to become of a delivered message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Settlement {
    /// It is done.
    Ack,
    /// It goes back to the queue as it was; no attempt is counted.
    Release,
    /// It comes again after about `delay`, its attempt counted.
    RetryAfter {
        /// How long it stays away; backends may round it up.
        delay: Duration,
        /// Why, kept with the message.
        reason: Reason,
    },
    /// It comes again after about `delay`; no attempt is counted.
    Postpone {
        /// How long it stays away; backends may round it up.
        delay: Duration,
        /// Why, kept with the message.
        reason: Reason,
    },
    /// It goes to the dead letters, with its reason.
    DeadLetter {
        /// Why, kept with the message.
        reason: Reason,
    },
}

/// The broker did not take the settlement; the message will come again.
#[non_exhaustive]
#[derive(Debug, thiserror::Error)]
pub enum SettleError {
    /// The connection or the lease under which the message was delivered is gone.
    #[error("the delivery is no longer ours, it will come again")]
    Gone,
    /// The broker could not move the message in time.
    #[error("the broker did not settle the delivery, it will come again")]
    Broker(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The proof was for another order. A mistake of the program.
    #[error("the proof is for order {proof}, the delivery is not")]
    WrongProof {
        /// The order that was saved.
        proof: crate::domain::OrderId,
    },
}

impl Delivery {
    /// Hands a received message to the worker. For broker backends.
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
        Self { body, attempt: attempt.max(1), redelivered, redriven, acker: Some(acker) }
    }

    /// The message as it was published.
    pub fn body(&self) -> &Bytes {
        &self.body
    }

    /// Which try this is, counting from 1. Releases do not count.
    pub fn attempt(&self) -> u32 {
        self.attempt
    }

    /// Whether somebody may have seen this message before. After a broker
    /// restart this is true of messages that nobody has seen: never a sign of poison.
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
    pub async fn ack(self, saved: Saved) -> Result<(), SettleError> {
        // Parsing again is the price of not trusting the caller's bookkeeping;
        // it costs a microsecond.
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
    pub async fn retry_after(self, delay: Duration, reason: Reason) -> Result<(), SettleError> {
        self.settle(Settlement::RetryAfter { delay, reason }).await
    }

    /// Lets the message come again after `delay`, behind those that wait, no attempt
    /// counted: it waits for something, and is not to blame.
    ///
    /// # Errors
    /// [`SettleError`]; the message comes again, perhaps at once.
    pub async fn postpone(self, delay: Duration, reason: Reason) -> Result<(), SettleError> {
        self.settle(Settlement::Postpone { delay, reason }).await
    }

    /// Moves the message to the dead letters.
    ///
    /// # Errors
    /// [`SettleError`]; the message comes again.
    pub async fn dead_letter(self, reason: Reason) -> Result<(), SettleError> {
        self.settle(Settlement::DeadLetter { reason }).await
    }

    /// Gives the message back to the queue; no attempt is counted.
    ///
    /// # Errors
    /// [`SettleError`]; the message comes again anyway.
    pub async fn release(self) -> Result<(), SettleError> {
        self.settle(Settlement::Release).await
    }

    async fn settle(mut self, settlement: Settlement) -> Result<(), SettleError> {
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
