use async_trait::async_trait;
use futures::stream::BoxStream;
use serde::{Deserialize, Serialize};

use super::BrokerError;
use crate::domain::{OrderId, OrderStatus, Reason};

/// Announces to every process that an order has changed.
///
/// # Contract
/// - Best effort and never stored: a subscriber that is disconnected or slow misses
///   changes. To be sure, read the store, as
///   [`OrderTracker`](crate::services::OrderTracker) does.
/// - A change is announced after it was saved, never before. An announcement with another
///   word than that of a final status is no change: processes use such words to tell each
///   other about an outage of the store.
/// - Every subscriber gets every change, on a broker with several processes
///   too; a subscription recovers by itself after an outage of the broker.
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait OrderEvents: Send + Sync {
    /// Announces changes.
    ///
    /// # Errors
    /// [`BrokerError`]; nothing depends on the announcement.
    async fn announce(&self, changes: &[StatusChange]) -> Result<(), BrokerError>;

    /// Listens from now on. The stream ends only when the broker is closed.
    ///
    /// # Errors
    /// [`BrokerError`] when listening cannot begin.
    async fn subscribe(&self) -> Result<StatusStream, BrokerError>;
}

/// The changes that a subscriber receives.
pub type StatusStream = BoxStream<'static, StatusChange>;

/// An order has changed to this status.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StatusChange {
    /// The order.
    pub order_id: OrderId,
    /// The wire's word of its status.
    pub status: String,
    /// The reason that goes with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
}

impl StatusChange {
    /// Describes the change of `order_id` to `status`.
    pub fn new(order_id: OrderId, status: &OrderStatus) -> Self {
        Self { order_id, status: status.as_str().to_owned(), reason: status.reason().cloned() }
    }
}
