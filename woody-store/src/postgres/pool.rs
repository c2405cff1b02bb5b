use std::ops::{Deref, DerefMut};
use std::time::Duration;

use sqlx::pool::PoolConnection;
use sqlx::postgres::{PgConnectOptions, PgConnection, PgPool, PgPoolOptions};
use sqlx::{Connection, Postgres, raw_sql};
use tokio::time::timeout;

use super::error::Error;
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
    pub(super) fn new(connection: PoolConnection<Postgres>) -> Self {
        Self { connection, in_transaction: false, is_good: false }
    }

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
