//! What every call of the store begins and ends with.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use tokio::time::timeout;
use woody_core::ports::StoreError;

use super::error::{Error, NoAnswer};
use super::pool::Lent;
use super::{PostgresStore, server};

impl PostgresStore {
    /// Takes a connection, or gives up soon.
    ///
    /// A connection that is being opened is opened to its end, whoever gives up
    /// waiting for it, and then serves the next. Otherwise a server that takes
    /// longer than callers wait, because all of them have it open connections at
    /// once, would never have one open: it stays away for as long as they call.
    pub(super) async fn lend(&self) -> Result<Lent, Error> {
        let place = Arc::clone(&self.callers).try_acquire_owned();
        let place = place.map_err(|_| sqlx::Error::PoolTimedOut)?;
        let pool = self.pool.clone();
        let lending = tokio::spawn(async move {
            let lent = pool.close_event().do_until(pool.acquire()).await;
            drop(place);
            lent?
        });
        match timeout(self.acquire_timeout, lending).await {
            Ok(Ok(lent)) => self.introduce(Lent::new(lent?)).await,
            // It cannot panic; the process is going down.
            Ok(Err(_)) => Err(sqlx::Error::PoolClosed.into()),
            Err(_) => Err(sqlx::Error::PoolTimedOut.into()),
        }
    }

    /// Looks once whether the server is one for us, and holds on to it behind a
    /// transaction pooler: from one transaction to the next the server's session is
    /// somebody else's, statements and all.
    async fn introduce(&self, mut lent: Lent) -> Result<Lent, Error> {
        if !self.is_known.load(Ordering::Relaxed) {
            server::check(&mut lent, self.expected_limit()).await?;
            self.is_known.store(true, Ordering::Relaxed);
        }
        if self.is_pooled {
            lent.begin().await?;
        }
        Ok(lent)
    }

    /// Runs a call that must end in time.
    pub(super) async fn within_time<T>(
        &self,
        call: impl Future<Output = Result<T, Error>> + Send,
    ) -> Result<T, StoreError> {
        match timeout(self.call_timeout, call).await {
            Ok(answer) => answer.map_err(|error| error.0),
            Err(_) => Err(StoreError::unavailable(NoAnswer(self.call_timeout))),
        }
    }
}
