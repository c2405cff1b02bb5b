//! From what went wrong to what clients are told: the only file in which an
//! error becomes a status.

use hyper::StatusCode;
use woody_core::{
    domain::{Invalid, python_stamp},
    ports::{BrokerError, StoreError},
    services::{HeavyFailure, IntakeError, Outage},
    workshop::HeavyError,
};

use super::failure::Failure;

/// What went wrong with a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The query has a broken escape or is no UTF-8.
    MalformedQuery,
    /// A parameter that the route needs is not there.
    MissingParameter,
    /// A parameter that the route does not know.
    UnknownParameter,
    /// A parameter that stands twice.
    DuplicateParameter,
    /// The body is no JSON.
    MalformedJson,
    /// The body broke off.
    BrokenBody,
    /// A request of HTTP/1.1 without its one `Host`.
    MalformedHost,
    /// A browser would do this for a stranger, or without being asked.
    NotForBrowsers,
    /// No such route, or nothing of that name behind it.
    NotFound,
    /// The route is there, with other methods.
    MethodNotAllowed,
    /// The route has no form that the client accepts.
    NotAcceptable,
    /// The body took too long to arrive.
    SlowBody,
    /// The body is too large.
    BodyTooLarge,
    /// The address that is asked for is too long.
    TargetTooLong,
    /// The body is of a type that the route does not read.
    UnsupportedMediaType,
    /// The body is compressed.
    UnsupportedCoding,
    /// The body travels in a coding that is not read.
    UnsupportedTransferCoding,
    /// A value that the domain refuses.
    InvalidValue,
    /// An `Idempotency-Key` that stands for another order.
    KeyReused,
    /// A fault of ours.
    Internal,
    /// Too much is going on.
    Overloaded,
    /// What the route needs is away.
    Unavailable,
    /// This process is going down.
    ShuttingDown,
    /// The client has spent its requests.
    RateLimited,
    /// The route took too long.
    TooSlow,
}

impl Kind {
    /// Status, name of the problem's type, and title.
    pub(super) const fn row(self) -> (StatusCode, &'static str, &'static str) {
        use StatusCode as S;
        match self {
            Self::MalformedQuery => (S::BAD_REQUEST, "malformed-query", "Malformed query"),
            Self::MissingParameter => (S::BAD_REQUEST, "missing-parameter", "Missing parameter"),
            Self::UnknownParameter => (S::BAD_REQUEST, "unknown-parameter", "Unknown parameter"),
            Self::DuplicateParameter => {
                (S::BAD_REQUEST, "duplicate-parameter", "Duplicate parameter")
            }
            Self::MalformedJson => (S::BAD_REQUEST, "malformed-json", "Malformed JSON"),
            Self::BrokenBody => (S::BAD_REQUEST, "broken-body", "Broken body"),
            Self::MalformedHost => (S::BAD_REQUEST, "malformed-host", "Malformed Host"),
            Self::NotForBrowsers => (S::FORBIDDEN, "not-for-browsers", "Not for browsers"),
            Self::NotFound => (S::NOT_FOUND, "not-found", "Not found"),
            Self::MethodNotAllowed => {
                (S::METHOD_NOT_ALLOWED, "method-not-allowed", "Method not allowed")
            }
            Self::NotAcceptable => (S::NOT_ACCEPTABLE, "not-acceptable", "Not acceptable"),
            Self::SlowBody => (S::REQUEST_TIMEOUT, "slow-body", "The body took too long"),
            Self::BodyTooLarge => (S::PAYLOAD_TOO_LARGE, "body-too-large", "Body too large"),
            Self::TargetTooLong => (S::URI_TOO_LONG, "target-too-long", "Address too long"),
            Self::UnsupportedMediaType => {
                (S::UNSUPPORTED_MEDIA_TYPE, "unsupported-media-type", "Unsupported media type")
            }
            Self::UnsupportedCoding => {
                (S::UNSUPPORTED_MEDIA_TYPE, "unsupported-coding", "Unsupported content coding")
            }
            Self::UnsupportedTransferCoding => {
                (S::NOT_IMPLEMENTED, "unsupported-transfer-coding", "Unsupported transfer coding")
            }
            Self::InvalidValue => (S::UNPROCESSABLE_ENTITY, "invalid-value", "Invalid value"),
            Self::KeyReused => (S::UNPROCESSABLE_ENTITY, "key-reused", "Idempotency-Key reused"),
            Self::Internal => (S::INTERNAL_SERVER_ERROR, "internal", "Internal error"),
            Self::Overloaded => (S::SERVICE_UNAVAILABLE, "overloaded", "Overloaded"),
            Self::Unavailable => (S::SERVICE_UNAVAILABLE, "unavailable", "Unavailable"),
            Self::ShuttingDown => (S::SERVICE_UNAVAILABLE, "shutting-down", "Shutting down"),
            Self::RateLimited => (S::SERVICE_UNAVAILABLE, "rate-limited", "Rate limit exceeded"),
            Self::TooSlow => (S::GATEWAY_TIMEOUT, "too-slow", "The answer took too long"),
        }
    }

    /// The status that goes with it.
    pub const fn status(self) -> StatusCode {
        self.row().0
    }
}

impl From<Invalid> for Failure {
    fn from(invalid: Invalid) -> Self {
        // `parts` with the problem `[1].width_mm must be …` is about `parts[1].width_mm`.
        match invalid.problem.split_once(' ') {
            Some((place, problem)) if place.starts_with('[') => {
                Self::field(Kind::InvalidValue, format!("{}{place}", invalid.field), problem)
            }
            _ => Self::field(Kind::InvalidValue, invalid.field, &invalid.problem),
        }
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Unavailable(_) => {
                Self::because(Kind::Unavailable, "The store is away. Please try again.", error)
            }
            _ => Self::because(Kind::Internal, "The store could not do this.", error),
        }
    }
}

impl From<BrokerError> for Failure {
    fn from(error: BrokerError) -> Self {
        match error {
            BrokerError::Unavailable(_) => {
                Self::because(Kind::Unavailable, "The broker is away. Please try again.", error)
            }
            BrokerError::Closed => {
                Self::new(Kind::ShuttingDown, "This replica is going down. Please try again.")
            }
            _ => Self::because(Kind::Internal, "The broker could not do this.", error),
        }
    }
}

impl From<IntakeError> for Failure {
    fn from(error: IntakeError) -> Self {
        match error {
            IntakeError::KeyReused => Self::field(
                Kind::KeyReused,
                "Idempotency-Key",
                "was used for another order; use a new one for a new order",
            ),
            IntakeError::Overloaded => {
                Self::new(Kind::Overloaded, "Too many orders are waiting. Please try again.")
            }
            IntakeError::ShuttingDown => {
                Self::new(Kind::ShuttingDown, "This replica is going down. Please try again.")
            }
            IntakeError::Unavailable { ref store, ref broker } => {
                let detail = format!(
                    "Orders cannot be kept now: the store {}, the broker {}. Please try again.",
                    outage(store, StoreError::is_transient),
                    outage(broker, BrokerError::is_transient),
                );
                Self::because(Kind::Unavailable, detail, error)
            }
            _ => Self::because(Kind::Internal, "The order could not be accepted.", error),
        }
    }
}

/// What clients may know of an outage: not what the dependency said.
fn outage<E>(outage: &Outage<E>, is_transient: impl FnOnce(&E) -> bool) -> String {
    let what = match outage.cause().map(is_transient) {
        Some(true) => "is away",
        Some(false) => "refuses",
        None => "does not answer",
    };
    // The microseconds tell a client nothing.
    let since: String = python_stamp(outage.since()).chars().take(19).collect();
    format!("{what}, since {since} UTC")
}

impl From<HeavyError> for Failure {
    fn from(error: HeavyError) -> Self {
        match error {
            HeavyError::Busy => {
                Self::new(Kind::Overloaded, "The workshop is busy. Please try again.")
            }
            HeavyError::Closed => {
                Self::new(Kind::ShuttingDown, "This replica is going down. Please try again.")
            }
            _ => Self::because(Kind::Internal, "The plan could not be made.", error),
        }
    }
}

impl From<HeavyFailure> for Failure {
    fn from(failure: HeavyFailure) -> Self {
        match failure {
            HeavyFailure::Work(error) => error.into(),
            HeavyFailure::Catalogue(ref error) if error.is_transient() => Self::because(
                Kind::Unavailable,
                "The toy's parts cannot be looked up now. Please try again.",
                failure,
            ),
            _ => Self::because(Kind::Internal, "The toy's parts cannot be read.", failure),
        }
    }
}
