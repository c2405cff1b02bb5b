//! What a caller can do about each failure of SQLite, for every backend on it.
//!
//! The backends do not know each other, and no port knows SQLite. So each has a
//! judgement of its own, and this table holds them to the same one.

use std::io::ErrorKind;

/// What a caller can do about a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Judgement {
    /// It passes by itself: wait, and try again.
    Passes,
    /// It stays until an operator acts.
    Stays,
    /// What the file holds cannot be trusted. It stays, too.
    Damaged,
}

use Judgement::{Damaged, Passes, Stays};

/// The primary result codes, and those extended ones that could be judged
/// differently: <https://sqlite.org/rescode.html>.
pub const RESULT_CODES: [(u32, &str, Judgement); 46] = [
    (1, "ERROR", Stays),
    (2, "INTERNAL", Stays),
    (3, "PERM", Stays),
    (4, "ABORT", Stays),
    (5, "BUSY", Passes),
    (261, "BUSY_RECOVERY", Passes),
    (517, "BUSY_SNAPSHOT", Passes),
    (773, "BUSY_TIMEOUT", Passes),
    (6, "LOCKED", Passes),
    (262, "LOCKED_SHAREDCACHE", Passes),
    (7, "NOMEM", Passes),
    (8, "READONLY", Stays),
    (264, "READONLY_RECOVERY", Stays),
    (1032, "READONLY_DBMOVED", Stays),
    (1544, "READONLY_DIRECTORY", Stays),
    (9, "INTERRUPT", Passes),
    // A disk that fails to read or to write does not mend itself.
    (10, "IOERR", Stays),
    (266, "IOERR_READ", Stays),
    (522, "IOERR_SHORT_READ", Stays),
    (778, "IOERR_WRITE", Stays),
    (1034, "IOERR_FSYNC", Stays),
    (3082, "IOERR_NOMEM", Passes),
    (3850, "IOERR_LOCK", Stays),
    (8458, "IOERR_CORRUPTFS", Damaged),
    (11, "CORRUPT", Damaged),
    (267, "CORRUPT_VTAB", Damaged),
    (779, "CORRUPT_INDEX", Damaged),
    (12, "NOTFOUND", Stays),
    (13, "FULL", Stays),
    (14, "CANTOPEN", Stays),
    (526, "CANTOPEN_ISDIR", Stays),
    // A race for the log's lock was lost, again and again.
    (15, "PROTOCOL", Passes),
    (16, "EMPTY", Stays),
    // Another process changed the schema, again and again.
    (17, "SCHEMA", Passes),
    (18, "TOOBIG", Stays),
    (19, "CONSTRAINT", Stays),
    (1555, "CONSTRAINT_PRIMARYKEY", Stays),
    (20, "MISMATCH", Stays),
    (21, "MISUSE", Stays),
    (22, "NOLFS", Stays),
    (23, "AUTH", Stays),
    (279, "AUTH_USER", Stays),
    (24, "FORMAT", Stays),
    (25, "RANGE", Stays),
    (26, "NOTADB", Damaged),
    (99, "an unknown code", Stays),
];

/// What the operating system says outside of SQLite: about threads, folders and
/// files beside the database.
pub const IO_ERRORS: [(ErrorKind, Judgement); 9] = [
    // There is no thread to be had.
    (ErrorKind::WouldBlock, Passes),
    (ErrorKind::Interrupted, Passes),
    (ErrorKind::TimedOut, Passes),
    (ErrorKind::OutOfMemory, Passes),
    (ErrorKind::NotFound, Stays),
    (ErrorKind::PermissionDenied, Stays),
    (ErrorKind::StorageFull, Stays),
    (ErrorKind::ReadOnlyFilesystem, Stays),
    (ErrorKind::Other, Stays),
];
