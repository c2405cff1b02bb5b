use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, OnceLock, PoisonError};

use woody_core::resilience::{Displaced, OpenedFile};

/// The database's file and its log, which holds what is not yet in the file, and
/// whether their paths still lead to them.
#[derive(Debug)]
pub(super) struct Files {
    path: PathBuf,
    log_path: PathBuf,
    /// The file of the first connection is the store's for good.
    main: OnceLock<OpenedFile>,
    /// The log begins anew when nobody has the database open any more.
    log: Mutex<Option<OpenedFile>>,
}

impl Files {
    pub(super) fn new(path: &Path) -> Self {
        let mut log_path = path.as_os_str().to_owned();
        log_path.push("-wal");
        let log_path = log_path.into();
        Self { path: path.to_owned(), log_path, main: OnceLock::new(), log: Mutex::new(None) }
    }

    /// Notes what a connection that writes has just opened.
    pub(super) fn opened_to_write(&self) -> io::Result<()> {
        if self.main.get().is_none() {
            let _ = self.main.set(OpenedFile::at(&self.path)?);
        }
        self.check_main()?;
        let log = OpenedFile::at(&self.log_path)?;
        *self.log.lock().unwrap_or_else(PoisonError::into_inner) = Some(log);
        Ok(())
    }

    /// Refuses a connection to another file than the one that is written.
    pub(super) fn check_main(&self) -> Result<(), Displaced> {
        self.main.get().map_or(Ok(()), OpenedFile::check)
    }

    /// Looks whether the next process will find what has been written.
    pub(super) fn check(&self) -> Result<(), Displaced> {
        self.check_main()?;
        let log = self.log.lock().unwrap_or_else(PoisonError::into_inner);
        log.as_ref().map_or(Ok(()), OpenedFile::check)
    }

    /// Looks at the log no more: the last to close the database takes it away.
    pub(super) fn closing(&self) {
        *self.log.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}
