use std::{
    io,
    path::{Path, PathBuf},
    sync::{Mutex, OnceLock, PoisonError},
};

use super::{Displaced, OpenedFile};

/// A file and the log beside it, which holds what is not yet in the file: whether
/// their paths still lead to what was opened.
///
/// A writer looks before the commit, so that nothing is begun in vain, and once
/// more after it: what the next process finds is what both paths lead to.
#[derive(Debug)]
pub struct JournaledFile {
    path: PathBuf,
    log_path: PathBuf,
    /// What was opened there first is the file for good.
    main: OnceLock<OpenedFile>,
    /// The log begins anew once no process has the file open.
    log: Mutex<Option<OpenedFile>>,
}

impl JournaledFile {
    /// Makes one for a file whose log has the same path with `suffix` at its end. Nothing
    /// is opened.
    pub fn new(path: impl Into<PathBuf>, suffix: &str) -> Self {
        let path = path.into();
        let mut log_path = path.as_os_str().to_owned();
        log_path.push(suffix);
        let log_path = log_path.into();
        Self { path, log_path, main: OnceLock::new(), log: Mutex::new(None) }
    }

    /// Returns the path of the file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Remembers what has just been opened to be written.
    ///
    /// # Errors
    /// [`io::Error`] when the file or its log is not there, or when the file is not the
    /// one that was opened first.
    pub fn opened_to_write(&self) -> io::Result<()> {
        if self.main.get().is_none() {
            let _ = self.main.set(OpenedFile::at(&self.path)?);
        }
        self.check_main()?;
        let log = OpenedFile::at(&self.log_path)?;
        *self.log.lock().unwrap_or_else(PoisonError::into_inner) = Some(log);
        Ok(())
    }

    /// Looks whether the path of the file still leads to it.
    ///
    /// # Errors
    /// [`Displaced`].
    pub fn check_main(&self) -> Result<(), Displaced> {
        self.main.get().map_or(Ok(()), OpenedFile::check)
    }

    /// Looks whether the next process will find what has been written.
    ///
    /// # Errors
    /// [`Displaced`].
    pub fn check(&self) -> Result<(), Displaced> {
        self.check_main()?;
        let log = self.log.lock().unwrap_or_else(PoisonError::into_inner);
        log.as_ref().map_or(Ok(()), OpenedFile::check)
    }

    /// Stops looking at the log: the last process to close the file deletes it.
    pub fn closing(&self) {
        *self.log.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn the_file_stays_what_was_opened_first_and_the_log_what_was_opened_last() {
        let folder = std::env::temp_dir().join(format!("woody-journaled-{}", uuid::Uuid::new_v4()));
        fs::create_dir(&folder).unwrap();
        let (path, log) = (folder.join("file"), folder.join("file-log"));
        let file = JournaledFile::new(&path, "-log");
        file.check().unwrap();
        file.opened_to_write().unwrap_err();

        fs::write(&path, "the first").unwrap();
        fs::write(&log, "its log").unwrap();
        let _open = (fs::File::open(&path).unwrap(), fs::File::open(&log).unwrap());
        file.opened_to_write().unwrap();
        file.check().unwrap();

        fs::remove_file(&log).unwrap();
        file.check_main().unwrap();
        assert!(matches!(file.check(), Err(Displaced::Gone(_))));
        fs::write(&log, "another log").unwrap();
        assert!(matches!(file.check(), Err(Displaced::Replaced(_))));
        file.opened_to_write().unwrap();
        file.check().unwrap();

        fs::remove_file(&log).unwrap();
        file.closing();
        file.check().unwrap();

        fs::rename(&path, folder.join("aside")).unwrap();
        fs::write(&path, "another file").unwrap();
        fs::write(&log, "its log").unwrap();
        file.opened_to_write().unwrap_err();
        fs::remove_dir_all(&folder).unwrap();
    }
}
