use std::io;

use sqlx::migrate::MigrateError;
use woody_core::ports::StoreError;
use woody_core::resilience::Displaced;

/// The error of a failed call.
#[derive(Debug)]
pub(super) struct Error(pub(super) StoreError);

impl From<StoreError> for Error {
    fn from(error: StoreError) -> Self {
        Self(error)
    }
}

impl From<Displaced> for Error {
    fn from(displaced: Displaced) -> Self {
        Self(StoreError::refused(displaced))
    }
}

impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Self {
        Self(match judge(&error) {
            Judgement::Unavailable => StoreError::unavailable(error),
            Judgement::Refused => StoreError::refused(error),
            Judgement::Corrupt => StoreError::Corrupt(error.to_string()),
        })
    }
}

impl From<MigrateError> for Error {
    fn from(error: MigrateError) -> Self {
        match error {
            MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _) => error.into(),
            error => Self(StoreError::refused(error)),
        }
    }
}

/// Whether the same call may succeed later.
pub(super) fn passes(error: &sqlx::Error) -> bool {
    judge(error) == Judgement::Unavailable
}

/// What the caller can do about an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Judgement {
    Unavailable,
    Refused,
    Corrupt,
}

fn judge(error: &sqlx::Error) -> Judgement {
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
        E::Decode(_) | E::ColumnDecode { .. } => Judgement::Corrupt,
        _ => Judgement::Refused,
    }
}

/// Judges a result code of SQLite, extended or not, as the queue does:
/// `woody_core::contract::sqlite` is the table for both.
fn judge_code(code: u32) -> Judgement {
    const IOERR_NOMEM: u32 = 3082;
    const IOERR_CORRUPTFS: u32 = 8458;
    match code {
        IOERR_NOMEM => Judgement::Unavailable,
        IOERR_CORRUPTFS => Judgement::Corrupt,
        // The low byte is the primary code. BUSY, LOCKED, NOMEM, INTERRUPT,
        // PROTOCOL, SCHEMA pass by themselves.
        _ => match code & 0xff {
            5 | 6 | 7 | 9 | 15 | 17 => Judgement::Unavailable,
            // CORRUPT, NOTADB
            11 | 26 => Judgement::Corrupt,
            // FULL, READONLY, IOERR, CANTOPEN, PERM, AUTH, TOOBIG, CONSTRAINT and
            // the like stay until an operator acts.
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
            table::Judgement::Stays => Judgement::Refused,
            table::Judgement::Damaged => Judgement::Corrupt,
        }
    }

    #[test]
    fn every_failure_is_judged_as_by_the_queue() {
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
            assert_eq!(judge(&error), Judgement::Unavailable);
        }
        assert_eq!(judge(&sqlx::Error::Decode("no UUID".into())), Judgement::Corrupt);
        assert_eq!(judge(&sqlx::Error::RowNotFound), Judgement::Refused);
    }
}
