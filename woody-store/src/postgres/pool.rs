use std::future::Future;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use sqlx::pool::PoolConnection;
use sqlx::postgres::{PgConnectOptions, PgConnection, PgPool, PgPoolOptions};
use sqlx::{Connection, Postgres, raw_sql};
use tokio::time::timeout;
use woody_core::ports::StoreError;

use super::error::{Error, NoAnswer};
use super::{PostgresStore, server};
use crate::StoreOptions;

/// A connection that was idle for longer is asked whether it still lives.
const TRUSTED_FOR: Duration = Duration::from_secs(1);

/// Calls that wait for a connection; the next one is told at once that there is none.
pub(super) const CALLERS: usize = 1_024;

/// What every connection asks of the server at its start: what we have given up
/// on, the server gives up, too, and a transaction of a machine that is gone does
/// not hold its locks.
///
/// A pooler takes no such wishes: its connections are everybody's.
pub(super) fn with_limits(server: PgConnectOptions, limit: Duration) -> PgConnectOptions {
    let millis = limit_ms(limit).to_string();
    server
        .options([("statement_timeout", &millis), ("idle_in_transaction_session_timeout", &millis)])
}

/// A limit as the server takes it.
pub(super) fn limit_ms(limit: Duration) -> u32 {
    u32::try_from(limit.as_millis()).unwrap_or(u32::MAX).clamp(1, 2_000_000_000)
}

pub(super) fn over(server: &PgConnectOptions, options: &StoreOptions) -> PgPool {
    let patience = options.acquire_timeout;
    PgPoolOptions::new()
        .max_connections(options.max_connections)
        // Callers wait for less, see `lend`.
        .acquire_timeout(options.call_timeout.max(patience))
        // One more round trip for each call, and no proof that the next works.
        .test_before_acquire(false)
        .before_acquire(move |connection, meta| {
            Box::pin(async move {
                if meta.idle_for > TRUSTED_FOR {
                    let ping = timeout(patience, connection.ping());
                    ping.await.map_err(|_| sqlx::Error::PoolTimedOut)??;
                }
                Ok(true)
            })
        })
        .connect_lazy_with(server.clone())
}

/// A connection that goes back to the pool only when its call has ended well.
///
/// After an error or a dropped call nobody knows what it is still up to; asking
/// it, as the pool would, waits for a server that may never answer. With the
/// connection ends its transaction.
pub(super) struct Lent {
    connection: PoolConnection<Postgres>,
    in_transaction: bool,
    is_good: bool,
}

impl Lent {
    /// Begins a transaction, unless one has begun.
    pub(super) async fn begin(&mut self) -> Result<(), Error> {
        if !self.in_transaction {
            raw_sql("BEGIN").execute(&mut **self).await?;
            self.in_transaction = true;
        }
        Ok(())
    }

    /// Commits what has begun and gives the connection back.
    pub(super) async fn done(mut self) -> Result<(), Error> {
        if self.in_transaction {
            raw_sql("COMMIT").execute(&mut *self).await?;
        }
        self.is_good = true;
        Ok(())
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        if !self.is_good {
            self.connection.close_on_drop();
        }
    }
}

impl Deref for Lent {
    type Target = PgConnection;

    fn deref(&self) -> &PgConnection {
        &self.connection
    }
}

impl DerefMut for Lent {
    fn deref_mut(&mut self) -> &mut PgConnection {
        &mut self.connection
    }
}

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
            Ok(Ok(lent)) => {
                let lent = Lent { connection: lent?, in_transaction: false, is_good: false };
                self.introduce(lent).await
            }
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
