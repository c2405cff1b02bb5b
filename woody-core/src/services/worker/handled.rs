/// How one delivery was handled.
#[must_use]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Handled {
    /// Its order has a final state, given by this delivery.
    Decided,
    /// Its order had ended before, and stays as it was.
    Duplicate,
    /// It comes again later, its attempt counted.
    Retry,
    /// It comes again later, no attempt counted: it waited too long for a dependency.
    Postponed,
    /// Its last attempt failed: the order is `Failed`, the message a dead letter.
    GivenUp,
    /// It was no order message: it is a dead letter.
    Poison,
    /// It went back to the queue, or will by itself, no attempt counted.
    Released,
}

impl Handled {
    /// Every outcome.
    pub(super) const ALL: [Self; 7] = [
        Self::Decided,
        Self::Duplicate,
        Self::Retry,
        Self::Postponed,
        Self::GivenUp,
        Self::Poison,
        Self::Released,
    ];

    /// Counts that deliveries were handled so.
    pub(super) fn count(self, deliveries: u64) {
        metrics::counter!("woody_deliveries_total", "handled" => self.as_str())
            .increment(deliveries);
    }

    /// Returns the outcome as a word for logs and metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Decided => "decided",
            Self::Duplicate => "duplicate",
            Self::Retry => "retry",
            Self::Postponed => "postponed",
            Self::GivenUp => "given_up",
            Self::Poison => "poison",
            Self::Released => "released",
        }
    }
}
