//! Pages of orders by the time at which they were accepted.

use std::{fmt, str::FromStr};

use time::{Duration, OffsetDateTime};
use uuid::Uuid;

use super::place::{self, whole_micros};
use crate::domain::{ClientName, Details, Invalid, Label, Order, OrderId, StatusName};

/// Which orders [`OrderStore::list`](super::OrderStore::list) returns: by default all of them.
///
/// They are sorted by `(accepted_at, id)`, the oldest first. The time is what the process that
/// accepted an order read from its clock: an order of a clock that is behind, or one that the
/// broker kept while the store was away, turns up before orders that were listed already. Who
/// follows what comes in begins some time before where the last look ended.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OrderQuery {
    /// Accepted at this time or later.
    pub since: Option<OffsetDateTime>,
    /// Accepted before this time.
    pub until: Option<OffsetDateTime>,
    /// Of this status.
    pub status: Option<StatusName>,
    /// Of one of the lists that are kept beside that of all.
    pub of: Option<ListOf>,
    /// Behind this place: the page before ended there.
    pub after: Option<OrderCursor>,
    /// How many at most.
    pub limit: PageSize,
}

impl OrderQuery {
    /// Returns the place behind which the page begins, in whole microseconds: the later one of
    /// `since` and `after`.
    pub fn begins_after(&self) -> Option<OrderCursor> {
        let just_before = |since: OffsetDateTime| {
            let at = since.checked_sub(Duration::nanoseconds(1))?;
            Some(OrderCursor { accepted_at: whole_micros(at), id: Uuid::max().into() })
        };
        self.since.and_then(just_before).max(self.after)
    }

    /// Returns the time before which the page ends, in whole microseconds.
    pub fn ends_before(&self) -> Option<OffsetDateTime> {
        self.until.map(|until| {
            let whole = whole_micros(until);
            let next = if whole < until { Duration::MICROSECOND } else { Duration::ZERO };
            whole.checked_add(next).unwrap_or(until)
        })
    }

    /// Whether orders of this status are asked for.
    pub fn is_of(&self, status: StatusName) -> bool {
        self.status.is_none_or(|wanted| wanted == status)
    }

    /// Whether this order belongs to the page or to one behind it, as far as the order itself tells: what it is found by is
    /// not kept with it.
    pub fn selects<D>(&self, order: &Order<D>) -> bool {
        let place = OrderCursor::of(order);
        self.is_of(order.status.name())
            && self.of.as_ref().is_none_or(|of| of.holds(order))
            && self.begins_after().is_none_or(|begin| begin < place)
            && self.ends_before().is_none_or(|end| order.accepted_at < end)
    }
}

/// A list of orders that have something in common, of any status.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum ListOf {
    /// Those that this client has placed.
    Client(ClientName),
    /// Those that are [found by](crate::domain::OrderDetails::found_by) this very text.
    FoundBy(Label),
}

impl ListOf {
    /// Returns what the orders of this list have in common, as text.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Client(name) => name.as_str(),
            Self::FoundBy(text) => text.as_str(),
        }
    }

    fn holds<D>(&self, order: &Order<D>) -> bool {
        match self {
            Self::Client(name) => order.client.as_ref() == Some(name),
            Self::FoundBy(_) => false,
        }
    }
}

/// Orders that may be archived, and where to look for more.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Archivable {
    /// The oldest first.
    pub orders: Vec<Order<Details>>,
    /// Where to go on; `None` when there is nothing behind it. There may be more even if this
    /// page is empty: somebody is still to be told of the orders that were looked at.
    pub next: Option<OrderCursor>,
}

impl Archivable {
    /// Makes a page of what was looked at, at most `limit` orders, each with whether somebody is
    /// still to be told of its end.
    pub fn of(looked_at: Vec<(Order<Details>, bool)>, limit: PageSize) -> Self {
        let is_full = looked_at.len() >= limit.get();
        let last = looked_at.last().filter(|_| is_full);
        let next = last.map(|(order, _)| OrderCursor::of(order));
        let told = looked_at.into_iter().filter(|(_, waits)| !waits);
        Self { orders: told.map(|(order, _)| order).collect(), next }
    }
}

/// How many orders, or acts, a page holds at most: 1 to 500, by default 100.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PageSize(u16);

impl PageSize {
    /// The largest page.
    pub const LARGEST: Self = Self(500);

    /// Accepts 1 to 500.
    ///
    /// # Errors
    /// [`Invalid`] for any other number.
    pub fn new(orders: u16) -> Result<Self, Invalid> {
        match orders {
            1..=500 => Ok(Self(orders)),
            _ => Err(Invalid::new("limit", "must be 1 to 500")),
        }
    }

    /// Returns the number of orders.
    pub fn get(self) -> usize {
        self.0.into()
    }
}

impl Default for PageSize {
    fn default() -> Self {
        Self(100)
    }
}

/// A place in the list of orders. As text it is opaque: what a page ended with, to go on
/// from there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OrderCursor {
    accepted_at: OffsetDateTime,
    id: OrderId,
}

impl OrderCursor {
    /// Returns the place of an order.
    pub fn of<D>(order: &Order<D>) -> Self {
        Self { accepted_at: whole_micros(order.accepted_at), id: order.id }
    }

    /// Returns when the order of this place was accepted.
    pub fn accepted_at(self) -> OffsetDateTime {
        self.accepted_at
    }

    /// Returns the id of the order of this place.
    pub fn id(self) -> OrderId {
        self.id
    }
}

impl fmt::Display for OrderCursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        place::write(f, self.accepted_at, self.id.as_uuid())
    }
}

impl FromStr for OrderCursor {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        place::read(text).map(|(accepted_at, id)| Self { accepted_at, id: id.into() })
    }
}

/// Some orders, and where the next ones are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderPage {
    /// The orders, the oldest first.
    pub orders: Vec<Order<Details>>,
    /// What to ask for next; `None` where nothing follows for now.
    pub next: Option<OrderCursor>,
}

impl OrderPage {
    /// Makes the page of sorted orders. Of more than `limit`, the rest is for the next page.
    pub fn of(mut orders: Vec<Order<Details>>, limit: PageSize) -> Self {
        let is_more = orders.len() > limit.get();
        orders.truncate(limit.get());
        let next = orders.last().filter(|_| is_more).map(OrderCursor::of);
        Self { orders, next }
    }
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    fn cursor(at: OffsetDateTime) -> OrderCursor {
        OrderCursor { accepted_at: at, id: OrderId::fresh() }
    }

    #[test]
    fn a_cursor_is_read_as_it_was_written() {
        for at in [datetime!(2026-11-29 06:00:00.123456 UTC), datetime!(1900-01-01 0:00 UTC)] {
            let cursor = cursor(at);
            assert_eq!(cursor.to_string().parse(), Ok(cursor), "{cursor}");
        }
        let id = OrderId::fresh();
        for bad in ["", ".", "1", &id.to_string(), &format!("{}.{id}", i64::MAX), "1.2"] {
            assert!(bad.parse::<OrderCursor>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_page_is_of_1_to_500_orders() {
        let sizes = [0, 1, 500, 501].map(|orders| PageSize::new(orders).is_ok());
        assert_eq!(sizes, [false, true, true, false]);
    }

    #[test]
    fn a_page_begins_behind_the_later_of_its_two_bounds() {
        let (early, late) = (datetime!(2026-11-29 06:00 UTC), datetime!(2026-11-29 07:00 UTC));
        let query = |since, after| OrderQuery { since, after, ..OrderQuery::default() };
        assert_eq!(query(None, None).begins_after(), None);
        let (before, behind) = (cursor(early), cursor(late));
        assert_eq!(query(Some(early), Some(behind)).begins_after(), Some(behind));
        assert!(query(Some(late), Some(before)).begins_after() > Some(before));
        assert!(query(Some(late), None).begins_after() < Some(behind), "since itself is asked for");
    }

    #[test]
    fn times_between_microseconds_are_those_of_the_next() {
        let at = datetime!(2026-11-29 06:00:00.000001 UTC);
        let between = at + Duration::nanoseconds(1);
        let query = |since, until| OrderQuery { since, until, ..OrderQuery::default() };
        assert!(query(Some(at), None).begins_after() < Some(cursor(at)));
        assert!(query(Some(between), None).begins_after() > Some(cursor(at)));
        assert_eq!(query(None, Some(at)).ends_before(), Some(at));
        assert_eq!(query(None, Some(between)).ends_before(), Some(at + Duration::MICROSECOND));
    }
}
