//! What operators have done, written down before they do it.

use std::{fmt, str::FromStr};

use async_trait::async_trait;
use time::OffsetDateTime;

use super::place::{self, whole_micros};
use super::{PageSize, StoreError};
use crate::domain::{Act, ActId, ActResult, Invalid, NewAct, OrderId};

/// Keeps operators' acts: who did what to which order, when and why, and how it ended.
///
/// # Contract
/// - [`record`](Self::record) comes before the act, and an act that could not be recorded is
///   not done: what was done is in here, and an act without a result was begun.
/// - What a call has returned as `Ok` survives a crash, on a backend that claims to be durable.
/// - Acts are never changed but by their one result, and never deleted.
///
/// # Cancel safety
/// A dropped future leaves the act recorded, or not; the same for its result.
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait ActLog: Send + Sync {
    /// Writes down an act that is about to be done, at the store's time. One whose id is there
    /// already stays as it is.
    ///
    /// # Errors
    /// [`StoreError`]; after a transient one it may or may not be written down, and recording
    /// it again is right.
    async fn record(&self, act: &NewAct) -> Result<(), StoreError>;

    /// Writes down how an act ended. The first result stays; an id that is not there is
    /// ignored.
    ///
    /// # Errors
    /// [`StoreError`]; closing again is right.
    async fn close(&self, id: ActId, result: &ActResult) -> Result<(), StoreError>;

    /// Returns a page of acts, as the query says: sorted by `(at, id)`, the newest first.
    ///
    /// What a page costs depends on its size, and not on how many acts there are.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn list(&self, query: &ActQuery) -> Result<ActPage, StoreError>;
}

/// Which acts [`ActLog::list`] returns: by default all of them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ActQuery {
    /// Done to this order.
    pub order: Option<OrderId>,
    /// Written down at this time or later.
    pub since: Option<OffsetDateTime>,
    /// Behind this place, so older: the page before ended there.
    pub after: Option<ActCursor>,
    /// How many at most.
    pub limit: PageSize,
}

impl ActQuery {
    /// Returns the time at which the page ends, in whole microseconds.
    pub fn reaches_to(&self) -> Option<OffsetDateTime> {
        self.since.map(|since| {
            let whole = whole_micros(since);
            let next =
                if whole < since { time::Duration::MICROSECOND } else { time::Duration::ZERO };
            whole.checked_add(next).unwrap_or(since)
        })
    }
}

/// A place in the list of acts. As text it is opaque: what a page ended with, to go on from
/// there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ActCursor {
    at: OffsetDateTime,
    id: ActId,
}

impl ActCursor {
    /// Returns the place of an act.
    pub fn of(act: &Act) -> Self {
        Self { at: whole_micros(act.at), id: act.asked.id }
    }

    /// Returns when the act of this place was written down.
    pub fn at(self) -> OffsetDateTime {
        self.at
    }

    /// Returns the id of the act of this place.
    pub fn id(self) -> ActId {
        self.id
    }
}

impl fmt::Display for ActCursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        place::write(f, self.at, self.id.as_uuid())
    }
}

impl FromStr for ActCursor {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        place::read(text).map(|(at, id)| Self { at, id: id.into() })
    }
}

/// Some acts, and where the next ones are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ActPage {
    /// The acts, the newest first.
    pub acts: Vec<Act>,
    /// What to ask for next; `None` where nothing older follows.
    pub next: Option<ActCursor>,
}

impl ActPage {
    /// Makes the page of sorted acts. Of more than `limit`, the rest is for the next page.
    pub fn of(mut acts: Vec<Act>, limit: PageSize) -> Self {
        let is_more = acts.len() > limit.get();
        acts.truncate(limit.get());
        let next = acts.last().filter(|_| is_more).map(ActCursor::of);
        Self { acts, next }
    }
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    #[test]
    fn a_cursor_is_read_as_it_was_written() {
        let cursor =
            ActCursor { at: datetime!(2026-11-29 06:00:00.123456 UTC), id: ActId::fresh() };
        assert_eq!(cursor.to_string().parse(), Ok(cursor));
        assert!("1.2".parse::<ActCursor>().is_err());
    }
}
