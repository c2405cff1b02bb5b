mod acts;
mod archive;
mod error;
mod list;
mod lost;
mod notices;
mod orders;
mod pauses;
mod products;
mod queues;
mod rows;
mod schema;
mod statements;
mod trail;

use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{ConnectOptions, Connection, Sqlite, SqliteConnection, SqlitePool, Transaction};
use woody_core::ports::{ActLog, NoticeStore, OrderStore, Pauses, ProductStore, Store, StoreError};
use woody_core::resilience::{JournaledFile, RetryDelays};

use crate::OpenError;
use error::Error;

/// How long a call waits for the write of another call, or another process.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
/// Readers never wait for the writer, so a few of them are enough.
const READERS: u32 = 4;

/// A store in one file; what a call has written is on the disk when it returns.
///
/// One connection writes and a few read, which is all that SQLite can use. Several
/// processes on one machine may open the same file; on a network file system it is not
/// safe.
///
/// The file may be deleted, moved or replaced while it is open: every call checks whether
/// the path still leads to it, those that write once more after their commit, and is
/// [`Refused`](StoreError::Refused) otherwise.
///
/// All times are this machine's: the database has no other clock. Clones share the same
/// store.
///
/// # Cancel safety
/// A dropped call is rolled back, unless it was committing already.
#[derive(Clone)]
pub struct SqliteStore {
    file: Arc<JournaledFile>,
    writer: SqlitePool,
    readers: SqlitePool,
}

impl SqliteStore {
    /// Opens the file, creates it and its folder if they are missing, and brings its
    /// schema up to date.
    ///
    /// # Errors
    /// [`OpenError`] when the file cannot be written or is another database.
    pub async fn open(path: &Path) -> Result<Self, OpenError> {
        let refused = |error: Error| OpenError::new(format!("sqlite:{}", path.display()), error.0);
        if let Some(folder) = path.parent() {
            tokio::fs::create_dir_all(folder)
                .await
                .map_err(|error| refused(StoreError::refused(error).into()))?;
        }
        let options = SqliteConnectOptions::new()
            .filename(path)
            .journal_mode(SqliteJournalMode::Wal)
            // NORMAL may lose the last commits when the power goes.
            .synchronous(SqliteSynchronous::Full)
            .busy_timeout(BUSY_TIMEOUT)
            // sqlx writes each statement before it asks who reads it.
            .disable_statement_logging();
        // A connection to a file does not expire, and its caches are worth keeping.
        let pool = SqlitePoolOptions::new()
            .acquire_timeout(BUSY_TIMEOUT)
            .test_before_acquire(false)
            .max_lifetime(None);
        let file = Arc::new(JournaledFile::new(path, "-wal"));
        let (opened, seen) = (Arc::clone(&file), Arc::clone(&file));
        let writer = pool
            .clone()
            .max_connections(1)
            .idle_timeout(None)
            .before_acquire(|connection, _| Box::pin(has_no_transaction(connection)))
            .after_connect(move |connection, _| {
                let file = Arc::clone(&opened);
                Box::pin(async move {
                    // The log is opened by the first look into the file.
                    sqlx::query("SELECT count(*) FROM sqlite_schema").execute(connection).await?;
                    Ok(file.opened_to_write()?)
                })
            });
        let to_create = options.clone().create_if_missing(true);
        let writer = connect(&writer, &to_create).await.map_err(|e| refused(e.into()))?;
        // A connection that replaces this one finds the file, or fails.
        writer.set_connect_options(options.clone());
        let migrate = async {
            let mut db = writer.acquire().await?;
            schema::bring_up_to_date(&mut db).await
        };
        migrate.await.map_err(refused)?;
        let readers = pool
            .max_connections(READERS)
            .after_connect(move |_, _| {
                let seen = seen.check_main().map_err(|displaced| sqlx::Error::Io(displaced.into()));
                Box::pin(std::future::ready(seen))
            })
            .connect_lazy_with(options.pragma("query_only", "on"));
        Ok(Self { file, writer, readers })
    }

    /// Begins a transaction that writes. It takes the lock at once: a transaction that
    /// reads first and then finds another process writing could only start over.
    async fn write(&self) -> Result<Transaction<'static, Sqlite>, Error> {
        self.file.check()?;
        Ok(self.writer.begin_with("BEGIN IMMEDIATE").await?)
    }

    /// Returns the connections that read, if the file is there.
    fn reading(&self) -> Result<&SqlitePool, StoreError> {
        self.file.check_main().map_err(StoreError::refused)?;
        Ok(&self.readers)
    }

    /// Commits, and returns `Ok` only if the file is still there afterwards: then what was
    /// committed is in it.
    async fn commit(&self, tx: Transaction<'static, Sqlite>) -> Result<(), Error> {
        tx.commit().await?;
        Ok(self.file.check()?)
    }
}

/// Opens the pool's first connection, again as long as a call may wait: where two processes that
/// turn a new file into one with a log would wait for each other, SQLite says at once that it is
/// busy.
async fn connect(
    pool: &SqlitePoolOptions,
    options: &SqliteConnectOptions,
) -> Result<SqlitePool, sqlx::Error> {
    let end = Instant::now() + BUSY_TIMEOUT;
    let mut pauses = RetryDelays::new(Duration::from_millis(1), Duration::from_millis(50));
    loop {
        match pool.clone().connect_with(options.clone()).await {
            Err(error) if error::passes(&error) && Instant::now() < end => {
                tokio::time::sleep(pauses.next_delay()).await;
            }
            connected => return connected,
        }
    }
}

#[async_trait]
impl Store for SqliteStore {
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

    /// Does nothing: opening the file has done so.
    async fn migrate(&self) -> Result<(), StoreError> {
        Ok(())
    }

    async fn close(&self) {
        self.file.closing();
        self.readers.close().await;
        // The last connection to close moves the log into the file.
        self.writer.close().await;
    }
}

/// Whether the writer can begin a transaction; otherwise it is replaced.
///
/// On a full disk SQLite rolls back by itself. sqlx's rollback then fails, and it takes
/// the connection to be in a transaction for ever.
async fn has_no_transaction(connection: &mut SqliteConnection) -> Result<bool, sqlx::Error> {
    if connection.is_in_transaction() {
        // A dropped transaction is rolled back before the ping returns.
        connection.ping().await?;
    }
    Ok(!connection.is_in_transaction())
}

impl fmt::Debug for SqliteStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SqliteStore({})", self.file.path().display())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use woody_core::domain::{Details, NewOrder};
    use woody_core::ports::OrderCounts;

    async fn store() -> (SqliteStore, tempfile::TempDir) {
        let folder = tempfile::tempdir().unwrap();
        (SqliteStore::open(&folder.path().join("woody.db")).await.unwrap(), folder)
    }

    fn orders() -> Vec<NewOrder<Details>> {
        let name = "x".repeat(200);
        let text = format!(r#"{{"product":"{name}","quantity":1}}"#);
        let order = || NewOrder::new(Details::parse(&text).unwrap());
        (0..1_000).map(|_| order()).collect()
    }

    #[tokio::test]
    async fn a_full_disk_is_refused_and_leaves_nothing_half_done() {
        let (store, _folder) = store().await;
        sqlx::query("PRAGMA max_page_count = 40").execute(&store.writer).await.unwrap();
        let batch = orders();
        let refusal = store.insert(&batch, Duration::ZERO).await.unwrap_err();
        assert!(matches!(refusal, StoreError::Refused(_)), "{refusal:?}");
        assert_eq!(store.counts().await.unwrap(), OrderCounts::default());
        // Space comes back, and the store with it.
        sqlx::query("PRAGMA max_page_count = 100000").execute(&store.writer).await.unwrap();
        let _ = store.insert(&batch, Duration::ZERO).await.unwrap();
        assert_eq!(store.counts().await.unwrap().outbox, 1_000);
    }

    #[tokio::test]
    async fn a_transaction_that_sqlite_has_rolled_back_is_not_the_last() {
        let (store, _folder) = store().await;
        let mut tx = store.write().await.unwrap();
        // As SQLite does by itself when there is no room for the commit.
        sqlx::query("ROLLBACK").execute(&mut *tx).await.unwrap();
        tx.rollback().await.unwrap_err();
        let _ = store.insert(&orders(), Duration::ZERO).await.unwrap();
        assert_eq!(store.counts().await.unwrap().outbox, 1_000);
    }

    #[tokio::test]
    async fn a_place_that_cannot_be_written_is_refused() {
        let (store, _folder) = store().await;
        sqlx::query("PRAGMA query_only = on").execute(&store.writer).await.unwrap();
        let refusal = store.insert(&orders(), Duration::ZERO).await.unwrap_err();
        assert!(matches!(refusal, StoreError::Refused(_)), "{refusal:?}");
    }

    #[tokio::test]
    async fn a_value_that_cannot_be_is_corrupt() {
        let (store, _folder) = store().await;
        let new = orders().remove(0);
        let _ = store.insert(std::slice::from_ref(&new), Duration::ZERO).await.unwrap();
        for spoil in ["details = '[]'", "details = ' '", "accepted_at = 9223372036854775807"] {
            let sql = sqlx::AssertSqlSafe(format!("UPDATE orders SET {spoil}"));
            sqlx::query(sql).execute(&store.writer).await.unwrap();
            let refusal = store.order(new.id).await.unwrap_err();
            assert!(matches!(refusal, StoreError::Corrupt(_)), "{spoil}: {refusal:?}");
        }
    }

    #[tokio::test]
    async fn an_order_that_cannot_be_read_keeps_no_other_back() {
        let (store, _folder) = store().await;
        let new = orders();
        let ids: Vec<_> = new.iter().take(3).map(|order| order.id).collect();
        let _ = store.insert(&new[..3], Duration::ZERO).await.unwrap();
        for spoil in ["details = '[]'", "accepted_at = 9223372036854775807"] {
            let sql = sqlx::AssertSqlSafe(format!("UPDATE orders SET {spoil} WHERE id = ?"));
            sqlx::query(sql).bind(ids[1].as_uuid()).execute(&store.writer).await.unwrap();
            let found = store.orders_by_id(&ids).await.unwrap();
            assert!(matches!(&found[1], Err(StoreError::Corrupt(_))), "{spoil}: {found:?}");
            let others: Vec<_> = [&found[0], &found[2]].map(|found| found.as_ref().unwrap()).into();
            assert!(others.iter().zip([0, 2]).all(|(found, nth)| {
                found.as_ref().is_some_and(|order| order.details == new[nth].details)
            }));
        }
    }
}
