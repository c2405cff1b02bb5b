mod acts;
mod address;
mod archive;
mod call;
mod candidates;
mod error;
mod kept;
mod lent;
mod list;
mod lost;
mod notices;
mod orders;
mod outbox;
mod pauses;
mod pool;
mod products;
mod queues;
mod replication;
mod rows;
mod schema;
mod server;
mod servers;
mod stamp;
mod statements;
mod trail;
mod unfit;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use sqlx::postgres::{PgArguments, PgRow};
use sqlx::query::{Query, QueryAs, QueryScalar};
use sqlx::{ConnectOptions, Connection, FromRow, PgConnection, Postgres};
use tokio::sync::Semaphore;
use tokio::time::timeout;
use woody_core::domain::PoolUse;
use woody_core::ports::{ActLog, NoticeStore, OrderStore, Pauses, ProductStore, Store, StoreError};

use crate::{OpenError, StoreOptions};
use address::Address;
pub(crate) use address::{check_url, shown_url};
use error::NoAnswer;
use servers::Servers;

/// How long a migration may take, including the wait for another replica's.
const MIGRATION_TIMEOUT: Duration = Duration::from_mins(1);

/// A store in PostgreSQL, 15 or later.
///
/// It connects at the first call. Every call ends: it is
/// [`Unavailable`](StoreError::Unavailable) when the server cannot be reached, when there
/// is no connection within [`acquire_timeout`](StoreOptions::acquire_timeout), or no
/// reply within [`call_timeout`](StoreOptions::call_timeout).
///
/// The URL may name several hosts: the primary of a cluster and its standbys. The store
/// uses the one that takes writes, each address of each name tried in turn, and looks again
/// when that one takes no more writes or does not respond.
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
    servers: Arc<Servers>,
    is_pooled: bool,
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
    pub fn connect(url: &str, options: StoreOptions) -> Result<Self, OpenError> {
        let mut address =
            Address::parse(url).map_err(|problem| OpenError::new("postgres", problem))?;
        let is_pooled = address.is_pooled;
        for host in &mut address.hosts {
            let server = match host.get_application_name() {
                None => host.clone().application_name("woodytoys"),
                Some(_) => host.clone(),
            };
            // sqlx writes each statement before it asks who reads it, as soon as anything in the process is
            // logged or traced at the level `debug`.
            let server = server.disable_statement_logging();
            *host = if is_pooled {
                server.statement_cache_capacity(0)
            } else {
                pool::with_limits(server, options.call_timeout)
            };
        }
        Ok(Self {
            is_pooled,
            callers: Arc::new(Semaphore::new(pool::CALLERS)),
            acquire_timeout: options.acquire_timeout,
            call_timeout: options.call_timeout,
            servers: Servers::new(address, options),
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

    fn pauses(&self) -> Arc<dyn Pauses> {
        Arc::new(self.clone())
    }

    fn notices(&self) -> Arc<dyn NoticeStore> {
        Arc::new(self.clone())
    }

    fn connections(&self) -> Option<PoolUse> {
        // Who has a connection waits no longer.
        let waiting = pool::CALLERS.saturating_sub(self.callers.available_permits());
        let (used, limit) = self.servers.connections();
        Some(PoolUse { used, limit, waiting: Some(waiting) })
    }

    /// Brings the schema up to date. If it is, no right to change it is needed.
    async fn migrate(&self) -> Result<(), StoreError> {
        let connecting = async {
            let chosen = self.servers.chosen().await?;
            Ok(PgConnection::connect_with(&chosen.server).await?)
        };
        let mut connection = self.within_time(connecting).await?;
        let migrating = async {
            server::check(&mut connection, self.expected_limit()).await?;
            schema::bring_up_to_date(&mut connection, self.is_pooled).await
        };
        timeout(MIGRATION_TIMEOUT, migrating)
            .await
            .map_err(|_| StoreError::unavailable(NoAnswer(MIGRATION_TIMEOUT)))?
            .map_err(|error| self.servers.heard(error).0)
    }

    async fn close(&self) {
        // A server that does not reply must not delay the end.
        let _ = timeout(self.call_timeout, self.servers.close()).await;
    }
}

impl fmt::Debug for PostgresStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PostgresStore({})", self.servers.shown())
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
