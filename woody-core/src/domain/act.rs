//! What operators do, as it is written down.

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use uuid::Uuid;

use super::{Invalid, Label, OrderId, Reason};

/// The id of one act of an operator, chosen before it is written down: sent twice, it is one
/// act.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ActId(Uuid);

impl ActId {
    /// Makes a fresh id (UUIDv7: ids made later sort later).
    pub fn fresh() -> Self {
        Self(Uuid::now_v7())
    }

    /// Reads the usual forms of a UUID.
    ///
    /// # Errors
    /// [`Invalid`] when `text` is no UUID.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        Uuid::try_parse(text).map(Self).map_err(|_| Invalid::new("act_id", "must be a UUID"))
    }

    /// Returns the UUID.
    pub fn as_uuid(self) -> Uuid {
        self.0
    }
}

impl From<Uuid> for ActId {
    fn from(uuid: Uuid) -> Self {
        Self(uuid)
    }
}

impl std::str::FromStr for ActId {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        Self::parse(text)
    }
}

impl std::fmt::Display for ActId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

/// An act that an operator is about to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewAct {
    /// Its id.
    pub id: ActId,
    /// Who acts.
    pub by: Label,
    /// Why, if that was said.
    pub because: Option<Reason>,
    /// What is done, for instance `order cancel`.
    pub verb: Label,
    /// The order that it is done to, if it is one.
    pub order: Option<OrderId>,
    /// What else it is done to, for instance `12 dead letters`.
    pub target: Label,
}

/// How an act ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ActResult {
    /// It is done; there may be more to say.
    Done(Option<Reason>),
    /// It was not done, since it may not or need not be.
    Refused(Reason),
    /// It was not done, or in part, since something did not work.
    Failed(Reason),
}

impl ActResult {
    /// Returns the word for it: `done`, `refused` or `failed`.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Done(_) => "done",
            Self::Refused(_) => "refused",
            Self::Failed(_) => "failed",
        }
    }

    /// Returns what else is told of it.
    pub fn told(&self) -> Option<&Reason> {
        match self {
            Self::Done(told) => told.as_ref(),
            Self::Refused(told) | Self::Failed(told) => Some(told),
        }
    }

    /// Makes it from its word and what is told; `None` for another word.
    pub fn from_parts(word: &str, told: Option<Reason>) -> Option<Self> {
        let reason = |told: Option<Reason>| told.unwrap_or_else(|| Reason::new(""));
        match word {
            "done" => Some(Self::Done(told)),
            "refused" => Some(Self::Refused(reason(told))),
            "failed" => Some(Self::Failed(reason(told))),
            _ => None,
        }
    }
}

/// An act that is written down.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Act {
    /// What was about to be done.
    pub asked: NewAct,
    /// When it was written down, by the store's clock.
    pub at: OffsetDateTime,
    /// How it ended. Without one it is under way, or whoever did it was ended in the middle:
    /// it is done, or not, or in part.
    pub result: Option<ActResult>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_result_is_read_as_it_was_written() {
        for result in [
            ActResult::Done(None),
            ActResult::Done(Some("3 of 4".into())),
            ActResult::Refused("it has ended".into()),
            ActResult::Failed("the broker is unavailable".into()),
        ] {
            let read = ActResult::from_parts(result.as_str(), result.told().cloned());
            assert_eq!(read, Some(result));
        }
        assert_eq!(ActResult::from_parts("undone", None), None);
    }
}
