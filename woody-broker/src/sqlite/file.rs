//! The queue's file, and how it is opened.

use std::{
    io,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use sqlx::{
    ConnectOptions, SqliteConnection, SqlitePool,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};
use woody_core::{
    ports::BrokerError,
    resilience::{JournaledFile, RetryDelays},
};

use super::{
    error::{Error, Judgement, judge, path_error},
    options::SqliteOptions,
    schema, statements,
};

const PAGE: u32 = 4096;

/// The queue's file and the options for it.
#[derive(Debug)]
pub(super) struct QueueFile {
    file: JournaledFile,
    pub(super) options: SqliteOptions,
}

impl QueueFile {
    pub(super) fn new(path: PathBuf, options: SqliteOptions) -> Self {
        Self { file: JournaledFile::new(path, "-wal"), options }
    }

    pub(super) fn path(&self) -> &Path {
        self.file.path()
    }

    /// Opens the connection that writes, on a file of this version.
    pub(super) async fn open(&self) -> Result<SqliteConnection, Error> {
        if let Some(folder) = self.path().parent().filter(|path| !path.as_os_str().is_empty()) {
            let made = tokio::fs::create_dir_all(folder).await;
            made.map_err(|error| path_error("cannot create the folder", folder, &error))?;
        }
        let mut db = self.create().await?;
        schema::bring_up_to_date(&mut db).await?;
        let queue = statements::name_queue(&mut db, &self.options.queue).await?;
        if queue != self.options.queue {
            return Err(BrokerError::refused(format!(
                "{} holds the queue {queue:?}, not {:?}",
                self.path().display(),
                self.options.queue
            ))
            .into());
        }
        Ok(db)
    }

    /// Opens the first connection, again as long as a call may wait: where two processes that turn
    /// a new file into one with a log would wait for each other, SQLite says at once that it is
    /// busy.
    async fn create(&self) -> Result<SqliteConnection, sqlx::Error> {
        let end = Instant::now() + self.options.busy_timeout;
        let mut pauses = RetryDelays::new(Duration::from_millis(1), Duration::from_millis(50));
        loop {
            match self.connect_with(self.connect_options().create_if_missing(true)).await {
                Err(error) if judge(&error) == Judgement::Unavailable && Instant::now() < end => {
                    tokio::time::sleep(pauses.next_delay()).await;
                }
                connected => return connected,
            }
        }
    }

    /// Opens another connection that writes, to the same file.
    pub(super) async fn connect(&self) -> Result<SqliteConnection, sqlx::Error> {
        self.connect_with(self.connect_options()).await
    }

    async fn connect_with(
        &self,
        options: SqliteConnectOptions,
    ) -> Result<SqliteConnection, sqlx::Error> {
        let mut db = options.connect().await?;
        // The log is opened by the first look into the file.
        sqlx::query("SELECT count(*) FROM sqlite_schema").execute(&mut db).await?;
        self.file.opened_to_write()?;
        Ok(db)
    }

    /// Looks whether the next process will find what has been written.
    pub(super) fn check(&self) -> io::Result<()> {
        Ok(self.file.check()?)
    }

    /// Returns the connections that read beside the one that writes.
    pub(super) fn readers(&self) -> SqlitePool {
        SqlitePoolOptions::new()
            .min_connections(0)
            .max_connections(2)
            .acquire_timeout(self.options.busy_timeout)
            .connect_lazy_with(self.connect_options().pragma("query_only", "on"))
    }

    /// Returns the path of the side file whose lock shows that holder `id` is alive.
    pub(super) fn side_file(&self, id: i64) -> PathBuf {
        let mut side = self.path().as_os_str().to_owned();
        side.push(format!("-holder-{id}"));
        side.into()
    }

    fn connect_options(&self) -> SqliteConnectOptions {
        let options = SqliteConnectOptions::new()
            .filename(self.path())
            .page_size(PAGE)
            .journal_mode(SqliteJournalMode::Wal)
            // NORMAL may lose the last commits when the power goes.
            .synchronous(SqliteSynchronous::Full)
            .busy_timeout(self.options.busy_timeout)
            .disable_statement_logging();
        match self.options.max_bytes {
            Some(bytes) => {
                let pages = (bytes / u64::from(PAGE)).max(1);
                options.pragma("max_page_count", pages.to_string())
            }
            None => options,
        }
    }
}
