use async_trait::async_trait;

use super::StoreError;
use crate::domain::{Label, Pause, Reason};

/// Keeps whether workers are paused: they take no new orders, and finish those that they have.
///
/// # Contract
/// - There is one pause, or none, for all workers over this store.
/// - What a call has returned as `Ok` survives a crash, on a backend that claims to be durable.
///
/// # Cancel safety
/// A dropped future leaves workers paused, or not.
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait Pauses: Send + Sync {
    /// Pauses the workers, from the store's time on; returns the pause there is then. Where
    /// they are paused already, that pause stays as it is.
    ///
    /// # Errors
    /// [`StoreError`]; pausing again is right.
    async fn pause(&self, by: &Label, because: Option<Reason>) -> Result<Pause, StoreError>;

    /// Ends the pause, and returns it; `None` when there is none.
    ///
    /// # Errors
    /// [`StoreError`]; resuming again is right.
    async fn resume(&self) -> Result<Option<Pause>, StoreError>;

    /// Returns the pause, if there is one. Every worker asks every few seconds: it reads one
    /// row.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn current(&self) -> Result<Option<Pause>, StoreError>;
}
