//! The kinds of failures, and the status of each.

use hyper::StatusCode;

/// What went wrong with a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FailureKind {
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
    /// A `Host` that is no name of the service.
    UnknownHost,
    /// A browser would do this for a stranger, or without being asked.
    NotForBrowsers,
    /// A browser would change something for another site's page.
    ForeignOrigin,
    /// A route for clients with a key, and the request has none.
    KeyMissing,
    /// A key that is no client's.
    KeyUnknown,
    /// A client's key that is for other things.
    ScopeMissing,
    /// No such route, or nothing of that name behind it.
    NotFound,
    /// The route is there, with other methods.
    MethodNotAllowed,
    /// An order that is to be cancelled and had ended in another way.
    AlreadyEnded,
    /// The route has no form that the client accepts.
    NotAcceptable,
    /// The body took too long to arrive.
    SlowBody,
    /// The body is too large.
    BodyTooLarge,
    /// A batch of nothing.
    EmptyBatch,
    /// A batch of too many things.
    BatchTooLarge,
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
    /// What the route needs is unavailable.
    Unavailable,
    /// This process is going down.
    ShuttingDown,
    /// The client has spent its requests, and is told so as the original system did: 503.
    RateLimited,
    /// The client has spent its requests, and is told so by a problem of 429.
    TooManyRequests,
    /// The route took too long.
    TooSlow,
}

impl FailureKind {
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
            Self::UnknownHost => (S::MISDIRECTED_REQUEST, "unknown-host", "Unknown host"),
            Self::ForeignOrigin => (S::FORBIDDEN, "foreign-origin", "Foreign origin"),
            Self::NotForBrowsers => (S::FORBIDDEN, "not-for-browsers", "Not for browsers"),
            Self::KeyMissing => (S::UNAUTHORIZED, "missing-key", "Missing key"),
            Self::KeyUnknown => (S::UNAUTHORIZED, "unknown-key", "Unknown key"),
            Self::ScopeMissing => (S::FORBIDDEN, "missing-scope", "Missing scope"),
            Self::NotFound => (S::NOT_FOUND, "not-found", "Not found"),
            Self::MethodNotAllowed => {
                (S::METHOD_NOT_ALLOWED, "method-not-allowed", "Method not allowed")
            }
            Self::AlreadyEnded => (S::CONFLICT, "already-ended", "Already ended"),
            Self::NotAcceptable => (S::NOT_ACCEPTABLE, "not-acceptable", "Not acceptable"),
            Self::SlowBody => (S::REQUEST_TIMEOUT, "slow-body", "The body took too long"),
            Self::EmptyBatch => (S::BAD_REQUEST, "empty-batch", "Empty batch"),
            Self::BatchTooLarge => (S::PAYLOAD_TOO_LARGE, "batch-too-large", "Batch too large"),
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
            Self::TooManyRequests => (S::TOO_MANY_REQUESTS, "rate-limited", "Rate limit exceeded"),
            Self::TooSlow => (S::GATEWAY_TIMEOUT, "too-slow", "The response took too long"),
        }
    }

    /// Returns the name of the problem's type, the last word of its URN.
    pub(in crate::http) const fn slug(self) -> &'static str {
        self.row().1
    }

    /// The status that goes with it.
    pub const fn status(self) -> StatusCode {
        self.row().0
    }
}
