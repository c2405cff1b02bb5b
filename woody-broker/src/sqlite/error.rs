//! From SQLite's result codes to what a caller can do about them.

use std::{io, sync::Arc};

use woody_core::ports::{BrokerError, SettleError};

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
    use sqlx::Error as E;
    match error {
        E::Database(error) => {
            let code = error.code().and_then(|code| code.parse().ok());
            code.is_some_and(passes)
        }
        E::Io(error) => passes_io(error.kind()),
        E::PoolTimedOut | E::PoolClosed | E::WorkerCrashed | E::BeginFailed => true,
        _ => false,
    }
}

/// Whether what a result code of SQLite says, extended or not, passes by itself.
/// Held to the same judgement as the store's by `woody_core::contract::sqlite`.
fn passes(code: u32) -> bool {
    const IOERR_NOMEM: u32 = 3082;
    // The low byte is the primary code: BUSY, LOCKED, NOMEM, INTERRUPT, PROTOCOL,
    // SCHEMA. All others stay until somebody acts: FULL, READONLY, IOERR, CANTOPEN,
    // CORRUPT and the like.
    code == IOERR_NOMEM || matches!(code & 0xff, 5 | 6 | 7 | 9 | 15 | 17)
}

/// Whether the operating system may have a thread or a file later.
fn passes_io(kind: io::ErrorKind) -> bool {
    use io::ErrorKind as K;
    matches!(kind, K::WouldBlock | K::Interrupted | K::TimedOut | K::OutOfMemory)
}

#[cfg(test)]
mod tests {
    use super::*;
    use woody_core::contract::sqlite::{IO_ERRORS, Judgement, RESULT_CODES};

    #[test]
    fn every_failure_is_judged_as_by_the_store() {
        for (code, name, judgement) in RESULT_CODES {
            assert_eq!(passes(code), judgement == Judgement::Passes, "{name}");
        }
        for (error, judgement) in IO_ERRORS {
            let passing = is_passing(&sqlx::Error::Io(error.into()));
            assert_eq!(passing, judgement == Judgement::Passes, "{error}");
        }
    }

    #[test]
    fn errors_without_a_code_are_judged_too() {
        for error in
            [sqlx::Error::PoolTimedOut, sqlx::Error::WorkerCrashed, sqlx::Error::PoolClosed]
        {
            assert!(is_passing(&error), "{error}");
        }
        assert!(!is_passing(&sqlx::Error::RowNotFound));
    }
}
