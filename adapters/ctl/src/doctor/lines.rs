//! Lines of several files, counted through.

use std::path::{Path, PathBuf};

use super::finding::Place;

/// A value and the line it stands on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct At<T> {
    pub(super) value: T,
    pub(super) line: usize,
}

/// The files of a stack, one after the other: a line of any of them is one number,
/// however far their contents are mixed.
#[derive(Debug, Default)]
pub(super) struct Lines {
    /// Each with how many lines are before its first.
    files: Vec<(PathBuf, usize)>,
    counted: usize,
}

impl Lines {
    /// Adds a file, and returns how many lines are before its first.
    pub(super) fn add(&mut self, file: &Path, text: &str) -> usize {
        let before = self.counted;
        self.files.push((file.to_owned(), before));
        self.counted += text.lines().count() + 1;
        before
    }

    pub(super) fn files(&self) -> impl Iterator<Item = &Path> {
        self.files.iter().map(|(file, _)| file.as_path())
    }

    /// The first file, which gives the others' relative paths their folder.
    pub(super) fn first(&self) -> &Path {
        self.files.first().map_or(Path::new(""), |(file, _)| file)
    }

    /// Where a line stands.
    pub(super) fn place(&self, service: Option<&str>, line: usize) -> Place {
        let found = self.files.iter().rev().find(|(_, before)| *before < line);
        let (file, before) = found.map_or((self.first(), 0), |(file, n)| (file.as_path(), *n));
        Place {
            service: service.map(str::to_owned),
            file: file.to_owned(),
            line: Some(line - before),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_found_in_its_file() {
        let mut lines = Lines::default();
        assert_eq!(lines.add(Path::new("a.yml"), "1\n2\n"), 0);
        assert_eq!(lines.add(Path::new("b.yml"), "1\n2\n3"), 3);
        for (line, shown) in [(1, "a.yml:1"), (2, "a.yml:2"), (4, "b.yml:1"), (6, "b.yml:3")] {
            assert_eq!(lines.place(None, line).to_string(), shown);
        }
    }
}
