mod acts;
mod call;
mod error;
mod list;
mod lost;
mod notices;
mod orders;
mod outbox;
mod pool;
mod products;
mod rows;
mod schema;
mod server;
mod stamp;
mod statements;
mod unfit;

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use async_trait::async_trait;
use sqlx::postgres::{PgArguments, PgConnectOptions, PgPool, PgRow};
use sqlx::query::{Query, QueryAs, QueryScalar};
use sqlx::{Connection, FromRow, PgConnection, Postgres};
use tokio::sync::Semaphore;
use tokio::time::timeout;
use woody_core::ports::{ActLog, NoticeStore, OrderStore, ProductStore, Store, StoreError};

use crate::{OpenError, StoreOptions, UrlError};
use error::{Error, NoAnswer};

/// How long a migration may take, including the wait for another replica's.
const MIGRATION_TIMEOUT: Duration = Duration::from_mins(1);

/// A store in PostgreSQL, 15 or later.
///
/// It connects at the first call. Every call ends: it is
/// [`Unavailable`](StoreError::Unavailable) when the server cannot be reached, when there
/// is no connection within [`acquire_timeout`](StoreOptions::acquire_timeout), or no
/// reply within [`call_timeout`](StoreOptions::call_timeout).
///
/// Behind a pooler that shares sessions between transactions, such as PgBouncer's
/// transaction pooling, the URL must have the parameter `pooler=transaction`: every call
/// is then a transaction that leaves nothing behind in a session. Limits on statements
/// are set for the pooler or the role there (`ALTER ROLE … SET statement_timeout`). A
/// pooler without that parameter is refused, and so is a database whose encoding is not
/// UTF8.
///
/// All times are the server's. Clones share the same store.
///
/// # Cancel safety
/// The connection of a dropped call is closed, and the server rolls back what
/// was not being committed already.
#[derive(Clone)]
pub struct PostgresStore {
    server: PgConnectOptions,
    pool: PgPool,
    is_pooled: bool,
    /// Whether the server was checked and is fit.
    is_known: Arc<AtomicBool>,
    callers: Arc<Semaphore>,
    acquire_timeout: Duration,
    call_timeout: Duration,
}

impl PostgresStore {
    /// Makes the store of a URL, for example
    /// `postgres://woody:password@database/woodytoys?sslmode=require`.
    ///
    /// It connects to no server yet, but must be called inside a tokio runtime.
    ///
    /// # Errors
    /// [`OpenError`] for a malformed URL.
    #[expect(clippy::needless_pass_by_value, reason = "options are spent on one store")]
    pub fn connect(url: &str, options: StoreOptions) -> Result<Self, OpenError> {
        let Address { server, is_pooled } =
            parse(url).map_err(|problem| OpenError::new("postgres", problem))?;
        let server = match server.get_application_name() {
            None => server.application_name("woodytoys"),
            Some(_) => server,
        };
        let server = if is_pooled {
            server.statement_cache_capacity(0)
        } else {
            pool::with_limits(server, options.call_timeout)
        };
        let pool = pool::over(&server, &options);
        Ok(Self {
            server,
            pool,
            is_pooled,
            is_known: Arc::default(),
            callers: Arc::new(Semaphore::new(pool::CALLERS)),
            acquire_timeout: options.acquire_timeout,
            call_timeout: options.call_timeout,
        })
    }

    /// Returns the limit on statements that every session has, unless it is a pooler's.
    fn expected_limit(&self) -> Option<u32> {
        (!self.is_pooled).then(|| pool::limit_ms(self.call_timeout))
    }

    /// Makes a statement, which is kept prepared unless the session is a pooler's.
    fn query<'q>(&self, sql: &'static str) -> Query<'q, Postgres, PgArguments> {
        sqlx::query(sql).persistent(!self.is_pooled)
    }

    /// Makes a statement that returns rows.
    fn query_as<'q, O: for<'r> FromRow<'r, PgRow>>(
        &self,
        sql: &'static str,
    ) -> QueryAs<'q, Postgres, O, PgArguments> {
        sqlx::query_as(sql).persistent(!self.is_pooled)
    }

    /// Makes a statement that returns one column.
    fn query_scalar<'q, O>(&self, sql: &'static str) -> QueryScalar<'q, Postgres, O, PgArguments>
    where
        (O,): for<'r> FromRow<'r, PgRow>,
    {
        sqlx::query_scalar(sql).persistent(!self.is_pooled)
    }
}

#[async_trait]
impl Store for PostgresStore {
    fn orders(&self) -> Arc<dyn OrderStore> {
        Arc::new(self.clone())
    }

    fn products(&self) -> Arc<dyn ProductStore> {
        Arc::new(self.clone())
    }

    fn acts(&self) -> Arc<dyn ActLog> {
        Arc::new(self.clone())
    }

    fn notices(&self) -> Arc<dyn NoticeStore> {
        Arc::new(self.clone())
    }

    /// Brings the schema up to date. If it is, no right to change it is needed.
    async fn migrate(&self) -> Result<(), StoreError> {
        let connecting = timeout(self.call_timeout, PgConnection::connect_with(&self.server));
        let mut connection = connecting
            .await
            .map_err(|_| StoreError::unavailable(NoAnswer(self.call_timeout)))?
            .map_err(|error| Error::from(error).0)?;
        let migrating = async {
            server::check(&mut connection, self.expected_limit()).await?;
            schema::bring_up_to_date(&mut connection, self.is_pooled).await
        };
        timeout(MIGRATION_TIMEOUT, migrating)
            .await
            .map_err(|_| StoreError::unavailable(NoAnswer(MIGRATION_TIMEOUT)))?
            .map_err(|error| error.0)
    }

    async fn close(&self) {
        // A server that does not reply must not delay the end.
        let _ = timeout(self.call_timeout, self.pool.close()).await;
    }
}

/// A parsed URL.
struct Address {
    server: PgConnectOptions,
    is_pooled: bool,
}

fn parse(url: &str) -> Result<Address, UrlError> {
    let malformed = |problem: String| UrlError::malformed("postgres", problem);
    if !url.starts_with("postgres://") && !url.starts_with("postgresql://") {
        return Err(malformed("`//` must follow the scheme".into()));
    }
    let rest = url.split_once("://").map_or("", |(_, rest)| rest);
    if rest.is_empty() {
        return Err(malformed("a host must follow".into()));
    }
    let (url, pooler) = without_pooler(url);
    let is_pooled = match pooler {
        None => false,
        Some("transaction") => true,
        Some(_) => return Err(malformed("`pooler` must be `transaction`, or not be there".into())),
    };
    let server = PgConnectOptions::from_str(&url).map_err(|error| {
        // The error of a parameter's parser may quote a value.
        let query = url.split_once('?').map_or("", |(_, query)| query);
        let said = match error {
            sqlx::Error::Configuration(source) => source.to_string(),
            other => other.to_string(),
        };
        let quotes = query.split(['&', '=']).any(|value| value.len() > 3 && said.contains(value));
        malformed(if quotes { "a parameter has no such value".into() } else { said })
    })?;
    // It is for floating-point numbers, of which there are none, and poolers refuse it.
    Ok(Address { server: server.extra_float_digits(None), is_pooled })
}

/// Returns the URL without the parameter `pooler`, which the driver does not know, and
/// the value of that.
fn without_pooler(url: &str) -> (String, Option<&str>) {
    let Some((before, query)) = url.split_once('?') else { return (url.to_owned(), None) };
    let is_ours = |pair: &&str| pair.starts_with("pooler=");
    let pooler = query.split('&').find(is_ours).and_then(|pair| pair.strip_prefix("pooler="));
    let rest: Vec<_> = query.split('&').filter(|pair| !is_ours(pair)).collect();
    (format!("{before}?{}", rest.join("&")), pooler)
}

/// Checks that the URL can be parsed.
pub(crate) fn check_url(url: &str) -> Result<(), UrlError> {
    parse(url).map(drop)
}

/// Returns the URL without what may be secret: no user, no password, no parameters.
pub(crate) fn shown_url(url: &str) -> String {
    parse(url).map_or_else(|_| "postgres://…".into(), |address| shown(&address.server))
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

    #[test]
    fn a_pooler_is_told_of_in_the_url() {
        for (url, is_pooled) in [
            ("postgres://db/shop", false),
            ("postgres://db/shop?pooler=transaction", true),
            ("postgres://db/shop?sslmode=disable&pooler=transaction&user=woody", true),
        ] {
            let address = parse(url).unwrap();
            assert_eq!(address.is_pooled, is_pooled, "{url}");
            assert_eq!(address.server.get_database(), Some("shop"), "{url}");
        }
        assert!(check_url("postgres://db/shop?pooler=session").is_err());
    }
}
