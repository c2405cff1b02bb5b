use std::time::Duration;

use super::guarded_sink::Outage;
use crate::{
    domain::DetailsError,
    ports::{BrokerError, StoreError},
};

/// An order was not accepted.
#[non_exhaustive]
#[derive(Debug, Clone, thiserror::Error)]
pub enum IntakeError {
    /// What it asks for cannot be an order's.
    #[error(transparent)]
    Details(#[from] DetailsError),
    /// The key was used for another order before.
    #[error("this Idempotency-Key was used for another order")]
    KeyReused,
    /// Too many orders are waiting: try again soon.
    #[error("too many orders are waiting to be stored")]
    Overloaded,
    /// Orders that come now would wait for longer than
    /// [`max_wait`](super::IntakeSettings::max_wait).
    #[error("orders that come now would wait too long")]
    Backlogged {
        /// After so long they would not, if none came meanwhile.
        retry_after: Duration,
    },
    /// Neither the store nor the broker could take it: try again later.
    #[error("no order can be kept: the store {store}; the broker {broker}")]
    Unavailable {
        /// Why the store did not take it.
        store: Outage<StoreError>,
        /// Why the broker did not take it.
        broker: Outage<BrokerError>,
    },
    /// The process is shutting down: try another replica.
    #[error("this replica is shutting down")]
    ShuttingDown,
}
