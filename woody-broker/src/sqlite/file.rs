//! The queue's file: how it is opened, and brought to this version's tables.

use std::path::{Path, PathBuf};

use sqlx::{
    ConnectOptions, Connection, SqliteConnection, SqlitePool,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};
use woody_core::ports::BrokerError;

use super::{
    SqliteOptions,
    error::{broker_error, path_error},
};

const PAGE: u32 = 4096;

/// The steps from an empty file to this version's tables. A file's `user_version`
/// counts those that it has had; a new step goes at the end.
const STEPS: [&str; 1] = [include_str!("../../migrations/sqlite/0001_queue.sql")];

/// A file and how to use it.
#[derive(Debug)]
pub(super) struct QueueFile {
    pub(super) path: PathBuf,
    pub(super) options: SqliteOptions,
}

impl QueueFile {
    pub(super) fn new(path: PathBuf, options: SqliteOptions) -> Self {
        Self { path, options }
    }

    /// Opens the connection that writes, on a file of this version.
    pub(super) async fn open(&self) -> Result<SqliteConnection, BrokerError> {
        if let Some(folder) = self.path.parent().filter(|path| !path.as_os_str().is_empty()) {
            let made = tokio::fs::create_dir_all(folder).await;
            made.map_err(|error| path_error("cannot create the folder", folder, &error))?;
        }
        let mut connection = self.connect().await.map_err(|error| broker_error(error.into()))?;
        self.bring_up_to_date(&mut connection).await?;
        Ok(connection)
    }

    /// Opens another connection that writes.
    pub(super) async fn connect(&self) -> Result<SqliteConnection, sqlx::Error> {
        self.connect_options().create_if_missing(true).connect().await
    }

    /// Connections that read beside the one that writes.
    pub(super) fn readers(&self) -> SqlitePool {
        SqlitePoolOptions::new()
            .min_connections(0)
            .max_connections(2)
            .acquire_timeout(self.options.busy_timeout)
            .connect_lazy_with(self.connect_options().pragma("query_only", "on"))
    }

    /// The side file whose lock says that holder `id` is alive.
    pub(super) fn side_file(&self, id: i64) -> PathBuf {
        side_file(&self.path, id)
    }

    fn connect_options(&self) -> SqliteConnectOptions {
        let options = SqliteConnectOptions::new()
            .filename(&self.path)
            .page_size(PAGE)
            .journal_mode(SqliteJournalMode::Wal)
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

    /// Applies the steps that the file has not had, and checks the queue's name.
    /// The transaction locks out others who open the file at the same time.
    async fn bring_up_to_date(&self, connection: &mut SqliteConnection) -> Result<(), BrokerError> {
        let known = i64::try_from(STEPS.len()).unwrap_or(i64::MAX);
        let name = self.try_bring_up_to_date(connection).await;
        match name.map_err(|error| broker_error(error.into()))? {
            Version::Newer(version) => Err(BrokerError::refused(format!(
                "{} was written by a newer version (tables {version}, this one knows {known})",
                self.path.display()
            ))),
            Version::Current { queue } if queue == self.options.queue => Ok(()),
            Version::Current { queue } => Err(BrokerError::refused(format!(
                "{} holds the queue {queue:?}, not {:?}",
                self.path.display(),
                self.options.queue
            ))),
        }
    }

    async fn try_bring_up_to_date(
        &self,
        connection: &mut SqliteConnection,
    ) -> Result<Version, sqlx::Error> {
        let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
        let version: i64 =
            sqlx::query_scalar("PRAGMA user_version").fetch_one(&mut *transaction).await?;
        let had = usize::try_from(version).unwrap_or(0);
        if had > STEPS.len() {
            return Ok(Version::Newer(version));
        }
        for step in &STEPS[had..] {
            sqlx::raw_sql(*step).execute(&mut *transaction).await?;
        }
        if had == 0 {
            sqlx::query("INSERT INTO queue (name) VALUES (?)")
                .bind(&self.options.queue)
                .execute(&mut *transaction)
                .await?;
        }
        if had < STEPS.len() {
            // As many as there are steps; a pragma takes no parameters.
            sqlx::raw_sql("PRAGMA user_version = 1").execute(&mut *transaction).await?;
        }
        let queue =
            sqlx::query_scalar("SELECT name FROM queue").fetch_one(&mut *transaction).await?;
        transaction.commit().await?;
        Ok(Version::Current { queue })
    }
}

enum Version {
    Newer(i64),
    Current { queue: String },
}

fn side_file(path: &Path, id: i64) -> PathBuf {
    let mut side = path.as_os_str().to_owned();
    side.push(format!("-holder-{id}"));
    side.into()
}
