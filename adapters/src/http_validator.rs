//! A validator that asks an HTTP service: a payment or fraud check, say.
//!
//! It posts the order's id and its details as one object, of a toy
//! `{"order_id": "…", "product": "…", "quantity": 2}`, and expects
//! `{"verdict": "success"}` or `{"verdict": "rejected", "reason": "…"}`, the
//! reason optional with a success too. The order's id is also sent as
//! `Idempotency-Key`, since a delivery may come twice.

use std::{
    fmt,
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use async_trait::async_trait;
use http_body_util::{BodyExt, Full, Limited};
use hyper::{
    Request, StatusCode, Uri,
    header::{CONTENT_TYPE, HeaderName},
};
use hyper_util::client::legacy::connect::{HttpConnector, dns::GaiResolver};
use serde::Deserialize;
use woody_core::{
    domain::{Details, NewOrder, OrderDetails, OrderMessage, Reason, TraceContext},
    ports::{ValidateError, Validator, Verdict},
    resilience::{BreakerConfig, CircuitBreaker, RetryDelays},
    validation::Guarded,
};

use crate::{
    config::ConfigError,
    http_client::{self, HttpClient, address},
};

/// The longest response that is read, in bytes.
const MAX_ANSWER: usize = 16 * 1024;

/// The longest that a breaker keeps orders from finding out that the service is back.
const LONGEST_OPENING: Duration = Duration::from_secs(5);

/// Asks an HTTP service about each order.
///
/// A call has a time limit and is repeated twice when it failed for now. When
/// the service fails for one order after the other, a circuit breaker stops asking it
/// for a while; orders wait then, at no attempt's cost.
///
/// | outcome | means | the order |
/// | --- | --- | --- |
/// | 2xx with a verdict | | ends |
/// | cannot be reached (DNS, TCP, TLS, no file descriptor) | the service is unavailable | waits, no attempt counted |
/// | 3xx, 401, 403, 404, 405, 407, 408, 421, 425, 426, 429, 501 to 504, 511 | most likely an operator's problem | comes again and is not given up, unless others succeed meanwhile |
/// | 500 and others, no response in time, a cut, a response that cannot be read | this order makes it fail, perhaps | an attempt, unless no order succeeds |
/// | 400, 409, 410, 413, 415, 422 and other 4xx | it refuses this order | `Failed` at once if it has reached a verdict before, otherwise an attempt |
///
/// ```
/// use std::time::Duration;
/// use woody_adapters::http_validator::HttpValidator;
///
/// let validator = HttpValidator::new("https://fraud.example/orders", Duration::from_secs(5))?;
/// assert!(HttpValidator::new("fraud.example", Duration::from_secs(5)).is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct HttpValidator {
    service: Guarded<Service>,
}

impl fmt::Debug for HttpValidator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpValidator").finish_non_exhaustive()
    }
}

/// The service, called until it responds or the tries are used up.
struct Service {
    client: HttpClient<GaiResolver>,
    url: Uri,
    /// For each try.
    timeout: Duration,
    /// Whether it has ever reached a verdict: what never did is set up wrongly, perhaps.
    has_worked: AtomicBool,
}

#[derive(Deserialize)]
#[serde(tag = "verdict", rename_all = "lowercase")]
enum Answer {
    Success {
        #[serde(default)]
        reason: Option<Reason>,
    },
    Rejected {
        reason: Reason,
    },
}

impl From<Answer> for Verdict {
    fn from(answer: Answer) -> Self {
        match answer {
            Answer::Success { reason } => Self::Success(reason),
            Answer::Rejected { reason } => Self::Rejected(reason),
        }
    }
}

impl HttpValidator {
    /// How often one question is asked at most.
    pub const TRIES: u32 = 3;

    /// A validator that asks `url` (`http` or `https`), [`TRIES`](Self::TRIES) times at
    /// most, and has `timeout` for all of them and the pauses between.
    ///
    /// # Errors
    /// [`ConfigError`] when `url` is not an absolute HTTP URL.
    pub fn new(url: &str, timeout: Duration) -> Result<Self, ConfigError> {
        let invalid = || {
            ConfigError::new("WOODY_VALIDATOR_URL must be an absolute URL, http://… or https://…")
        };
        let url: Uri = url.parse().map_err(|_| invalid())?;
        if !matches!(url.scheme_str(), Some("http" | "https")) || url.host().is_none() {
            return Err(invalid());
        }
        let each = timeout / (Self::TRIES + 1);
        let mut tcp = HttpConnector::new();
        // Sooner than the try: a service that cannot be reached is told from one that does not respond.
        tcp.set_connect_timeout(Some(each / 2));
        let client = http_client::over(tcp, 64)?;
        let name = address(&url);
        let service = Service { client, url, timeout: each, has_worked: AtomicBool::new(false) };
        let breaker = BreakerConfig::default().open_at_most(LONGEST_OPENING);
        let guarded = Guarded::new(name, service, CircuitBreaker::new(breaker), timeout);
        Ok(Self { service: guarded })
    }
}

impl Service {
    fn silence(&self) -> ValidateError {
        let text = format!("the validation service gave no response within {:?}", self.timeout);
        ValidateError::Transient(text.into())
    }

    async fn ask<D: OrderDetails>(&self, order: &NewOrder<D>) -> Result<Verdict, ValidateError> {
        let asked = order.encode(Details::LARGEST).map_err(|e| undecided(&e))?;
        let question = OrderMessage { accepted_at: None, ..OrderMessage::from(&asked) };
        let mut request = Request::post(self.url.clone());
        if let Some(trace) = order.trace {
            request = request.header(TraceContext::HEADER, trace.to_string());
        }
        let request = request
            .header(CONTENT_TYPE, "application/json")
            .header(HeaderName::from_static("idempotency-key"), order.id.to_string())
            .body(Full::from(question.to_bytes()))
            .map_err(|e| undecided(&e))?;
        let response = self.client.request(request).await.map_err(|e| unanswered(&e))?;
        let status = response.status();
        let body = Limited::new(response.into_body(), MAX_ANSWER).collect().await;
        let body = body.map_err(|e| ValidateError::Transient(told(e.as_ref())))?.to_bytes();
        let answer = read_answer(status, &body, self.has_worked.load(Ordering::Relaxed));
        if answer.is_ok() {
            self.has_worked.store(true, Ordering::Relaxed);
        }
        answer
    }
}

#[async_trait]
impl<D: OrderDetails> Validator<D> for Service {
    async fn validate(&self, order: &NewOrder<D>) -> Result<Verdict, ValidateError> {
        let mut delays = RetryDelays::new(Duration::from_millis(50), Duration::from_secs(1));
        let mut tries = 0;
        loop {
            tries += 1;
            let answer = tokio::time::timeout(self.timeout, self.ask(order)).await;
            match answer.unwrap_or_else(|_elapsed| Err(self.silence())) {
                Err(error) if error.is_transient() && tries < HttpValidator::TRIES => {
                    tokio::time::sleep(delays.next_delay()).await;
                }
                answer => return answer,
            }
        }
    }
}

#[async_trait]
impl<D: OrderDetails> Validator<D> for HttpValidator {
    async fn validate(&self, order: &NewOrder<D>) -> Result<Verdict, ValidateError> {
        self.service.validate(order).await
    }
}

/// Whether a service that responds like this is more likely set up wrongly, or
/// overloaded, than asked about an odd order.
fn is_an_operators(status: StatusCode) -> bool {
    status.is_redirection()
        || matches!(
            status.as_u16(),
            401 | 403 | 404 | 405 | 407 | 408 | 421 | 425 | 426 | 429 | 501..=504 | 511
        )
}

fn read_answer(
    status: StatusCode,
    body: &[u8],
    has_worked: bool,
) -> Result<Verdict, ValidateError> {
    if status.is_success() {
        return serde_json::from_slice::<Answer>(body).map(Verdict::from).map_err(|error| {
            let text = format!("the validation service's response cannot be read: {error}");
            ValidateError::Transient(text.into())
        });
    }
    let said = Reason::new(format!("the validation service answered {status}"));
    Err(if is_an_operators(status) {
        ValidateError::Undecided(said)
    } else if status.is_client_error() && has_worked {
        ValidateError::Permanent(said)
    } else {
        ValidateError::Transient(said)
    })
}

/// The request was never sent, or got no response.
fn unanswered(error: &hyper_util::client::legacy::Error) -> ValidateError {
    if error.is_connect() {
        ValidateError::Unavailable(told(error))
    } else {
        ValidateError::Transient(told(error))
    }
}

fn undecided(error: &(dyn std::error::Error + 'static)) -> ValidateError {
    ValidateError::Undecided(told(error))
}

fn told(error: &(dyn std::error::Error + 'static)) -> Reason {
    http_client::told("the validation service cannot be asked", error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_read_or_refused() {
        let ok = StatusCode::OK;
        let read_answer = |status, body| read_answer(status, body, false);
        assert_eq!(read_answer(ok, br#"{"verdict": "success"}"#), Ok(Verdict::Success(None)));
        assert_eq!(
            read_answer(ok, br#"{"verdict": "rejected", "reason": "no credit"}"#),
            Ok(Verdict::Rejected("no credit".into()))
        );
        for bad in [&b"yes"[..], b"{}", br#"{"verdict": "rejected"}"#] {
            assert!(matches!(read_answer(ok, bad), Err(ValidateError::Transient(_))));
        }
    }

    #[test]
    fn an_operators_problem_is_no_orders_end() {
        for status in [301, 401, 403, 404, 405, 408, 429, 501, 502, 503, 504] {
            let status = StatusCode::from_u16(status).unwrap();
            for has_worked in [false, true] {
                let error = read_answer(status, b"", has_worked).unwrap_err();
                assert!(matches!(error, ValidateError::Undecided(_)), "{status}: {error:?}");
            }
        }
    }

    #[test]
    fn a_refusal_is_final_only_from_a_service_that_has_worked() {
        for status in [400, 409, 413, 415, 422] {
            let status = StatusCode::from_u16(status).unwrap();
            assert!(read_answer(status, b"", false).unwrap_err().is_transient(), "{status}");
            assert!(!read_answer(status, b"", true).unwrap_err().is_transient(), "{status}");
        }
        let crashed = read_answer(StatusCode::INTERNAL_SERVER_ERROR, b"", true).unwrap_err();
        assert!(matches!(crashed, ValidateError::Transient(_)), "{crashed:?}");
    }

    #[test]
    fn the_address_of_a_service_tells_no_secret() {
        let url: Uri = "https://shop:pass@fraud.example:8443/check?key=secret".parse().unwrap();
        assert_eq!(address(&url), "https://fraud.example:8443/check");
    }

    #[test]
    fn a_url_without_a_host_is_refused() {
        for bad in ["", "payments", "/check", "ftp://host/x"] {
            assert!(HttpValidator::new(bad, Duration::from_secs(1)).is_err(), "{bad}");
        }
    }
}
