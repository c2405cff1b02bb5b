use std::time::Duration;

use sqlx::error::DatabaseError;
use sqlx::migrate::MigrateError;
use woody_core::ports::StoreError;

use super::unfit::unfit;

/// The server has said nothing for this long.
#[derive(Debug, thiserror::Error)]
#[error("no answer within {0:?}")]
pub(super) struct NoAnswer(pub(super) Duration);

/// The server answers, but cannot write.
#[derive(Debug, thiserror::Error)]
#[error("the server is a standby and takes no writes")]
pub(super) struct Standby;

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
        if let Some(unfit) = unfit(&error) {
            return Self(StoreError::refused(unfit));
        }
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

/// Whether a right is missing.
pub(super) fn is_missing_right(error: &sqlx::Error) -> bool {
    error.as_database_error().and_then(DatabaseError::code).is_some_and(|code| code == "42501")
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
        E::Database(error) => error.code().map_or(Kind::Refused, |state| kind_of_state(&state)),
        E::Io(_)
        | E::Protocol(_)
        | E::PoolTimedOut
        | E::PoolClosed
        | E::WorkerCrashed
        | E::BeginFailed => Kind::Unavailable,
        E::Decode(_) | E::ColumnDecode { .. } => Kind::Corrupt,
        // TLS and configuration among them: they stay until somebody acts.
        _ => Kind::Refused,
    }
}

/// What the caller can do about an SQLSTATE.
fn kind_of_state(state: &str) -> Kind {
    // <https://www.postgresql.org/docs/current/errcodes-appendix.html>
    match (state, state.get(..2)) {
        // Of the classes below, what stays until somebody acts: a full disk, a
        // limit of the configuration, a database that was dropped.
        ("53100" | "53400" | "57P04", _) => Kind::Refused,
        ("XX001" | "XX002", _) => Kind::Corrupt,
        // A standby; idle in transaction for too long; no lock in time. Then:
        // connections; resources; shutdown, start and statement timeout;
        // deadlocks and the like.
        ("25006" | "25P03" | "25P04" | "55P03", _) | (_, Some("08" | "53" | "57" | "40")) => {
            Kind::Unavailable
        }
        // Rights, passwords, missing tables, constraints, bad SQL.
        _ => Kind::Refused,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_state_says_what_the_caller_can_do() {
        for (state, expected) in [
            ("08006", Kind::Unavailable), // connection_failure
            ("25006", Kind::Unavailable), // read_only_sql_transaction
            ("25P03", Kind::Unavailable), // idle_in_transaction_session_timeout
            ("40001", Kind::Unavailable), // serialization_failure
            ("40P01", Kind::Unavailable), // deadlock_detected
            ("53200", Kind::Unavailable), // out_of_memory
            ("53300", Kind::Unavailable), // too_many_connections
            ("55P03", Kind::Unavailable), // lock_not_available
            ("57014", Kind::Unavailable), // query_canceled: statement timeout
            ("57P01", Kind::Unavailable), // admin_shutdown
            ("57P03", Kind::Unavailable), // cannot_connect_now
            ("22003", Kind::Refused),     // numeric_value_out_of_range
            ("23514", Kind::Refused),     // check_violation
            ("28P01", Kind::Refused),     // invalid_password
            ("3D000", Kind::Refused),     // invalid_catalog_name
            ("42501", Kind::Refused),     // insufficient_privilege
            ("42P01", Kind::Refused),     // undefined_table
            ("53100", Kind::Refused),     // disk_full
            ("57P04", Kind::Refused),     // database_dropped
            ("58030", Kind::Refused),     // io_error
            ("XX000", Kind::Refused),     // internal_error
            ("XX001", Kind::Corrupt),     // data_corrupted
            ("XX002", Kind::Corrupt),     // index_corrupted
            ("", Kind::Refused),
        ] {
            assert_eq!(kind_of_state(state), expected, "{state}");
        }
    }

    #[test]
    fn errors_without_a_state_have_a_kind_too() {
        let io = std::io::Error::from(std::io::ErrorKind::ConnectionReset);
        assert_eq!(kind(&sqlx::Error::Io(io)), Kind::Unavailable);
        assert_eq!(kind(&sqlx::Error::PoolTimedOut), Kind::Unavailable);
        assert_eq!(kind(&sqlx::Error::Protocol("garbage".into())), Kind::Unavailable);
        assert_eq!(kind(&sqlx::Error::Tls("unknown issuer".into())), Kind::Refused);
        assert_eq!(kind(&sqlx::Error::Decode("no UUID".into())), Kind::Corrupt);
    }
}
