//! From an error to what clients see of it: the only file in which one becomes the other.

use woody_core::{
    domain::{DetailsError, Invalid, python_stamp},
    ports::{BrokerError, StoreError},
    services::{HeavyFailure, IntakeError, Outage},
    workshop::HeavyError,
};

use super::{failure::Failure, field_error::FieldError, kind::FailureKind};

impl From<Invalid> for Failure {
    fn from(invalid: Invalid) -> Self {
        Self::fields(FailureKind::InvalidValue, vec![FieldError::from(&invalid)])
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Unavailable(_) => Self::because(
                FailureKind::Unavailable,
                "The store is unavailable. Please try again.",
                error,
            ),
            _ => Self::because(FailureKind::Internal, "The store could not do this.", error),
        }
    }
}

impl From<BrokerError> for Failure {
    fn from(error: BrokerError) -> Self {
        match error {
            BrokerError::Unavailable(_) => Self::because(
                FailureKind::Unavailable,
                "The broker is unavailable. Please try again.",
                error,
            ),
            BrokerError::Closed => Self::new(
                FailureKind::ShuttingDown,
                "This replica is going down. Please try again.",
            ),
            _ => Self::because(FailureKind::Internal, "The broker could not do this.", error),
        }
    }
}

impl From<DetailsError> for Failure {
    fn from(error: DetailsError) -> Self {
        match error {
            DetailsError::Invalid(invalid) => invalid.into(),
            DetailsError::SeveralInvalid(ref all) => {
                Self::fields(FailureKind::InvalidValue, all.iter().map(FieldError::from).collect())
            }
            DetailsError::Unreadable { path, problem } => {
                Self::field(FailureKind::InvalidValue, path, format!("cannot be read: {problem}"))
            }
            DetailsError::TooLarge { .. } => {
                Self::new(FailureKind::BodyTooLarge, error.to_string())
            }
            _ => Self::new(FailureKind::InvalidValue, error.to_string()),
        }
    }
}

impl From<IntakeError> for Failure {
    fn from(error: IntakeError) -> Self {
        match error {
            IntakeError::Details(error) => error.into(),
            IntakeError::KeyReused => Self::field(
                FailureKind::KeyReused,
                "Idempotency-Key",
                "was used for another order; use a new one for a new order",
            ),
            IntakeError::Overloaded => {
                Self::new(FailureKind::Overloaded, "Too many orders are waiting. Please try again.")
            }
            IntakeError::Backlogged { retry_after } => {
                // Whole seconds, none of which is too early.
                let seconds = retry_after.as_secs() + u64::from(retry_after.subsec_nanos() > 0);
                let seconds = u32::try_from(seconds.max(1)).unwrap_or(u32::MAX);
                let detail = format!(
                    "An order that comes now would wait too long. Please try again in {seconds} s."
                );
                Self::new(FailureKind::Overloaded, detail).retry_after_s(seconds)
            }
            IntakeError::ShuttingDown => Self::new(
                FailureKind::ShuttingDown,
                "This replica is going down. Please try again.",
            ),
            IntakeError::Unavailable { ref store, ref broker } => {
                let detail = format!(
                    "Orders cannot be kept now: the store {}, the broker {}. Please try again.",
                    outage(store, StoreError::is_transient),
                    outage(broker, BrokerError::is_transient),
                );
                Self::because(FailureKind::Unavailable, detail, error)
            }
            _ => Self::because(FailureKind::Internal, "The order could not be accepted.", error),
        }
    }
}

/// What clients may know of an outage: not what the dependency said.
fn outage<E>(outage: &Outage<E>, is_transient: impl FnOnce(&E) -> bool) -> String {
    let what = match outage.cause().map(is_transient) {
        Some(true) => "is unavailable",
        Some(false) => "refuses",
        None => "does not respond",
    };
    // Microseconds are of no use to a client.
    let since: String = python_stamp(outage.since()).chars().take(19).collect();
    format!("{what}, since {since} UTC")
}

impl From<HeavyError> for Failure {
    fn from(error: HeavyError) -> Self {
        match error {
            HeavyError::Busy => {
                Self::new(FailureKind::Overloaded, "The workshop is busy. Please try again.")
            }
            HeavyError::TookTooLong => Self::because(
                FailureKind::Overloaded,
                "No plan was found in the time that one may take. Please try again.",
                error,
            ),
            HeavyError::Closed => Self::new(
                FailureKind::ShuttingDown,
                "This replica is going down. Please try again.",
            ),
            _ => Self::because(FailureKind::Internal, "The plan could not be made.", error),
        }
    }
}

impl From<HeavyFailure> for Failure {
    fn from(failure: HeavyFailure) -> Self {
        match failure {
            HeavyFailure::Work(error) => error.into(),
            HeavyFailure::Catalogue(ref error) if error.is_transient() => Self::because(
                FailureKind::Unavailable,
                "The toy's parts cannot be looked up now. Please try again.",
                failure,
            ),
            _ => Self::because(FailureKind::Internal, "The toy's parts cannot be read.", failure),
        }
    }
}
