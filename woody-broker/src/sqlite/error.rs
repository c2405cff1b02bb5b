//! From SQLite's result codes to what a caller can do about them.

use std::{io, path::Path, sync::Arc};

use sqlx::migrate::MigrateError;
use woody_core::ports::{BrokerError, SettleError};

/// A failed call, on its way out.
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

/// An error that every call of a group gets.
pub(super) type Shared = Arc<sqlx::Error>;

/// What the error means to whoever publishes or administers.
pub(super) fn broker_error(error: Shared) -> BrokerError {
    match kind(&error) {
        Kind::Unavailable => BrokerError::unavailable(error),
        Kind::Refused => BrokerError::refused(error),
    }
}

/// What the error means to whoever settles: the message comes again.
pub(super) fn settle_error(error: Shared) -> SettleError {
    SettleError::Broker(error.into())
}

/// What an error of the file system means: a path that cannot be used.
pub(super) fn path_error(what: &str, path: &Path, error: &io::Error) -> BrokerError {
    BrokerError::refused(format!("{what} {}: {error}", path.display()))
}

/// What the caller can do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// The same statement may succeed later.
    Unavailable,
    /// It stays until somebody acts.
    Refused,
}

pub(super) fn kind(error: &sqlx::Error) -> Kind {
    use sqlx::Error as E;
    match error {
        E::Database(error) => {
            let code = error.code().and_then(|code| code.parse().ok());
            code.map_or(Kind::Refused, kind_of_code)
        }
        E::Io(error) => kind_of_io(error.kind()),
        E::PoolTimedOut | E::PoolClosed | E::WorkerCrashed | E::BeginFailed => Kind::Unavailable,
        _ => Kind::Refused,
    }
}

/// What the caller can do about a result code of SQLite, extended or not. Held to
/// the same judgement as the store's by `woody_core::contract::sqlite`.
fn kind_of_code(code: u32) -> Kind {
    const IOERR_NOMEM: u32 = 3082;
    match code {
        IOERR_NOMEM => Kind::Unavailable,
        // The low byte is the primary code. BUSY, LOCKED, NOMEM, INTERRUPT,
        // PROTOCOL, SCHEMA pass by themselves.
        _ => match code & 0xff {
            5 | 6 | 7 | 9 | 15 | 17 => Kind::Unavailable,
            // FULL, READONLY, IOERR, CANTOPEN, CORRUPT, NOTADB and the like stay
            // until somebody acts.
            _ => Kind::Refused,
        },
    }
}

/// What the caller can do when the operating system refuses a thread or a file.
fn kind_of_io(kind: io::ErrorKind) -> Kind {
    use io::ErrorKind as K;
    match kind {
        K::WouldBlock | K::Interrupted | K::TimedOut | K::OutOfMemory => Kind::Unavailable,
        _ => Kind::Refused,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use woody_core::contract::sqlite::{IO_ERRORS, Judgement, RESULT_CODES};

    fn expected(judgement: Judgement) -> Kind {
        match judgement {
            Judgement::Passes => Kind::Unavailable,
            Judgement::Stays | Judgement::Damaged => Kind::Refused,
        }
    }

    #[test]
    fn every_failure_is_judged_as_by_the_store() {
        for (code, name, judgement) in RESULT_CODES {
            assert_eq!(kind_of_code(code), expected(judgement), "{name}");
        }
        for (error, judgement) in IO_ERRORS {
            assert_eq!(kind(&sqlx::Error::Io(error.into())), expected(judgement), "{error}");
        }
    }

    #[test]
    fn errors_without_a_code_have_a_kind_too() {
        for error in
            [sqlx::Error::PoolTimedOut, sqlx::Error::WorkerCrashed, sqlx::Error::PoolClosed]
        {
            assert_eq!(kind(&error), Kind::Unavailable, "{error}");
        }
        assert_eq!(kind(&sqlx::Error::RowNotFound), Kind::Refused);
    }
}
