use std::sync::Arc;

use async_trait::async_trait;

use crate::domain::PoolUse;

use super::{ActLog, NoticeStore, OrderStore, Pauses, ProductStore, StoreError};

/// A store with all its ports, so that a program can be given one thing.
///
/// # Contract
/// - Before the first call of one of its ports, [`migrate`](Self::migrate) must have succeeded
///   once, by any process.
/// - All that is returned reads and writes the same store.
/// - A store whose server is unavailable is no error until it is called.
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait Store: Send + Sync {
    /// Returns the port to the orders.
    fn orders(&self) -> Arc<dyn OrderStore>;

    /// Returns the port to the catalogue.
    fn products(&self) -> Arc<dyn ProductStore>;

    /// Returns the port to what operators have done.
    fn acts(&self) -> Arc<dyn ActLog>;

    /// Returns the port to the notices of orders that have ended.
    fn notices(&self) -> Arc<dyn NoticeStore>;

    /// Returns the port to whether workers are paused.
    fn pauses(&self) -> Arc<dyn Pauses>;

    /// Returns how many of its connections are in use, where it has a pool of them.
    fn connections(&self) -> Option<PoolUse> {
        None
    }

    /// Brings the schema up to date. Any number of processes may do so at once,
    /// and again at any time.
    ///
    /// # Errors
    /// [`StoreError`]; a program that starts before its database tries again
    /// while it is [transient](StoreError::is_transient).
    async fn migrate(&self) -> Result<(), StoreError>;

    /// Closes the connections, once what is under way has ended. Later calls are
    /// [`Unavailable`](StoreError::Unavailable).
    async fn close(&self);
}
