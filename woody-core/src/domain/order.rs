use time::OffsetDateTime;

use super::{OrderId, OrderStatus, ProductName, Quantity};

/// An order as it is accepted: all that must survive from then on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewOrder {
    /// Its id.
    pub id: OrderId,
    /// The product asked for.
    pub product: ProductName,
    /// How many pieces.
    pub quantity: Quantity,
    /// When it was accepted, UTC.
    pub accepted_at: OffsetDateTime,
}

/// The time now, UTC, in whole microseconds: what every store can keep.
pub fn now() -> OffsetDateTime {
    let now = OffsetDateTime::now_utc();
    now.replace_nanosecond(now.nanosecond() / 1_000 * 1_000).unwrap_or(now)
}

impl NewOrder {
    /// An order with a fresh id, accepted now.
    pub fn new(product: ProductName, quantity: Quantity) -> Self {
        Self { id: OrderId::fresh(), product, quantity, accepted_at: now() }
    }

    /// Whether `other` asks for the same thing, whenever it was sent.
    pub fn asks_the_same_as(&self, other: &Self) -> bool {
        self.product == other.product && self.quantity == other.quantity
    }
}

/// An order and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order {
    /// Its id.
    pub id: OrderId,
    /// The product asked for.
    pub product: ProductName,
    /// How many pieces.
    pub quantity: Quantity,
    /// Where it stands.
    pub status: OrderStatus,
    /// When it was accepted, UTC.
    pub accepted_at: OffsetDateTime,
    /// When its final state was saved, UTC.
    pub finished_at: Option<OffsetDateTime>,
}
