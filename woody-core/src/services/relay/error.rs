use crate::ports::{BrokerError, StoreError};

/// The relay could not do a step; the entries stay in the outbox.
#[non_exhaustive]
#[derive(Debug, thiserror::Error)]
pub enum RelayError {
    /// The store failed.
    #[error("the outbox cannot be read or cleared")]
    Store(#[from] StoreError),
    /// The broker did not confirm.
    #[error("the outbox cannot be published")]
    Broker(#[from] BrokerError),
}
