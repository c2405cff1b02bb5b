use super::{Invalid, Reason};

/// The status of an order.
///
/// It begins as `Pending`, ends once, and never goes back:
///
/// ```text
///            ┌─► Success
/// Pending ───┼─► Rejected          Failed ─► Success | Rejected
///            ├─► Failed            (only when an operator redrives it)
///            └─► Cancelled
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OrderStatus {
    /// Accepted, not yet validated.
    Pending,
    /// Final.
    Ended(Outcome),
}

/// What a status is called, without what it says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum StatusName {
    /// Accepted, not yet validated.
    Pending,
    /// Ended well.
    Success,
    /// Cannot be made.
    Rejected,
    /// Could not be validated.
    Failed,
    /// Taken back before it was validated.
    Cancelled,
}

impl StatusName {
    /// All of them.
    pub const ALL: [Self; 5] =
        [Self::Pending, Self::Success, Self::Rejected, Self::Failed, Self::Cancelled];

    /// Returns the name as on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Success => "success",
            Self::Rejected => "rejected",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }
}

impl std::fmt::Display for StatusName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

impl std::str::FromStr for StatusName {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let named = Self::ALL.into_iter().find(|name| name.as_str() == text);
        named.ok_or_else(|| {
            Invalid::new("status", "must be pending, success, rejected, failed or cancelled")
        })
    }
}

/// How an order ends: what a status that is final says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Validated: it can be made. The reason, if any, holds the plan's figures.
    Success(Option<Reason>),
    /// Validated: it cannot be made.
    Rejected(Reason),
    /// It could not be validated; its message is in the dead letter queue.
    Failed(Reason),
    /// It was taken back before it was validated. The reason, if any, is who took it back, or why.
    Cancelled(Option<Reason>),
}

/// The order already had a final state, which stays.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the order already ended as {}", .0.as_str())]
pub struct Superseded(pub(super) OrderStatus);

impl Superseded {
    /// Returns the state that stays.
    pub fn into_status(self) -> OrderStatus {
        self.0
    }
}

impl OrderStatus {
    /// Returns the status as on the wire: `pending`, `success`, `rejected`, `failed`,
    /// `cancelled`.
    pub fn as_str(&self) -> &'static str {
        self.name().as_str()
    }

    /// Returns what the status is called.
    pub fn name(&self) -> StatusName {
        match self {
            Self::Pending => StatusName::Pending,
            Self::Ended(outcome) => outcome.name(),
        }
    }

    /// Puts a status together from its stored word and reason.
    ///
    /// Returns `None` for a word that is no status.
    pub fn from_parts(word: &str, reason: Option<Reason>) -> Option<Self> {
        let given = || reason.clone().unwrap_or_else(|| Reason::new(""));
        Some(Self::Ended(match word {
            "pending" => return Some(Self::Pending),
            "rejected" => Outcome::Rejected(given()),
            "failed" => Outcome::Failed(given()),
            "success" => Outcome::Success(reason),
            "cancelled" => Outcome::Cancelled(reason),
            _ => return None,
        }))
    }

    /// Returns the reason that goes with it, if any.
    pub fn reason(&self) -> Option<&Reason> {
        self.outcome().and_then(Outcome::reason)
    }

    /// Returns how the order ended, if it has.
    pub fn outcome(&self) -> Option<&Outcome> {
        match self {
            Self::Pending => None,
            Self::Ended(outcome) => Some(outcome),
        }
    }

    /// Whether the order has ended.
    pub fn is_final(&self) -> bool {
        *self != Self::Pending
    }

    /// Ends the order: the first outcome wins.
    ///
    /// With `redriven`, an order that `Failed` may still reach the verdict it
    /// never got; nothing else moves once final.
    ///
    /// # Errors
    /// [`Superseded`] with the state that stays.
    pub fn settle(self, outcome: Outcome, redriven: bool) -> Result<Self, Superseded> {
        match self {
            Self::Pending => Ok(outcome.into()),
            Self::Ended(Outcome::Failed(_)) if redriven && outcome.is_verdict() => {
                Ok(outcome.into())
            }
            ended @ Self::Ended(_) => Err(Superseded(ended)),
        }
    }
}

impl Outcome {
    /// Returns the outcome as on the wire: `success`, `rejected`, `failed`, `cancelled`.
    pub fn as_str(&self) -> &'static str {
        self.name().as_str()
    }

    /// Returns what the status is called.
    pub fn name(&self) -> StatusName {
        match self {
            Self::Success(_) => StatusName::Success,
            Self::Rejected(_) => StatusName::Rejected,
            Self::Failed(_) => StatusName::Failed,
            Self::Cancelled(_) => StatusName::Cancelled,
        }
    }

    /// Whether a validator has decided so.
    pub fn is_verdict(&self) -> bool {
        matches!(self, Self::Success(_) | Self::Rejected(_))
    }

    /// Returns the reason that goes with it, if any.
    pub fn reason(&self) -> Option<&Reason> {
        match self {
            Self::Success(reason) | Self::Cancelled(reason) => reason.as_ref(),
            Self::Rejected(reason) | Self::Failed(reason) => Some(reason),
        }
    }
}

impl From<Outcome> for OrderStatus {
    fn from(outcome: Outcome) -> Self {
        Self::Ended(outcome)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn outcome() -> impl Strategy<Value = Outcome> {
        prop_oneof![
            Just(Outcome::Success(None)),
            "[a-z]{1,9}".prop_map(|why| Outcome::Rejected(Reason::new(why))),
            "[a-z]{1,9}".prop_map(|why| Outcome::Failed(Reason::new(why))),
            prop::option::of("[a-z]{1,9}").prop_map(|why| Outcome::Cancelled(why.map(Reason::new))),
        ]
    }

    fn rank(status: &OrderStatus) -> u8 {
        match status {
            OrderStatus::Pending => 0,
            OrderStatus::Ended(Outcome::Failed(_)) => 1,
            OrderStatus::Ended(_) => 2,
        }
    }

    proptest! {
        #[test]
        fn without_a_redrive_the_first_outcome_wins(outcomes in prop::collection::vec(outcome(), 1..9)) {
            let first = OrderStatus::from(outcomes[0].clone());
            let mut status = OrderStatus::Pending;
            for next in outcomes {
                status = status.clone().settle(next, false).unwrap_or(status);
            }
            prop_assert_eq!(status, first);
        }

        #[test]
        fn no_history_ever_goes_back(history in prop::collection::vec((outcome(), any::<bool>()), 1..20)) {
            let mut status = OrderStatus::Pending;
            for (next, redriven) in history {
                let before = status.clone();
                if let Ok(after) = status.clone().settle(next, redriven) {
                    prop_assert!(rank(&after) > rank(&before));
                    status = after;
                }
            }
        }

        #[test]
        fn nothing_moves_a_cancelled_order(history in prop::collection::vec((outcome(), any::<bool>()), 1..20)) {
            let cancelled = OrderStatus::from(Outcome::Cancelled(None));
            for (next, redriven) in history {
                let stays = cancelled.clone().settle(next, redriven).map_err(Superseded::into_status);
                prop_assert_eq!(stays, Err(cancelled.clone()));
            }
        }

        #[test]
        fn only_what_is_pending_can_be_cancelled(end in outcome(), redriven: bool) {
            let ended = OrderStatus::from(end);
            let stays = ended.clone().settle(Outcome::Cancelled(None), redriven);
            prop_assert_eq!(stays.map_err(Superseded::into_status), Err(ended));
            let cancelled = OrderStatus::Pending.settle(Outcome::Cancelled(None), redriven);
            prop_assert_eq!(cancelled.ok(), Some(Outcome::Cancelled(None).into()));
        }

        #[test]
        fn a_status_survives_its_columns(end in outcome()) {
            let status = OrderStatus::from(end);
            let read = OrderStatus::from_parts(status.as_str(), status.reason().cloned());
            prop_assert_eq!(read, Some(status));
        }
    }

    #[test]
    fn every_name_is_read_as_it_is_written() {
        for name in StatusName::ALL {
            assert_eq!(name.as_str().parse(), Ok(name));
            assert_eq!(OrderStatus::from_parts(name.as_str(), None).map(|s| s.name()), Some(name));
        }
    }
}
