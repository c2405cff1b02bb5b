use std::io;

use sqlx::migrate::MigrateError;
use woody_core::ports::StoreError;
use woody_core::resilience::Displaced;

/// A failed call, on its way out.
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
        Self(match kind(&error) {
            Kind::Unavailable => StoreError::unavailable(error),
            Kind::Refused => StoreError::refused(error),
            Kind::Corrupt => StoreError::Corrupt(error.to_string()),
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

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Unavailable,
    Refused,
    Corrupt,
}

fn kind(error: &sqlx::Error) -> Kind {
    use sqlx::Error as E;
    match error {
        E::Database(error) => {
            let code = error.code().and_then(|code| code.parse().ok());
            code.map_or(Kind::Refused, kind_of_code)
        }
        E::Io(error) => kind_of_io(error.kind()),
        E::PoolTimedOut | E::PoolClosed | E::WorkerCrashed | E::BeginFailed => Kind::Unavailable,
        E::Decode(_) | E::ColumnDecode { .. } => Kind::Corrupt,
        _ => Kind::Refused,
    }
}

/// What the caller can do about a result code of SQLite, extended or not. Held to
/// the same judgement as the queue's by `woody_core::contract::sqlite`.
fn kind_of_code(code: u32) -> Kind {
    const IOERR_NOMEM: u32 = 3082;
    const IOERR_CORRUPTFS: u32 = 8458;
    match code {
        IOERR_NOMEM => Kind::Unavailable,
        IOERR_CORRUPTFS => Kind::Corrupt,
        // The low byte is the primary code. BUSY, LOCKED, NOMEM, INTERRUPT,
        // PROTOCOL, SCHEMA pass by themselves.
        _ => match code & 0xff {
            5 | 6 | 7 | 9 | 15 | 17 => Kind::Unavailable,
            // CORRUPT, NOTADB
            11 | 26 => Kind::Corrupt,
            // FULL, READONLY, IOERR, CANTOPEN, PERM, AUTH, TOOBIG, CONSTRAINT and
            // the like stay until somebody acts.
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
            Judgement::Stays => Kind::Refused,
            Judgement::Damaged => Kind::Corrupt,
        }
    }

    #[test]
    fn every_failure_is_judged_as_by_the_queue() {
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
            assert_eq!(kind(&error), Kind::Unavailable);
        }
        assert_eq!(kind(&sqlx::Error::Decode("no UUID".into())), Kind::Corrupt);
        assert_eq!(kind(&sqlx::Error::RowNotFound), Kind::Refused);
    }
}
