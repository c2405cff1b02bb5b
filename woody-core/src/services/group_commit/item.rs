use crate::{
    domain::{Details, FailedAttempt, NewOrder, OrderId, OrderMessage},
    ports::Decision,
};

/// How much room an item takes while it waits.
pub(crate) trait Weight {
    /// Returns what grows with the item, in bytes; 0 for one of fixed size.
    fn bytes(&self) -> usize;
}

impl Weight for NewOrder<Details> {
    fn bytes(&self) -> usize {
        self.text_bytes()
    }
}

impl Weight for OrderMessage {
    fn bytes(&self) -> usize {
        self.details.as_str().len()
    }
}

impl Weight for OrderId {
    fn bytes(&self) -> usize {
        0
    }
}

/// The delivery that it belongs to is held meanwhile, and deliveries are bounded.
impl Weight for FailedAttempt {
    fn bytes(&self) -> usize {
        0
    }
}

/// The delivery that it belongs to holds its order, and deliveries are bounded.
impl Weight for Decision {
    fn bytes(&self) -> usize {
        0
    }
}
