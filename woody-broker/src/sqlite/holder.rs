//! Which process holds what, and which processes are alive.

use std::{
    fs::{File, OpenOptions, TryLockError},
    io,
    path::{Path, PathBuf},
};

use sqlx::{Connection, SqliteConnection};

use super::{file::QueueFile, statements};

/// This process as a holder of messages; alive as long as its lock is held.
#[derive(Debug)]
pub(super) struct Holder {
    pub(super) id: i64,
    side_file: PathBuf,
    /// Closing it, also by dying, frees the lock.
    _lock: File,
}

impl Holder {
    /// Registers this process as a holder.
    pub(super) async fn register(
        file: &QueueFile,
        connection: &mut SqliteConnection,
    ) -> Result<Self, sqlx::Error> {
        let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
        let id = statements::add_holder(&mut transaction).await?;
        let side_file = file.side_file(id);
        // It is locked before another process can see the row.
        let lock = blocking({
            let side_file = side_file.clone();
            move || lock_new(&side_file)
        })
        .await?;
        transaction.commit().await?;
        Ok(Self { id, side_file, _lock: lock })
    }

    /// Gives back what dead holders held; returns whether there was a dead holder.
    pub(super) async fn reclaim(
        &self,
        file: &QueueFile,
        connection: &mut SqliteConnection,
    ) -> Result<bool, sqlx::Error> {
        let others = statements::other_holders(connection, self.id).await?;
        let others: Vec<_> = others.into_iter().map(|id| (id, file.side_file(id))).collect();
        let dead = blocking(move || {
            let dead =
                others.into_iter().filter_map(|(id, path)| Some((id, DeadHolder::of(path)?)));
            Ok(dead.collect::<Vec<_>>())
        })
        .await?;
        if dead.is_empty() {
            return Ok(false);
        }
        let ids: Vec<i64> = dead.iter().map(|(id, _)| *id).collect();
        let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
        let back = statements::remove_holders(&mut transaction, &ids).await?;
        transaction.commit().await?;
        tracing::info!(queue.file = %file.path().display(), processes = ids.len(), messages = back,
            "took back what dead processes held");
        // This process holds their locks until here, so that no other does the same.
        blocking(move || {
            for (_, dead) in dead {
                dead.bury();
            }
            Ok(())
        })
        .await?;
        Ok(true)
    }

    /// Gives back all that this process holds and takes it off the list.
    pub(super) async fn leave(self, connection: &mut SqliteConnection) -> Result<(), sqlx::Error> {
        let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
        statements::remove_holders(&mut transaction, &[self.id]).await?;
        transaction.commit().await?;
        tokio::fs::remove_file(&self.side_file).await?;
        Ok(())
    }
}

/// A holder whose lock was free; this process has taken it.
struct DeadHolder {
    side_file: PathBuf,
    _lock: Option<File>,
}

impl DeadHolder {
    fn of(side_file: PathBuf) -> Option<Self> {
        let lock = match File::open(&side_file) {
            Ok(lock) => lock,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Some(Self { side_file, _lock: None });
            }
            // Whether it lives is not known: it is treated as alive.
            Err(_) => return None,
        };
        lock.try_lock().ok()?;
        Some(Self { side_file, _lock: Some(lock) })
    }

    fn bury(self) {
        // A side file that stays does no harm: its number is not used again.
        let _ = std::fs::remove_file(&self.side_file);
    }
}

fn lock_new(side_file: &Path) -> io::Result<File> {
    let lock = OpenOptions::new().create(true).truncate(false).write(true).open(side_file)?;
    lock.try_lock().map_err(|error| match error {
        TryLockError::WouldBlock => io::Error::from(io::ErrorKind::WouldBlock),
        TryLockError::Error(error) => error,
    })?;
    Ok(lock)
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> Result<T, sqlx::Error> {
    let done = tokio::task::spawn_blocking(work).await;
    Ok(done.map_err(io::Error::other)??)
}
