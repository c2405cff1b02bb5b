//! How lists of orders are sorted.

use time::OffsetDateTime;
use woody_core::domain::{Details, Order, OrderId};

/// What orders are sorted by: the oldest first.
pub(super) type ByAge = (OffsetDateTime, OrderId);

/// Returns the place of an order.
pub(super) fn by_age(order: &Order<Details>) -> ByAge {
    (order.accepted_at, order.id)
}
