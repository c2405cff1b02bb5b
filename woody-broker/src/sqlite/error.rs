//! From SQLite's result codes to what a caller can do about them.

use std::{io, path::Path, sync::Arc};

use sqlx::migrate::MigrateError;
use woody_core::ports::{BrokerError, SettleError};

/// The error of a failed call.
#[derive(Debug)]
pub(super) struct Error(pub(super) BrokerError);

impl From<BrokerError> for Error {
    fn from(error: BrokerError) -> Self {
        Self(error)
    }
}

impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Self {
        Self(broker_error(error.into()))
    }
}

impl From<MigrateError> for Error {
    fn from(error: MigrateError) -> Self {
        match error {
            MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _) => error.into(),
            error => Self(BrokerError::refused(error)),
        }
    }
}

/// An error that is returned to every call of a group.
pub(super) type Shared = Arc<sqlx::Error>;

/// Converts an error for callers that publish or administer.
pub(super) fn broker_error(error: Shared) -> BrokerError {
    match judge(&error) {
        Judgement::Unavailable => BrokerError::unavailable(error),
        Judgement::Refused => BrokerError::refused(error),
    }
}

/// Converts an error for callers that settle: the message comes again.
pub(super) fn settle_error(error: Shared) -> SettleError {
    SettleError::Broker(error.into())
}

/// Converts an error of the file system: a path cannot be used.
pub(super) fn path_error(what: &str, path: &Path, error: &io::Error) -> BrokerError {
    BrokerError::refused(format!("{what} {}: {error}", path.display()))
}

/// What the caller can do about an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Judgement {
    /// The same statement may succeed later.
    Unavailable,
    /// It will fail until an operator acts.
    Refused,
}

pub(super) fn judge(error: &sqlx::Error) -> Judgement {
    use sqlx::Error as E;
    match error {
        E::Database(error) => {
            let code = error.code().and_then(|code| code.parse().ok());
            code.map_or(Judgement::Refused, judge_code)
        }
        E::Io(error) => judge_io(error.kind()),
        E::PoolTimedOut | E::PoolClosed | E::WorkerCrashed | E::BeginFailed => {
            Judgement::Unavailable
        }
        _ => Judgement::Refused,
    }
}

/// Judges a result code of SQLite, extended or not, as the store does:
/// `woody_core::contract::sqlite` is the table for both.
fn judge_code(code: u32) -> Judgement {
    const IOERR_NOMEM: u32 = 3082;
    match code {
        IOERR_NOMEM => Judgement::Unavailable,
        // The low byte is the primary code. BUSY, LOCKED, NOMEM, INTERRUPT,
        // PROTOCOL, SCHEMA pass by themselves.
        _ => match code & 0xff {
            5 | 6 | 7 | 9 | 15 | 17 => Judgement::Unavailable,
            // FULL, READONLY, IOERR, CANTOPEN, CORRUPT, NOTADB and the like stay
            // until an operator acts.
            _ => Judgement::Refused,
        },
    }
}

/// Judges an error of the operating system, about a thread or a file.
fn judge_io(kind: io::ErrorKind) -> Judgement {
    use io::ErrorKind as K;
    match kind {
        K::WouldBlock | K::Interrupted | K::TimedOut | K::OutOfMemory => Judgement::Unavailable,
        _ => Judgement::Refused,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use woody_core::contract::sqlite::{self as table, IO_ERRORS, RESULT_CODES};

    fn expected(judgement: table::Judgement) -> Judgement {
        match judgement {
            table::Judgement::Passes => Judgement::Unavailable,
            table::Judgement::Stays | table::Judgement::Damaged => Judgement::Refused,
        }
    }

    #[test]
    fn every_failure_is_judged_as_by_the_store() {
        for (code, name, judgement) in RESULT_CODES {
            assert_eq!(judge_code(code), expected(judgement), "{name}");
        }
        for (error, judgement) in IO_ERRORS {
            assert_eq!(judge(&sqlx::Error::Io(error.into())), expected(judgement), "{error}");
        }
    }

    #[test]
    fn errors_without_a_code_are_judged_too() {
        for error in
            [sqlx::Error::PoolTimedOut, sqlx::Error::WorkerCrashed, sqlx::Error::PoolClosed]
        {
            assert_eq!(judge(&error), Judgement::Unavailable, "{error}");
        }
        assert_eq!(judge(&sqlx::Error::RowNotFound), Judgement::Refused);
    }
}
