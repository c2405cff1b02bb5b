use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use sqlx::Connection;
use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions};
use tokio::time::timeout;

use super::kept::TRUSTED_FOR;
use super::server::is_read_only;
use crate::StoreOptions;

/// How many calls may wait for a connection; further ones fail at once.
pub(super) const CALLERS: usize = 1_024;

/// Sets limits for every connection: the server cancels a call that has timed out here,
/// and a transaction of a machine that is gone does not hold its locks.
///
/// Not behind a pooler, whose connections are shared.
pub(super) fn with_limits(server: PgConnectOptions, limit: Duration) -> PgConnectOptions {
    let millis = limit_ms(limit).to_string();
    server
        .options([("statement_timeout", &millis), ("idle_in_transaction_session_timeout", &millis)])
}

/// Returns a limit in the server's unit and range.
pub(super) fn limit_ms(limit: Duration) -> u32 {
    u32::try_from(limit.as_millis()).unwrap_or(u32::MAX).clamp(1, 2_000_000_000)
}

/// Makes the pool of one server. `turned` is set when a new connection finds that the
/// server takes no writes; without it nobody looks.
pub(super) fn over(
    server: &PgConnectOptions,
    options: &StoreOptions,
    turned: Option<Arc<AtomicBool>>,
) -> PgPool {
    let acquire_timeout = options.acquire_timeout;
    PgPoolOptions::new()
        .max_connections(options.max_connections)
        // Callers wait for less, see `lend`.
        .acquire_timeout(options.call_timeout.max(acquire_timeout))
        // A ping costs one more round trip, and does not prove that the next call works.
        .test_before_acquire(false)
        .before_acquire(move |connection, meta| {
            Box::pin(async move {
                if meta.idle_for > TRUSTED_FOR {
                    let ping = timeout(acquire_timeout, connection.ping());
                    ping.await.map_err(|_| sqlx::Error::PoolTimedOut)??;
                }
                Ok(true)
            })
        })
        .after_connect(move |connection, _| {
            let turned = turned.clone();
            Box::pin(async move {
                if let Some(turned) = turned
                    && is_read_only(connection).await?
                {
                    turned.store(true, Ordering::Relaxed);
                }
                Ok(())
            })
        })
        .connect_lazy_with(server.clone())
}
