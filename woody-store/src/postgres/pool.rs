use std::future::Future;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;
use std::time::Duration;

use sqlx::pool::PoolConnection;
use sqlx::postgres::{PgConnectOptions, PgConnection, PgPool, PgPoolOptions};
use sqlx::{Connection, Postgres};
use tokio::time::timeout;
use woody_core::ports::StoreError;

use super::PostgresStore;
use super::error::{Error, NoAnswer};
use crate::StoreOptions;

/// A connection that was idle for longer is asked whether it still lives.
const TRUSTED_FOR: Duration = Duration::from_secs(1);

/// Calls that wait for a connection; the next one is told at once that there is none.
pub(super) const CALLERS: usize = 1_024;

pub(super) fn over(server: &PgConnectOptions, options: &StoreOptions) -> PgPool {
    let millis = options.call_timeout.as_millis().clamp(1, 2_000_000_000).to_string();
    // What we have given up on, the server gives up, too, and a transaction of a
    // machine that is gone does not hold its locks.
    let server = server.clone().options([
        ("statement_timeout", &millis),
        ("idle_in_transaction_session_timeout", &millis),
    ]);
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
        .connect_lazy_with(server)
}

/// A connection that goes back to the pool only when its call has ended well.
///
/// After an error or a dropped call nobody knows what it is still up to; asking
/// it, as the pool would, waits for a server that may never answer.
pub(super) struct Lent {
    connection: PoolConnection<Postgres>,
    is_good: bool,
}

impl Lent {
    pub(super) fn give_back(mut self) {
        self.is_good = true;
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
            Ok(Ok(lent)) => Ok(Lent { connection: lent?, is_good: false }),
            // It cannot panic; the process is going down.
            Ok(Err(_)) => Err(sqlx::Error::PoolClosed.into()),
            Err(_) => Err(sqlx::Error::PoolTimedOut.into()),
        }
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
