use std::{
    fs, io,
    path::{Path, PathBuf},
};

/// A file that is open, and the path under which it was opened.
///
/// A file that is deleted, moved or replaced while it is open can be written as
/// before, and what is written is gone with the process. A caller that promises that
/// something is kept in the file therefore looks **after** the commit whether the
/// path still leads to it: if it does, the commit is in the file that the next
/// process opens. What happens to the file later happens to kept data.
///
/// It tells files apart by their inode, which no other file gets while this one is open.
/// A file that is overwritten in place stays the same.
#[derive(Debug, Clone)]
pub struct OpenedFile {
    path: PathBuf,
    identity: Identity,
}

#[cfg(unix)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Identity {
    device: u64,
    inode: u64,
}

/// Elsewhere only the file's absence is seen.
#[cfg(not(unix))]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Identity;

/// A path no longer leads to the file that was opened there.
#[derive(Debug, thiserror::Error)]
pub enum Displaced {
    /// Nothing is there.
    #[error(
        "{} is gone since it was opened (deleted, or moved, it or its folder): what would be written \
         to it is not kept; put it back, or start again",
        .0.display()
    )]
    Gone(PathBuf),
    /// Another file is there.
    #[error(
        "{} is another file than the one that was opened: what would be written to the old one is \
         not kept; start again to use the new one",
        .0.display()
    )]
    Replaced(PathBuf),
    /// What is there cannot be seen.
    #[error("{} cannot be looked at", .path.display())]
    Unseen {
        /// Where it was.
        path: PathBuf,
        /// What the operating system says.
        source: io::Error,
    },
}

impl From<Displaced> for io::Error {
    fn from(displaced: Displaced) -> Self {
        // None of them passes before an operator acts.
        Self::new(io::ErrorKind::NotFound, displaced)
    }
}

impl OpenedFile {
    /// Remembers the file that has just been opened at `path`.
    ///
    /// # Errors
    /// [`io::Error`] when there is none.
    pub fn at(path: &Path) -> io::Result<Self> {
        Ok(Self { path: path.to_owned(), identity: identity(&fs::metadata(path)?) })
    }

    /// Looks whether the path still leads to the file.
    ///
    /// It costs a system call of about a microsecond, without disk access.
    ///
    /// # Errors
    /// [`Displaced`] says what is there instead, and what to do.
    pub fn check(&self) -> Result<(), Displaced> {
        match fs::metadata(&self.path) {
            Ok(found) if identity(&found) == self.identity => Ok(()),
            Ok(_) => Err(Displaced::Replaced(self.path.clone())),
            Err(error) => Err(match error.kind() {
                io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => {
                    Displaced::Gone(self.path.clone())
                }
                _ => Displaced::Unseen { path: self.path.clone(), source: error },
            }),
        }
    }
}

#[cfg(unix)]
fn identity(found: &fs::Metadata) -> Identity {
    use std::os::unix::fs::MetadataExt;

    Identity { device: found.dev(), inode: found.ino() }
}

#[cfg(not(unix))]
fn identity(_: &fs::Metadata) -> Identity {
    Identity
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_was_displaced_is_told_from_the_one_that_was_opened() {
        let folder = std::env::temp_dir().join(format!("woody-opened-{}", uuid::Uuid::new_v4()));
        fs::create_dir(&folder).unwrap();
        let (path, aside) = (folder.join("file"), folder.join("aside"));
        fs::write(&path, "the first").unwrap();
        let _open = fs::File::open(&path).unwrap();
        let opened = OpenedFile::at(&path).unwrap();
        opened.check().unwrap();

        fs::rename(&path, &aside).unwrap();
        assert!(matches!(opened.check(), Err(Displaced::Gone(_))));
        fs::write(&path, "another").unwrap();
        assert!(matches!(opened.check(), Err(Displaced::Replaced(_))));
        fs::rename(&aside, &path).unwrap();
        opened.check().unwrap();

        fs::remove_dir_all(&folder).unwrap();
        let gone = opened.check().unwrap_err();
        assert!(gone.to_string().contains(&path.display().to_string()), "{gone}");
    }
}
