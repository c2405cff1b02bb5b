use time::OffsetDateTime;

use crate::domain::{Details, FailedAttempt, Order, OrderId, Validation};

/// What a store keeps of an order's way, beside its state: what its story is told from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderTrail {
    /// The order as it is.
    pub order: Order<Details>,
    /// Where it was kept when it was accepted; `None` when that was not written: it was ended by
    /// hand, or by an older version.
    pub kept: Option<KeptIn>,
    /// Whether its message has left the outbox.
    pub publishing: Publishing,
    /// The validation that gave it its final state; `None` while it is pending, and when none did.
    pub ended_by: Option<Validation>,
    /// Attempts without a verdict, the oldest first: the first [`MOST_ATTEMPTS`](Self::MOST_ATTEMPTS)
    /// that were kept.
    pub attempts: Vec<KeptAttempt>,
}

impl OrderTrail {
    /// How many attempts are kept of an order at most; those after them are not.
    pub const MOST_ATTEMPTS: usize = 50;
}

/// Where an order was kept when it was accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeptIn {
    /// In the store.
    Store,
    /// In the broker: its message came before the store knew of it.
    Broker,
}

impl KeptIn {
    /// Returns the word for it: `store` or `broker`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Store => "store",
            Self::Broker => "broker",
        }
    }
}

/// Whether the message of an order has left the outbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Publishing {
    /// It waits in the outbox.
    Waits,
    /// It has no entry in the outbox, or the order has ended.
    Done,
    /// Its entry was not among those that one look goes through.
    Unknown,
}

/// A failed attempt as it is kept.
///
/// Of an order that is postponed over and over there is one, counted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptAttempt {
    /// The order, the attempt, and why; of those that are counted together, the last one.
    pub failed: FailedAttempt,
    /// When the first of them failed.
    pub first_at: OffsetDateTime,
    /// How many they are.
    pub times: u32,
}

impl KeptAttempt {
    /// Makes that of a first attempt.
    pub fn first(failed: FailedAttempt) -> Self {
        let first_at = failed.validation.ended_at();
        Self { failed, first_at, times: 1 }
    }

    /// Whether `next` is one more of the same: postponed once more, in the same attempt.
    pub fn is_repeated_by(&self, next: &FailedAttempt) -> bool {
        use crate::domain::AfterFailure::Postponed;

        let (one, other) = (&self.failed, next);
        one.order == other.order
            && (one.then, other.then) == (Postponed, Postponed)
            && one.validation.attempt == other.validation.attempt
            && one.validation.redriven == other.validation.redriven
    }

    /// Returns the order.
    pub fn order(&self) -> OrderId {
        self.failed.order
    }
}
