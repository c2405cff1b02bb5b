//! From SQLite's result codes to what a caller can do about them.

use std::{io, sync::Arc};

use woody_core::ports::{BrokerError, SettleError};

/// SQLite's primary result codes that pass by themselves: interrupted (9), busy
/// (5), locked (6), out of memory (7), an I/O error (10), a locking protocol
/// that did not come to its end (15). All others need somebody to act: no rights
/// (3, 8, 23), a full disk (13), no such file (14), a damaged file (11), a file
/// of another kind (26), another schema (1).
const PASSING: [i32; 6] = [5, 6, 7, 9, 10, 15];

/// An error that every call of a group gets.
pub(super) type Shared = Arc<sqlx::Error>;

/// What the error means to whoever publishes or administers.
pub(super) fn broker_error(error: Shared) -> BrokerError {
    if is_passing(&error) { BrokerError::unavailable(error) } else { BrokerError::refused(error) }
}

/// What the error means to whoever settles: the message comes again.
pub(super) fn settle_error(error: Shared) -> SettleError {
    SettleError::Broker(error.into())
}

/// What an error of the file system means: a path that cannot be used.
pub(super) fn path_error(what: &str, path: &std::path::Path, error: &io::Error) -> BrokerError {
    BrokerError::refused(format!("{what} {}: {error}", path.display()))
}

/// Whether the same statement may succeed later.
pub(super) fn is_passing(error: &sqlx::Error) -> bool {
    match error {
        // The extended code's low byte is the primary one.
        sqlx::Error::Database(error) => {
            let code = error.code().and_then(|code| code.parse::<i32>().ok());
            code.is_some_and(|code| PASSING.contains(&(code & 0xff)))
        }
        sqlx::Error::Io(_) | sqlx::Error::PoolTimedOut | sqlx::Error::WorkerCrashed => true,
        _ => false,
    }
}
