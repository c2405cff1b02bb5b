use std::time::Duration;

use sqlx::error::DatabaseError;
use sqlx::migrate::MigrateError;
use woody_core::ports::StoreError;

use super::unfit::unfit;

/// The server has not replied for this long.
#[derive(Debug, thiserror::Error)]
#[error("no response within {0:?}")]
pub(super) struct NoAnswer(pub(super) Duration);

/// The server replies, but cannot write.
#[derive(Debug, thiserror::Error)]
#[error("the server is a standby and takes no writes")]
pub(super) struct Standby;

/// The error of a failed call.
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

/// What an error says of the server that it came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sign {
    /// Nothing.
    None,
    /// It may be gone, or cut off.
    Doubtful,
    /// It takes no writes.
    ReadOnly,
}

/// Reads what an error says of its server.
pub(super) fn sign(error: &StoreError) -> Sign {
    let (StoreError::Unavailable(source) | StoreError::Refused(source)) = error else {
        return Sign::None;
    };
    if source.is::<Standby>() {
        return Sign::ReadOnly;
    }
    if source.is::<NoAnswer>() {
        return Sign::Doubtful;
    }
    match source.downcast_ref::<sqlx::Error>() {
        Some(sqlx::Error::Database(error)) => {
            let state = error.code().unwrap_or_default();
            match (&*state, state.get(..2)) {
                ("25006", _) => Sign::ReadOnly,
                // A statement that took too long says nothing; connections, logins, a
                // server that goes or comes do.
                ("57014", _) => Sign::None,
                (_, Some("08" | "28" | "57")) => Sign::Doubtful,
                _ => Sign::None,
            }
        }
        Some(
            sqlx::Error::Io(_)
            | sqlx::Error::Tls(_)
            | sqlx::Error::Protocol(_)
            | sqlx::Error::PoolTimedOut
            | sqlx::Error::WorkerCrashed,
        ) => Sign::Doubtful,
        _ => Sign::None,
    }
}

/// Whether a right is missing, as the error says.
pub(super) fn is_missing_right(error: &sqlx::Error) -> bool {
    error.as_database_error().and_then(DatabaseError::code).is_some_and(|code| code == "42501")
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
        E::Database(error) => error.code().map_or(Judgement::Refused, |state| judge_state(&state)),
        E::Io(_)
        | E::Protocol(_)
        | E::PoolTimedOut
        | E::PoolClosed
        | E::WorkerCrashed
        | E::BeginFailed => Judgement::Unavailable,
        E::Decode(_) | E::ColumnDecode { .. } => Judgement::Corrupt,
        // TLS and configuration among them: they stay until an operator acts.
        _ => Judgement::Refused,
    }
}

/// Judges an SQLSTATE.
fn judge_state(state: &str) -> Judgement {
    // <https://www.postgresql.org/docs/current/errcodes-appendix.html>
    match (state, state.get(..2)) {
        // Of the classes below, what stays until an operator acts: a full disk, a
        // limit of the configuration, a database that was dropped.
        ("53100" | "53400" | "57P04", _) => Judgement::Refused,
        ("XX001" | "XX002", _) => Judgement::Corrupt,
        // A standby; idle in transaction for too long; no lock in time. Then:
        // connections; resources; shutdown, start and statement timeout;
        // deadlocks and the like.
        ("25006" | "25P03" | "25P04" | "55P03", _) | (_, Some("08" | "53" | "57" | "40")) => {
            Judgement::Unavailable
        }
        // Rights, passwords, missing tables, constraints, bad SQL.
        _ => Judgement::Refused,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_state_says_what_the_caller_can_do() {
        for (state, expected) in [
            ("08006", Judgement::Unavailable), // connection_failure
            ("25006", Judgement::Unavailable), // read_only_sql_transaction
            ("25P03", Judgement::Unavailable), // idle_in_transaction_session_timeout
            ("40001", Judgement::Unavailable), // serialization_failure
            ("40P01", Judgement::Unavailable), // deadlock_detected
            ("53200", Judgement::Unavailable), // out_of_memory
            ("53300", Judgement::Unavailable), // too_many_connections
            ("55P03", Judgement::Unavailable), // lock_not_available
            ("57014", Judgement::Unavailable), // query_canceled: statement timeout
            ("57P01", Judgement::Unavailable), // admin_shutdown
            ("57P03", Judgement::Unavailable), // cannot_connect_now
            ("22003", Judgement::Refused),     // numeric_value_out_of_range
            ("23514", Judgement::Refused),     // check_violation
            ("28P01", Judgement::Refused),     // invalid_password
            ("3D000", Judgement::Refused),     // invalid_catalog_name
            ("42501", Judgement::Refused),     // insufficient_privilege
            ("42P01", Judgement::Refused),     // undefined_table
            ("53100", Judgement::Refused),     // disk_full
            ("57P04", Judgement::Refused),     // database_dropped
            ("58030", Judgement::Refused),     // io_error
            ("XX000", Judgement::Refused),     // internal_error
            ("XX001", Judgement::Corrupt),     // data_corrupted
            ("XX002", Judgement::Corrupt),     // index_corrupted
            ("", Judgement::Refused),
        ] {
            assert_eq!(judge_state(state), expected, "{state}");
        }
    }

    #[test]
    fn an_error_says_whether_its_server_is_still_the_one() {
        let of = |error| sign(&Error::from(error).0);
        let reset = std::io::Error::from(std::io::ErrorKind::ConnectionReset);
        assert_eq!(of(sqlx::Error::Io(reset)), Sign::Doubtful);
        assert_eq!(of(sqlx::Error::PoolTimedOut), Sign::Doubtful);
        assert_eq!(of(sqlx::Error::PoolClosed), Sign::None);
        assert_eq!(of(sqlx::Error::RowNotFound), Sign::None);
        assert_eq!(sign(&StoreError::unavailable(Standby)), Sign::ReadOnly);
        let silent = StoreError::unavailable(NoAnswer(Duration::from_secs(1)));
        assert_eq!(sign(&silent), Sign::Doubtful);
        assert_eq!(sign(&StoreError::Corrupt("x".into())), Sign::None);
    }

    #[test]
    fn errors_without_a_state_are_judged_too() {
        let io = std::io::Error::from(std::io::ErrorKind::ConnectionReset);
        assert_eq!(judge(&sqlx::Error::Io(io)), Judgement::Unavailable);
        assert_eq!(judge(&sqlx::Error::PoolTimedOut), Judgement::Unavailable);
        assert_eq!(judge(&sqlx::Error::Protocol("garbage".into())), Judgement::Unavailable);
        assert_eq!(judge(&sqlx::Error::Tls("unknown issuer".into())), Judgement::Refused);
        assert_eq!(judge(&sqlx::Error::Decode("no UUID".into())), Judgement::Corrupt);
    }
}
