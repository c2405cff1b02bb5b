mod error;
mod orders;
mod pool;
mod products;
mod rows;

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use sqlx::migrate::{Migration, MigrationType, Migrator};
use sqlx::postgres::{PgConnectOptions, PgPool};
use sqlx::{Connection, PgConnection, SqlSafeStr};
use tokio::sync::Semaphore;
use tokio::time::timeout;
use woody_core::ports::StoreError;

use crate::{OpenError, StoreOptions, UrlError};
use error::{Error, NoAnswer};

/// How long a migration may take, waiting for another replica's included.
const MIGRATION_TIMEOUT: Duration = Duration::from_mins(1);

/// Orders and catalogue in PostgreSQL, 15 or later.
///
/// Nothing is connected until the first call, and a call is never silent: it is
/// answered [`Unavailable`](StoreError::Unavailable) when the server is away,
/// has no connection to give within
/// [`acquire_timeout`](StoreOptions::acquire_timeout), or has not answered
/// within [`call_timeout`](StoreOptions::call_timeout).
///
/// Time is the server's.
///
/// # Cancel safety
/// The connection of a dropped call is closed, and the server rolls back what
/// was not being committed already.
pub struct PostgresStore {
    server: PgConnectOptions,
    pool: PgPool,
    callers: Arc<Semaphore>,
    acquire_timeout: Duration,
    call_timeout: Duration,
}

impl PostgresStore {
    /// Makes the store of a URL, for example
    /// `postgres://woody:password@database/woodytoys?sslmode=require`.
    ///
    /// It asks no server, which may well be away, but must be called inside a
    /// tokio runtime.
    ///
    /// # Errors
    /// [`OpenError`] for a malformed URL.
    #[expect(clippy::needless_pass_by_value, reason = "options are spent on one store")]
    pub fn connect(url: &str, options: StoreOptions) -> Result<Self, OpenError> {
        let server = parse(url).map_err(|problem| OpenError::new("postgres", problem))?;
        let server = match server.get_application_name() {
            None => server.application_name("woodytoys"),
            Some(_) => server,
        };
        let pool = pool::over(&server, &options);
        Ok(Self {
            server,
            pool,
            callers: Arc::new(Semaphore::new(pool::CALLERS)),
            acquire_timeout: options.acquire_timeout,
            call_timeout: options.call_timeout,
        })
    }

    /// Brings the schema up to date. Any number of replicas may do so at once,
    /// and again at any time.
    ///
    /// # Errors
    /// [`StoreError`]; one that is [transient](StoreError::is_transient) is worth
    /// another try.
    pub async fn migrate(&self) -> Result<(), StoreError> {
        // Not from the pool: its connections give up on long statements.
        let connecting = timeout(self.call_timeout, PgConnection::connect_with(&self.server));
        let mut connection = connecting
            .await
            .map_err(|_| StoreError::unavailable(NoAnswer(self.call_timeout)))?
            .map_err(|error| Error::from(error).0)?;
        // `run` is generic over its argument's lifetime, and its future cannot be spawned.
        timeout(MIGRATION_TIMEOUT, migrator().run_direct(None, &mut connection, false))
            .await
            .map_err(|_| StoreError::unavailable(NoAnswer(MIGRATION_TIMEOUT)))?
            .map_err(|error| Error::from(error).0)
    }

    /// Closes the connections, once what is under way has ended.
    pub async fn close(&self) {
        // A server that answers nothing does not hold up the end.
        let _ = timeout(self.call_timeout, self.pool.close()).await;
    }
}

/// Migrations run under an advisory lock, one transaction each.
fn migrator() -> Migrator {
    let migration = |version, name: &'static str, sql: &'static str| {
        Migration::new(version, name.into(), MigrationType::Simple, sql.into_sql_str(), false)
    };
    let mut migrator = Migrator::with_migrations(vec![
        migration(1, "orders", include_str!("../../migrations/postgres/0001_orders.sql")),
        migration(2, "products", include_str!("../../migrations/postgres/0002_products.sql")),
    ]);
    // While replicas are updated or rolled back, one meets its successor's schema.
    migrator.set_ignore_missing(true);
    migrator
}

fn parse(url: &str) -> Result<PgConnectOptions, UrlError> {
    let malformed = |problem: String| UrlError::Malformed { scheme: "postgres", problem };
    if !url.starts_with("postgres://") && !url.starts_with("postgresql://") {
        return Err(malformed("`//` must follow the scheme".into()));
    }
    let rest = url.split_once("://").map_or("", |(_, rest)| rest);
    if rest.is_empty() {
        return Err(malformed("a host must follow".into()));
    }
    PgConnectOptions::from_str(url).map_err(|error| {
        // What a parameter's parser says may quote a value.
        let query = url.split_once('?').map_or("", |(_, query)| query);
        let said = match error {
            sqlx::Error::Configuration(source) => source.to_string(),
            other => other.to_string(),
        };
        let quotes = query.split(['&', '=']).any(|value| value.len() > 3 && said.contains(value));
        malformed(if quotes { "a parameter has no such value".into() } else { said })
    })
}

/// Whether the URL can be understood.
pub(crate) fn check_url(url: &str) -> Result<(), UrlError> {
    parse(url).map(drop)
}

/// The URL without what may be secret: no user, no password, no parameters.
pub(crate) fn shown_url(url: &str) -> String {
    parse(url).map_or_else(|_| "postgres://…".into(), |server| shown(&server))
}

fn shown(server: &PgConnectOptions) -> String {
    let database = server.get_database().unwrap_or_else(|| server.get_username());
    format!("postgres://{}:{}/{database}", server.get_host(), server.get_port())
}

impl fmt::Debug for PostgresStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PostgresStore({})", shown(&self.server))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn debug_shows_where_and_not_how() {
        let url = "postgres://woody:hunter2@db:5433/shop?options=-csearch_path%3Dhunter2";
        let store = PostgresStore::connect(url, StoreOptions::default()).unwrap();
        assert_eq!(format!("{store:?}"), "PostgresStore(postgres://db:5433/shop)");
    }
}
