//! What somebody is told once an order has ended: who, and of what.

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

use super::{Invalid, OrderId, Outcome, StatusName};

/// The name under which somebody wants to be told how orders end: 1 to 64 of `a` to `z`, `0` to
/// `9`, `.`, `_` and `-`.
///
/// ```
/// use woody_core::domain::SubscriptionName;
///
/// let name: SubscriptionName = "mail".parse()?;
/// assert!("Mail to clients".parse::<SubscriptionName>().is_err());
/// # Ok::<(), woody_core::domain::Invalid>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SubscriptionName(String);

impl SubscriptionName {
    /// The longest name, in characters.
    pub const MAX_CHARS: usize = 64;

    /// Accepts a name.
    ///
    /// # Errors
    /// [`Invalid`] for anything else.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        let fits = (1..=Self::MAX_CHARS).contains(&text.len());
        let is_plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"._-".contains(&b);
        if fits && text.bytes().all(is_plain) {
            return Ok(Self(text.to_owned()));
        }
        Err(Invalid::new("subscription", "must be 1 to 64 of a to z, 0 to 9, `.`, `_` and `-`"))
    }

    /// Returns the name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for SubscriptionName {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        Self::parse(text)
    }
}

impl fmt::Display for SubscriptionName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Names the end of one order: `ORDER_failed`, say.
///
/// An order has each final state once at most, so this is the same in every attempt to tell of
/// it, in every process and to every subscription: who is told twice knows it by this id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct NoticeId {
    order: OrderId,
    ended: StatusName,
}

impl NoticeId {
    /// Names this end of this order.
    pub fn of(order: OrderId, outcome: &Outcome) -> Self {
        Self { order, ended: outcome.name() }
    }

    /// Reads what [`Display`](fmt::Display) writes.
    ///
    /// # Errors
    /// [`Invalid`] for anything else.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        let invalid = || Invalid::new("notice", "must be an order's id, `_` and a final status");
        let (order, ended) = text.split_once('_').ok_or_else(invalid)?;
        let order = OrderId::parse(order).map_err(|_| invalid())?;
        let ended = ended.parse().map_err(|_| invalid())?;
        Some(Self { order, ended }).filter(|id| id.ended != StatusName::Pending).ok_or_else(invalid)
    }

    /// Returns the order.
    pub fn order(self) -> OrderId {
        self.order
    }

    /// Returns what the order's final status is called.
    pub fn ended(self) -> StatusName {
        self.ended
    }
}

impl Ord for NoticeId {
    /// By order, then by the word of the status: as databases sort them.
    fn cmp(&self, other: &Self) -> Ordering {
        let key = |id: &Self| (id.order, id.ended.as_str());
        key(self).cmp(&key(other))
    }
}

impl PartialOrd for NoticeId {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl FromStr for NoticeId {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        Self::parse(text)
    }
}

impl fmt::Display for NoticeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}_{}", self.order, self.ended)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_short_and_plain() {
        for good in ["mail", "a", "erp-2.eu_west", &"n".repeat(64)] {
            assert_eq!(SubscriptionName::parse(good).unwrap().as_str(), good);
        }
        for bad in ["", "Mail", "two words", "é", "a/b", "a\n", &"n".repeat(65)] {
            assert!(SubscriptionName::parse(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn an_id_is_read_as_it_is_written() {
        let order = OrderId::fresh();
        for outcome in [Outcome::Success(None), Outcome::Failed("why".into())] {
            let id = NoticeId::of(order, &outcome);
            assert_eq!(NoticeId::parse(&id.to_string()), Ok(id));
            assert_eq!((id.order(), id.ended()), (order, outcome.name()));
        }
        for bad in ["", "_", "success", &order.to_string(), &format!("{order}_pending"), "x_failed"]
        {
            assert!(NoticeId::parse(bad).is_err(), "{bad:?}");
        }
    }
}
