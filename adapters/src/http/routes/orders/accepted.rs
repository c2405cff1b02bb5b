use woody_core::services::{Accepted, Kept, ORDER_LINES};

use crate::http::request::RoutedRequest;

/// Logs that an order was accepted: one line, by which it is found by its own id and by its request's. Nothing of what it
/// asks for, and nothing of who asks, is in it.
pub(super) fn log_accepted<A, D>(request: &RoutedRequest<A>, accepted: &Accepted<D>) {
    let kept = match accepted.kept {
        Kept::InStore => "store",
        Kept::InBroker => "broker",
        Kept::Already => "already",
    };
    tracing::info!(
        target: ORDER_LINES,
        { order.id = %accepted.order.id, order.kept = kept, request.id = request.id().as_str() },
        "order accepted"
    );
}
