//! Safeguards that can be taken out, to show that the simulation notices.

use crate::world::Inner;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sabotage {
    /// The consumer acknowledges what it hands out: the ack before the save.
    AckOnHandOut,
    /// The publisher says yes before the broker has the message.
    ConfirmBeforeStored,
    /// An order is stored without its outbox entry.
    InsertWithoutOutbox,
    /// The same, and the relay does not look for orders without a message.
    NoOutboxNorReconciliation,
    /// The outbox is cleared first, then the message is published.
    ClearBeforePublish,
    /// The relay does not look for orders without a message.
    NoReconciliation,
    /// A queue whose depth is not known is taken for an empty one.
    UnknownIsEmpty,
    /// A worker does not mark the orders in its hands.
    NothingIsMarked,
    /// A later final state replaces the first.
    LastStateWins,
    /// A verdict replaces that an order was cancelled.
    VerdictReplacesCancel,
    /// A cancelled order may have ended before.
    CancelReplacesVerdict,
    /// An order is called cancelled, and nothing is stored.
    CancelIsNotStored,
    /// A decision on an order that the store has never seen is dropped.
    UnseenIsNotStored,
    /// The store forgets its last half second in a crash.
    StoreLies,
    /// What a dead consumer held is not delivered again.
    DroppedIsNotRedelivered,
    /// A retry or dead letter leaves its old place before it has its new one.
    RemoveBeforeMove,
    /// The intake has no way around the store.
    NoDirectRoute,
    /// The id does not come from the key.
    KeyForgotten,
    /// The store does not count the validations that a worker began and did not survive.
    DeathsForgotten,
    /// The notice of an end is written after it, not with it.
    NoticeAfterTheState,
    /// A notice is gone once it is claimed.
    NoticeGoneWithItsClaim,
    /// A claim takes what others have leased.
    LeaseIgnored,
}

impl Inner {
    pub fn is_sabotaged(&self, sabotage: Sabotage) -> bool {
        self.sabotage == Some(sabotage)
    }
}
