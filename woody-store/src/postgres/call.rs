//! How every call of the store begins and ends.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use tokio::time::timeout;
use woody_core::ports::StoreError;

use super::error::{Error, NoAnswer};
use super::lent::Lent;
use super::{PostgresStore, server};

impl PostgresStore {
    /// Takes a connection that the last call has left, or one from the pool, within
    /// [`acquire_timeout`](crate::StoreOptions::acquire_timeout).
    ///
    /// A connection that is being opened is opened to its end even if its caller has
    /// given up, and then serves the next. Otherwise a server that takes longer than
    /// callers wait, because all of them open connections at once, would stay unavailable
    /// for as long as they call.
    pub(super) async fn lend(&self) -> Result<Lent, Error> {
        if let Some((held, server)) = self.servers.kept() {
            return self.introduce(Lent::new(held, server)).await;
        }
        let turn = Arc::clone(&self.callers).try_acquire_owned();
        let turn = turn.map_err(|_| sqlx::Error::PoolTimedOut)?;
        let servers = Arc::clone(&self.servers);
        let lending = tokio::spawn(async move {
            let lent = servers.lend().await;
            drop(turn);
            lent
        });
        match timeout(self.acquire_timeout, lending).await {
            Ok(Ok(lent)) => {
                let (held, server) = lent?;
                self.introduce(Lent::new(held, server)).await
            }
            // The task cannot panic; the runtime is shutting down.
            Ok(Err(_)) => Err(sqlx::Error::PoolClosed.into()),
            Err(_) => Err(sqlx::Error::PoolTimedOut.into()),
        }
    }

    /// Checks once whether the server is fit. Behind a transaction pooler, begins a
    /// transaction, which keeps the server's session for this call.
    async fn introduce(&self, mut lent: Lent) -> Result<Lent, Error> {
        if !lent.server().is_known.load(Ordering::Relaxed) {
            server::check(&mut lent, self.expected_limit()).await?;
            lent.server().is_known.store(true, Ordering::Relaxed);
        }
        if self.is_pooled {
            lent.begin().await?;
        }
        Ok(lent)
    }

    /// Runs a call within [`call_timeout`](crate::StoreOptions::call_timeout).
    pub(super) async fn within_time<T>(
        &self,
        call: impl Future<Output = Result<T, Error>> + Send,
    ) -> Result<T, StoreError> {
        let answer = timeout(self.call_timeout, call)
            .await
            .unwrap_or_else(|_| Err(StoreError::unavailable(NoAnswer(self.call_timeout)).into()));
        answer.map_err(|error| self.servers.heard(error).0)
    }
}
