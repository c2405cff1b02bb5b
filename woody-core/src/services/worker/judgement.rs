use std::time::Duration;

use crate::{domain::Reason, ports::Decision};

/// How a delivery and its order end, or go on.
#[derive(Debug)]
pub(super) enum Judgement {
    /// Its order ends, or has ended, like this.
    Ended(Decision),
    /// Its last attempt failed: its order ends as `Failed`, for this reason.
    GivenUp(Decision, Reason),
    /// It comes again after this pause, its attempt counted.
    Again(Duration, Reason),
    /// It comes again after this pause, no attempt counted.
    Postponed(Duration, Reason),
    /// It is no order message.
    Malformed(Reason),
    /// Shutdown was requested before there was a judgement.
    ShuttingDown,
}

impl Judgement {
    /// What has to be saved before the delivery may leave the queue.
    pub(super) fn decision(&self) -> Option<&Decision> {
        match self {
            Self::Ended(decision) | Self::GivenUp(decision, _) => Some(decision),
            Self::Again(..) | Self::Postponed(..) | Self::Malformed(_) | Self::ShuttingDown => None,
        }
    }
}
