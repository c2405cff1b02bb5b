//! Orders that an operator has validated once more.

use std::{fmt, sync::Arc};

use crate::{
    domain::{NewOrder, Order, OrderId, OrderMessage, OrderStatus, Outcome},
    ports::{BrokerAdmin, BrokerError, DeadLetter, DeadLetterId, OrderStore, StoreError},
};

/// Has an order validated once more that has failed, or whose message may be gone.
///
/// Its dead letter is put back on the queue, or where there is none, a new message is sent
/// that says the same, marked as redriven: so that an order which has failed meanwhile may
/// still reach a verdict. An order that is pending may have a message all the same: what is
/// validated twice ends once, by its id.
#[derive(Clone)]
pub struct OrderRetry {
    store: Arc<dyn OrderStore>,
    admin: Arc<dyn BrokerAdmin>,
}

impl fmt::Debug for OrderRetry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OrderRetry").finish_non_exhaustive()
    }
}

/// What came of a retry.
#[must_use]
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Retried {
    /// Its dead letters were put back on the queue.
    Redriven {
        /// How many there were: one, unless its message was doubled.
        letters: u64,
    },
    /// A new message was sent, since none of the dead letters is its.
    Resent {
        /// Whether all dead letters were looked through. Otherwise one of the others may be
        /// its, and redriving that later changes nothing.
        all_looked_through: bool,
    },
    /// Nothing was done: the order has ended for good.
    Ended(OrderStatus),
    /// Nothing was done: the store does not have this order.
    Unknown,
}

/// An order could not be retried.
#[non_exhaustive]
#[derive(Debug, thiserror::Error)]
pub enum RetryError {
    /// The store failed; nothing was done.
    #[error("the order cannot be read")]
    Store(#[from] StoreError),
    /// The broker failed; its message may be on the queue all the same.
    #[error("the order's message cannot be put on the queue")]
    Broker(#[from] BrokerError),
}

impl OrderRetry {
    /// How many dead letters are looked through at most, the oldest first.
    pub const MOST_LETTERS: usize = 100_000;

    /// Makes it over a store and what moves the dead letters of a broker.
    pub fn new(store: Arc<dyn OrderStore>, admin: Arc<dyn BrokerAdmin>) -> Self {
        Self { store, admin }
    }

    /// Has the order with this id validated once more, unless it has ended for good.
    ///
    /// # Errors
    /// [`RetryError`]; retrying again is right.
    ///
    /// # Cancel safety
    /// A dropped future may leave the message on the queue.
    pub async fn retry(&self, id: OrderId) -> Result<Retried, RetryError> {
        let order = match self.store.order(id).await? {
            None => return Ok(Retried::Unknown),
            Some(Order { status: OrderStatus::Ended(outcome), .. })
                if !matches!(outcome, Outcome::Failed(_)) =>
            {
                return Ok(Retried::Ended(outcome.into()));
            }
            Some(Order { id, details, accepted_at, trace, client, .. }) => {
                NewOrder { id, details, accepted_at, trace, client, found_by: None }
            }
        };
        let letters = self.admin.dead_letters(Self::MOST_LETTERS).await?;
        let all_looked_through = letters.len() < Self::MOST_LETTERS;
        let its: Vec<DeadLetterId> = letters
            .into_iter()
            .filter(|letter| is_of(letter, id))
            .map(|letter| letter.id)
            .collect();
        if !its.is_empty() {
            let letters = self.admin.redrive(&its).await?;
            // None, if somebody purged them meanwhile.
            if letters > 0 {
                return Ok(Retried::Redriven { letters });
            }
        }
        self.admin.resend(&[OrderMessage::from(&order).to_bytes()]).await?;
        Ok(Retried::Resent { all_looked_through })
    }
}

fn is_of(letter: &DeadLetter, id: OrderId) -> bool {
    OrderMessage::parse(&letter.body).is_ok_and(|message| message.order_id == id)
}
