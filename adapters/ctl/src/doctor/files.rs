//! Reading files, and what is said of one that cannot be read.

use std::path::{Path, PathBuf};

/// A file that cannot be read, or is not what it should be: one line.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}{}: {what}", .file.display(), .line.map(|line| format!(":{line}")).unwrap_or_default())]
pub struct Unreadable {
    file: PathBuf,
    line: Option<usize>,
    what: String,
}

impl Unreadable {
    pub(super) fn new(file: &Path, line: Option<usize>, what: impl Into<String>) -> Self {
        Self { file: file.to_owned(), line, what: what.into() }
    }
}

/// Returns the text of a file.
pub(super) fn read_file(file: &Path) -> Result<String, Unreadable> {
    std::fs::read_to_string(file)
        .map_err(|error| Unreadable::new(file, None, format!("cannot be read: {error}")))
}
