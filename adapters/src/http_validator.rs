//! A validator that asks an HTTP service: a payment or fraud check, say.
//!
//! It posts `{"order_id": "…", "product": "…", "quantity": 2}` and expects
//! `{"verdict": "success"}` or `{"verdict": "rejected", "reason": "…"}`, the
//! reason optional with a success too. The order's id is also sent as
//! `Idempotency-Key`, since a delivery may come twice.

use std::time::Duration;

use async_trait::async_trait;
use http_body_util::{BodyExt, Full, Limited};
use hyper::{
    Request, StatusCode, Uri,
    body::Bytes,
    header::{CONTENT_TYPE, HeaderName},
};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::{TokioExecutor, TokioTimer},
};
use serde::{Deserialize, Serialize};
use woody_core::{
    domain::{NewOrder, OrderId, ProductName, Quantity, Reason},
    ports::{ValidateError, Validator, Verdict},
    resilience::{CircuitBreaker, RetryDelays},
    validation::Guarded,
};

use crate::config::ConfigError;

/// The longest answer that is read, in bytes.
const MAX_ANSWER: usize = 16 * 1024;

/// Asks an HTTP service about each order.
///
/// A call has a time limit and is repeated twice when it failed for now. When
/// the service keeps failing, a circuit breaker stops asking it for a while;
/// orders wait then, at no attempt's cost.
pub struct HttpValidator {
    service: Guarded<Service>,
}

/// The service, asked once.
struct Service {
    client: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
    url: Uri,
}

#[derive(Serialize)]
struct Question<'a> {
    order_id: OrderId,
    product: &'a ProductName,
    quantity: Quantity,
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

    /// A validator that asks `url` (`http` or `https`) and waits `timeout` for
    /// each answer.
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
        let connector = HttpsConnectorBuilder::new()
            .with_provider_and_webpki_roots(rustls::crypto::ring::default_provider())
            .map_err(|error| ConfigError::because("TLS cannot start", &error))?
            .https_or_http()
            .enable_http1()
            .build();
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_max_idle_per_host(64)
            .build(connector);
        let service = Service { client, url };
        Ok(Self { service: Guarded::new(service, CircuitBreaker::default(), timeout) })
    }
}

#[async_trait]
impl Validator for Service {
    async fn validate(&self, order: &NewOrder) -> Result<Verdict, ValidateError> {
        let question =
            Question { order_id: order.id, product: &order.product, quantity: order.quantity };
        let body = serde_json::to_vec(&question).map_err(|e| permanent(e.to_string()))?;
        let request = Request::post(self.url.clone())
            .header(CONTENT_TYPE, "application/json")
            .header(HeaderName::from_static("idempotency-key"), order.id.to_string())
            .body(Full::from(body))
            .map_err(|e| permanent(e.to_string()))?;
        let response = self.client.request(request).await.map_err(|e| transient(&e))?;
        let status = response.status();
        let body = Limited::new(response.into_body(), MAX_ANSWER).collect().await;
        let body = body.map_err(|e| transient(e.as_ref()))?.to_bytes();
        read_answer(status, &body)
    }
}

#[async_trait]
impl Validator for HttpValidator {
    async fn validate(&self, order: &NewOrder) -> Result<Verdict, ValidateError> {
        let mut delays = RetryDelays::new(Duration::from_millis(50), Duration::from_secs(1));
        for _ in 1..Self::TRIES {
            match self.service.validate(order).await {
                Err(ValidateError::Transient(_)) => tokio::time::sleep(delays.next_delay()).await,
                answer => return answer,
            }
        }
        self.service.validate(order).await
    }
}

fn read_answer(status: StatusCode, body: &[u8]) -> Result<Verdict, ValidateError> {
    if status.is_success() {
        return serde_json::from_slice::<Answer>(body).map(Verdict::from).map_err(|error| {
            permanent(format!("the validation service's answer cannot be read: {error}"))
        });
    }
    let said = Reason::new(format!("the validation service answered {status}"));
    let for_now = matches!(
        status,
        StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_EARLY | StatusCode::TOO_MANY_REQUESTS
    );
    Err(if status.is_server_error() || for_now {
        ValidateError::Transient(said)
    } else {
        ValidateError::Permanent(said)
    })
}

fn permanent(problem: String) -> ValidateError {
    ValidateError::Permanent(problem.into())
}

fn transient(error: &(dyn std::error::Error + 'static)) -> ValidateError {
    let mut text = format!("the validation service cannot be asked: {error}");
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    ValidateError::Transient(Reason::new(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_read_or_refused() {
        let ok = StatusCode::OK;
        assert_eq!(read_answer(ok, br#"{"verdict": "success"}"#), Ok(Verdict::Success(None)));
        assert_eq!(
            read_answer(ok, br#"{"verdict": "rejected", "reason": "no credit"}"#),
            Ok(Verdict::Rejected("no credit".into()))
        );
        for bad in [&b"yes"[..], b"{}", br#"{"verdict": "rejected"}"#] {
            assert!(matches!(read_answer(ok, bad), Err(ValidateError::Permanent(_))));
        }
    }

    #[test]
    fn only_what_may_pass_is_tried_again() {
        for (status, again) in [(500, true), (503, true), (429, true), (404, false), (401, false)] {
            let status = StatusCode::from_u16(status).unwrap();
            assert_eq!(read_answer(status, b"").unwrap_err().is_transient(), again, "{status}");
        }
    }

    #[test]
    fn a_url_without_a_host_is_refused() {
        for bad in ["", "payments", "/check", "ftp://host/x"] {
            assert!(HttpValidator::new(bad, Duration::from_secs(1)).is_err(), "{bad}");
        }
    }
}
