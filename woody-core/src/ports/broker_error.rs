use std::error::Error;

/// The broker could not do what it was asked.
#[non_exhaustive]
#[derive(Debug, thiserror::Error)]
pub enum BrokerError {
    /// The broker is unreachable, silent, blocked or timed out: try again later.
    #[error("the broker is unavailable")]
    Unavailable(#[source] Box<dyn Error + Send + Sync>),
    /// The broker refuses: a missing queue, a missing right, a full queue. Trying again
    /// helps only once an operator has acted.
    #[error("the broker refused")]
    Refused(#[source] Box<dyn Error + Send + Sync>),
    /// The program has closed the broker.
    #[error("the broker was closed")]
    Closed,
}

impl BrokerError {
    /// Makes an `Unavailable` with this source.
    pub fn unavailable(source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::Unavailable(source.into())
    }

    /// Makes a `Refused` with this source.
    pub fn refused(source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::Refused(source.into())
    }

    /// Whether the same call may succeed later.
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::Unavailable(_))
    }
}
