use sqlx::migrate::MigrateError;
use woody_core::ports::StoreError;

/// A failed call, on its way out.
#[derive(Debug)]
pub(super) struct Error(pub(super) StoreError);

impl From<StoreError> for Error {
    fn from(error: StoreError) -> Self {
        Self(error)
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
        E::PoolTimedOut | E::PoolClosed | E::WorkerCrashed | E::BeginFailed => Kind::Unavailable,
        E::Decode(_) | E::ColumnDecode { .. } => Kind::Corrupt,
        _ => Kind::Refused,
    }
}

const BUSY: u32 = 5;
const LOCKED: u32 = 6;
const NOMEM: u32 = 7;
const INTERRUPT: u32 = 9;
const CORRUPT: u32 = 11;
/// Lost a race for the log's lock, again and again.
const PROTOCOL: u32 = 15;
/// Another process changed the schema meanwhile.
const SCHEMA: u32 = 17;
const NOTADB: u32 = 26;

/// What the caller can do about a result code of SQLite, extended or not:
/// <https://sqlite.org/rescode.html>.
fn kind_of_code(code: u32) -> Kind {
    // The low byte is the primary code.
    match code & 0xff {
        BUSY | LOCKED | NOMEM | INTERRUPT | PROTOCOL | SCHEMA => Kind::Unavailable,
        CORRUPT | NOTADB => Kind::Corrupt,
        // FULL, READONLY, IOERR, CANTOPEN, PERM, AUTH, TOOBIG, CONSTRAINT and
        // the like stay until somebody acts.
        _ => Kind::Refused,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_code_says_what_the_caller_can_do() {
        for (code, expected) in [
            (5, Kind::Unavailable),   // BUSY
            (517, Kind::Unavailable), // BUSY_SNAPSHOT
            (6, Kind::Unavailable),   // LOCKED
            (15, Kind::Unavailable),  // PROTOCOL
            (1, Kind::Refused),       // ERROR: no such table
            (8, Kind::Refused),       // READONLY
            (264, Kind::Refused),     // READONLY_RECOVERY
            (1034, Kind::Refused),    // IOERR_FSYNC
            (13, Kind::Refused),      // FULL
            (14, Kind::Refused),      // CANTOPEN
            (1555, Kind::Refused),    // CONSTRAINT_PRIMARYKEY
            (11, Kind::Corrupt),      // CORRUPT
            (267, Kind::Corrupt),     // CORRUPT_VTAB
            (26, Kind::Corrupt),      // NOTADB
        ] {
            assert_eq!(kind_of_code(code), expected, "{code}");
        }
    }

    #[test]
    fn errors_without_a_code_have_a_kind_too() {
        assert_eq!(kind(&sqlx::Error::PoolTimedOut), Kind::Unavailable);
        assert_eq!(kind(&sqlx::Error::WorkerCrashed), Kind::Unavailable);
        assert_eq!(kind(&sqlx::Error::Decode("no UUID".into())), Kind::Corrupt);
        assert_eq!(kind(&sqlx::Error::RowNotFound), Kind::Refused);
    }
}
