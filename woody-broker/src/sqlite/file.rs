//! The queue's file: how it is opened, and brought to this version's tables.

use std::{
    io,
    path::{Path, PathBuf},
    sync::OnceLock,
};

use sqlx::{
    ConnectOptions, Connection, SqlSafeStr, SqliteConnection, SqlitePool,
    migrate::{MigrateError, Migration, MigrationType, Migrator},
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};
use woody_core::{ports::BrokerError, resilience::OpenedFile};

use super::{
    SqliteOptions,
    error::{broker_error, path_error},
};

const PAGE: u32 = 4096;

/// A file and how to use it.
#[derive(Debug)]
pub(super) struct QueueFile {
    pub(super) path: PathBuf,
    pub(super) options: SqliteOptions,
    /// What was opened there first is the queue's file for good.
    opened: OnceLock<OpenedFile>,
}

impl QueueFile {
    pub(super) fn new(path: PathBuf, options: SqliteOptions) -> Self {
        Self { path, options, opened: OnceLock::new() }
    }

    /// Opens the connection that writes, on a file of this version.
    pub(super) async fn open(&self) -> Result<QueueConnection, BrokerError> {
        if let Some(folder) = self.path.parent().filter(|path| !path.as_os_str().is_empty()) {
            let made = tokio::fs::create_dir_all(folder).await;
            made.map_err(|error| path_error("cannot create the folder", folder, &error))?;
        }
        let failed = |error: sqlx::Error| broker_error(error.into());
        let options = self.connect_options().create_if_missing(true);
        let mut db = options.connect().await.map_err(failed)?;
        self.bring_up_to_date(&mut db).await?;
        self.opened(db).await.map_err(failed)
    }

    /// Opens another connection that writes, to the same file.
    pub(super) async fn connect(&self) -> Result<QueueConnection, sqlx::Error> {
        self.opened(self.connect_options().connect().await?).await
    }

    async fn opened(&self, mut db: SqliteConnection) -> Result<QueueConnection, sqlx::Error> {
        // The log is opened by the first look into the file.
        sqlx::query("SELECT count(*) FROM sqlite_schema").execute(&mut db).await?;
        if self.opened.get().is_none() {
            let _ = self.opened.set(OpenedFile::at(&self.path)?);
        }
        let log = OpenedFile::at(&beside(&self.path, "-wal"))?;
        self.check(&log)?;
        Ok(QueueConnection { db, log })
    }

    /// Looks whether the next process will find what has been written: in the file
    /// and, what is not yet there, in its log.
    pub(super) fn check(&self, log: &OpenedFile) -> io::Result<()> {
        let main = self.opened.get().map_or(Ok(()), OpenedFile::check);
        Ok(main.and_then(|()| log.check())?)
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
        beside(&self.path, &format!("-holder-{id}"))
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

    /// Brings the tables up to date and checks the queue's name.
    async fn bring_up_to_date(&self, connection: &mut SqliteConnection) -> Result<(), BrokerError> {
        match self.migrate(connection).await {
            Ok(queue) if queue == self.options.queue => Ok(()),
            Ok(queue) => Err(BrokerError::refused(format!(
                "{} holds the queue {queue:?}, not {:?}",
                self.path.display(),
                self.options.queue
            ))),
            Err(MigrateError::VersionMissing(version)) => Err(BrokerError::refused(format!(
                "{} was written by a newer version, whose tables (step {version}) this one does \
                 not know",
                self.path.display()
            ))),
            Err(MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _)) => {
                Err(broker_error(error.into()))
            }
            Err(error) => Err(BrokerError::refused(error)),
        }
    }

    /// Applies the steps that the file has not had and returns its queue's name. The
    /// transaction locks out others who open the file at the same time.
    async fn migrate(&self, connection: &mut SqliteConnection) -> Result<String, MigrateError> {
        let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
        migrator().run_direct(None, &mut *transaction, false).await?;
        sqlx::query("INSERT INTO queue (name) SELECT ? WHERE NOT EXISTS (SELECT 1 FROM queue)")
            .bind(&self.options.queue)
            .execute(&mut *transaction)
            .await?;
        let queue =
            sqlx::query_scalar("SELECT name FROM queue").fetch_one(&mut *transaction).await?;
        transaction.commit().await?;
        Ok(queue)
    }
}

/// A connection that writes, and the log into which it does.
#[derive(Debug)]
pub(super) struct QueueConnection {
    pub(super) db: SqliteConnection,
    pub(super) log: OpenedFile,
}

/// The steps from an empty file to this version's tables; a new one goes at the end.
fn migrator() -> Migrator {
    let step = |version, name: &'static str, sql: &'static str| {
        Migration::new(version, name.into(), MigrationType::Simple, sql.into_sql_str(), false)
    };
    Migrator::with_migrations(vec![step(
        1,
        "queue",
        include_str!("../../migrations/sqlite/0001_queue.sql"),
    )])
}

/// The file that SQLite or we keep beside the database.
fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut side = path.as_os_str().to_owned();
    side.push(suffix);
    side.into()
}
