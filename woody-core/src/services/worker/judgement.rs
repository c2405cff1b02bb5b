use std::time::Duration;

use crate::{
    domain::{FailedAttempt, Reason},
    ports::Decision,
};

/// How a delivery and its order end, or go on.
#[derive(Debug)]
pub(super) enum Judgement {
    /// Its order ends, or has ended, like this.
    Ended(Decision),
    /// Its last attempt failed: its order ends as `Failed`, for this reason.
    GivenUp(Decision, Reason),
    /// It comes again after this pause, its attempt counted.
    Again(Duration, FailedAttempt),
    /// It comes again after this pause, no attempt counted.
    Postponed(Duration, FailedAttempt),
    /// It is no order message.
    Malformed(Reason),
    /// Shutdown was requested before there was a judgement.
    ShuttingDown,
}

impl Judgement {
    /// Returns the attempt that failed, if the message comes again.
    pub(super) fn failed_attempt(&self) -> Option<&FailedAttempt> {
        match self {
            Self::Again(_, attempt) | Self::Postponed(_, attempt) => Some(attempt),
            Self::Ended(_) | Self::GivenUp(..) | Self::Malformed(_) | Self::ShuttingDown => None,
        }
    }

    /// What has to be saved before the delivery may leave the queue.
    pub(super) fn decision(&self) -> Option<&Decision> {
        match self {
            Self::Ended(decision) | Self::GivenUp(decision, _) => Some(decision),
            Self::Again(..) | Self::Postponed(..) | Self::Malformed(_) | Self::ShuttingDown => None,
        }
    }
}
