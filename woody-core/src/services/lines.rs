use crate::domain::{OrderId, OrderStatus};

/// The target of the `tracing` events, at the level `info`, that tell an order's life in two lines: that it was accepted,
/// by who speaks to its client, and that it has ended, by the services here.
///
/// Both have `order.id`; the second has `order.status`. They are one each for each order, so who has many may want to
/// switch them off, which this target is for. Neither tells what an order asks for, nor the reason of its end.
pub const ORDER_LINES: &str = "woody.order";

/// Logs that an order has ended, for the first time, or in another way after a redrive.
pub(super) fn log_ended(id: OrderId, status: &OrderStatus, attempts: Option<u32>) {
    tracing::info!(
        target: ORDER_LINES,
        { order.id = %id, order.status = status.as_str(), order.attempts = attempts },
        "order ended"
    );
}
