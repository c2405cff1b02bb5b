//! What `stack/postgres/wal.sh` keeps of PostgreSQL's WAL, and gives back: nothing that is half, nothing that is another's.

use std::{fs, path::PathBuf, process::Command};

use tempfile::TempDir;

use crate::repository::Repository;

const NAME: &str = "000000010000000000000007";

/// An archive, and beside it what PostgreSQL has.
struct Archive {
    folder: TempDir,
}

impl Archive {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The exit code of `wal.sh`, called so.
    fn wal(&self, arguments: &[&str]) -> Option<i32> {
        Command::new("sh")
            .arg(Repository::root().join("stack/postgres/wal.sh"))
            .args(arguments)
            .current_dir(self.folder.path())
            .output()
            .unwrap()
            .status
            .code()
    }

    /// Has a segment with this content kept.
    fn keep(&self, content: &[u8]) -> Option<i32> {
        fs::write(self.path("segment"), content).unwrap();
        self.wal(&["keep", "archive/wal", "segment", NAME])
    }

    fn fetch(&self, name: &str) -> Option<i32> {
        self.wal(&["fetch", "archive/wal", name, "back"])
    }

    fn back(&self) -> Option<Vec<u8>> {
        fs::read(self.path("back")).ok()
    }

    /// The files of the archive, hidden ones too.
    fn files(&self) -> Vec<String> {
        let entries = fs::read_dir(self.path("archive/wal")).unwrap();
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    }

    fn kept(&self) -> PathBuf {
        self.path(&format!("archive/wal/{NAME}.gz"))
    }
}

fn segment() -> Vec<u8> {
    (0..200_000_u32).flat_map(u32::to_le_bytes).collect()
}

#[test]
fn a_segment_that_was_kept_comes_back_as_it_was() {
    let archive = Archive::new();
    assert_eq!(archive.keep(&segment()), Some(0));
    assert_eq!(archive.files(), [format!("{NAME}.gz")]);
    assert_eq!(archive.fetch(NAME), Some(0));
    assert_eq!(archive.back(), Some(segment()));
}

#[test]
fn a_segment_is_kept_once_more_where_it_is_the_same() {
    let archive = Archive::new();
    assert_eq!(archive.keep(&segment()), Some(0));
    assert_eq!(archive.keep(&segment()), Some(0));
    assert_eq!(archive.files(), [format!("{NAME}.gz")]);
}

#[test]
fn a_segment_of_that_name_with_another_content_is_not_overwritten() {
    let archive = Archive::new();
    assert_eq!(archive.keep(&segment()), Some(0));
    assert_eq!(archive.keep(b"of another server"), Some(1));
    assert_eq!(archive.fetch(NAME), Some(0));
    assert_eq!(archive.back(), Some(segment()));
}

#[test]
fn a_segment_that_was_broken_off_is_kept_anew() {
    let archive = Archive::new();
    fs::create_dir_all(archive.path("archive/wal")).unwrap();
    fs::write(archive.path(&format!("archive/wal/.{NAME}.part")), b"half").unwrap();
    assert_eq!(archive.fetch(NAME), Some(1), "it is not there yet");
    assert_eq!(archive.keep(&segment()), Some(0));
    assert_eq!(archive.files(), [format!("{NAME}.gz")]);
    assert_eq!(archive.fetch(NAME), Some(0));
    assert_eq!(archive.back(), Some(segment()));
}

#[test]
fn what_cannot_be_read_or_written_is_not_said_to_be_kept() {
    let archive = Archive::new();
    assert_ne!(archive.wal(&["keep", "archive/wal", "no-such-segment", NAME]), Some(0));
    assert_eq!(archive.fetch(NAME), Some(1));
    fs::write(archive.path("file"), b"").unwrap();
    assert_ne!(archive.wal(&["keep", "file/wal", "file", NAME]), Some(0));
    assert_eq!(archive.wal(&["keep"]), Some(2));
}

#[test]
fn a_segment_that_is_missing_ends_a_recovery_and_a_torn_one_stops_it() {
    let archive = Archive::new();
    assert_eq!(archive.keep(&segment()), Some(0));
    assert_eq!(archive.fetch("00000002.history"), Some(1));
    let whole = fs::read(archive.kept()).unwrap();
    for length in [0, 10, whole.len() / 2, whole.len() - 1] {
        fs::write(archive.kept(), &whole[..length]).unwrap();
        // PostgreSQL takes an exit code above 125 for a failure, and any below for the end of the archive.
        assert_eq!(archive.fetch(NAME), Some(126), "{length} bytes of {}", whole.len());
        assert_eq!(archive.back(), None, "{length} bytes");
    }
    let mut damaged = whole.clone();
    damaged[whole.len() / 2] ^= 1;
    fs::write(archive.kept(), &damaged).unwrap();
    assert_eq!(archive.fetch(NAME), Some(126), "a bit has changed");
}
