//! Tells a receiver of each end of an order by a signed `POST`, as
//! [Standard Webhooks](https://www.standardwebhooks.com) has it.
//!
//! ```text
//! POST /hooks HTTP/1.1
//! content-type: application/json
//! webhook-id: 01993c5e-58b8-7c1e-8000-5d3c0a7f1b2c_success
//! webhook-timestamp: 1764417600
//! webhook-signature: v1,K5oZfzN95Z9UVu1EsfQmfVNQhnkZ2pj9o9NDN/H/pI4=
//!
//! {"type":"order.success","timestamp":"…","data":{"order_id":"…","product":"Train","quantity":2,"status":"success",…}}
//! ```
//!
//! `data` is the order as the API shows it, as it ended. The id is the same in every attempt; the timestamp is that of
//! the attempt. While two secrets are valid there are two signatures, with a space between them.

mod addresses;
mod response;
mod secret;

use std::{fmt, net::IpAddr, time::Duration};

use async_trait::async_trait;
use http_body_util::{BodyExt, Full, Limited};
use hyper::{
    Request, Uri,
    body::{Bytes, Incoming},
    header::{CONTENT_TYPE, HeaderName, USER_AGENT},
};
use hyper_util::client::legacy::{Error, connect::HttpConnector};
use serde::Serialize;
use time::OffsetDateTime;
use woody_core::{
    domain::{OrderDetails, TraceContext},
    ports::{Notifier, NotifyError, OrderNotice},
    services::TrackedOrder,
};

pub use self::secret::WebhookSecret;
use self::{
    addresses::{AllowedAddresses, is_public, refusal},
    response::judge,
};
use crate::{
    config::ConfigError,
    http::OrderView,
    http_client::{self, HttpClient},
};

/// So much of a response's body is read, so that its connection can be used again; beyond it the connection is closed.
const MAX_BODY: usize = 16 * 1024;

/// How long a body may take that nobody needs.
const BODY_WITHIN: Duration = Duration::from_secs(1);

/// What a webhook may do that it may not by default.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct WebhookRights {
    /// Whether it may be sent to this machine, and to private networks.
    pub private: bool,
    /// Whether it may be sent in the open: by `http`.
    pub http: bool,
}

/// Sends each end of an order to one URL.
///
/// | response | the notice |
/// | --- | --- |
/// | 2xx | is delivered |
/// | 410 | is dead at once: the receiver wants no more of it |
/// | 429, 503 with `Retry-After` | comes again then, within a day, but not sooner than after our own pause |
/// | any other, a redirect too; none; none in time | comes again after our own pause |
///
/// ```
/// use woody_adapters::webhook::{Webhook, WebhookRights, WebhookSecret};
///
/// let secret = WebhookSecret::parse("SECRET", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")?;
/// let rights = WebhookRights::default();
/// assert!(Webhook::new("https://erp.example/hooks", vec![secret.clone()], rights).is_ok());
/// assert!(Webhook::new("http://169.254.169.254/", vec![secret], rights).is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Webhook {
    client: HttpClient<AllowedAddresses>,
    url: Uri,
    /// The first is the newest.
    secrets: Vec<WebhookSecret>,
}

impl fmt::Debug for Webhook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Webhook")
            .field("host", &self.url.host())
            .field("secrets", &self.secrets.len())
            .finish_non_exhaustive()
    }
}

#[derive(Serialize)]
struct Event<D: OrderDetails> {
    #[serde(rename = "type")]
    kind: String,
    #[serde(with = "time::serde::rfc3339::option")]
    timestamp: Option<OffsetDateTime>,
    data: OrderView<D>,
}

impl Webhook {
    /// Makes a webhook that sends to `url`, signed with each of `secrets`, once with those that are the same.
    ///
    /// # Errors
    /// [`ConfigError`] when the URL is none, has a user or a password, or leads where the rights do not, or when there is
    /// no secret.
    pub fn new(
        url: &str,
        secrets: Vec<WebhookSecret>,
        rights: WebhookRights,
    ) -> Result<Self, ConfigError> {
        let invalid = |what: &str| ConfigError::new(format!("WOODY_WEBHOOK_URL {what}"));
        let none = "must be an absolute URL, https://…";
        let url: Uri = url.parse().map_err(|_| invalid(none))?;
        let (Some(scheme), Some(host)) = (url.scheme_str(), url.host()) else {
            return Err(invalid(none));
        };
        match scheme {
            "https" => {}
            "http" if rights.http => {}
            "http" => {
                return Err(invalid(
                    "is http, which anybody on the way can read: WOODY_WEBHOOK_ALLOW_HTTP=on allows it",
                ));
            }
            _ => return Err(invalid(none)),
        }
        if url.authority().is_some_and(|authority| authority.as_str().contains('@')) {
            return Err(invalid(
                "must have no user and no password: the signature says who sends it",
            ));
        }
        // One that is written as a name, such as 0x7f.1, is found by the resolver.
        let literal = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
        if let Ok(address) = literal
            && !rights.private
            && !is_public(address)
        {
            return Err(invalid(&format!("leads nowhere that is allowed: {}", refusal(address))));
        }
        if secrets.is_empty() {
            return Err(ConfigError::new("WOODY_WEBHOOK_SECRET is not set: webhooks are signed"));
        }
        // Before a rotation, a stack may give its one secret as that of before, too.
        let mut distinct: Vec<WebhookSecret> = Vec::new();
        for secret in secrets {
            if !distinct.iter().any(|kept| kept.signs_as(&secret)) {
                distinct.push(secret);
            }
        }
        let secrets = distinct;
        let mut tcp = HttpConnector::new_with_resolver(AllowedAddresses::new(rights.private));
        tcp.set_connect_timeout(Some(Duration::from_secs(5)));
        Ok(Self { client: http_client::over(tcp, 16)?, url, secrets })
    }

    fn request<D: OrderDetails>(
        &self,
        notice: &OrderNotice<D>,
        now: OffsetDateTime,
    ) -> Result<Request<Full<Bytes>>, NotifyError> {
        let event = Event {
            kind: format!("order.{}", notice.order.status.as_str()),
            timestamp: notice.order.finished_at,
            data: OrderView::from(TrackedOrder::from(notice.order.clone())),
        };
        let never = |error: &dyn std::error::Error| NotifyError::Never(error.to_string().into());
        let body = serde_json::to_vec(&event).map_err(|error| never(&error))?;
        let (id, at) = (notice.id.to_string(), now.unix_timestamp());
        let signatures: Vec<_> =
            self.secrets.iter().map(|secret| secret.sign(&id, at, &body)).collect();
        let mut request = Request::post(self.url.clone());
        if let Some(trace) = notice.order.trace {
            request = request.header(TraceContext::HEADER, trace.to_string());
        }
        request
            .header(CONTENT_TYPE, "application/json")
            .header(USER_AGENT, concat!("woodytoys/", env!("CARGO_PKG_VERSION")))
            .header(HeaderName::from_static("webhook-id"), id)
            .header(HeaderName::from_static("webhook-timestamp"), at.to_string())
            .header(HeaderName::from_static("webhook-signature"), signatures.join(" "))
            .body(Full::from(body))
            .map_err(|error| never(&error))
    }
}

#[async_trait]
impl<D: OrderDetails> Notifier<D> for Webhook {
    async fn notify(&self, notice: &OrderNotice<D>) -> Result<(), NotifyError> {
        let now = OffsetDateTime::now_utc();
        let request = self.request(notice, now)?;
        let response = self.client.request(request).await.map_err(|error| unanswered(&error))?;
        let judged = judge(response.status(), response.headers(), now);
        // Its status says it all.
        read_away(response.into_body()).await;
        judged
    }
}

/// Reads what nobody needs, as far as that takes little.
async fn read_away(body: Incoming) {
    let reading = Limited::new(body, MAX_BODY).collect();
    let _ = tokio::time::timeout(BODY_WITHIN, reading).await;
}

fn unanswered(error: &Error) -> NotifyError {
    NotifyError::Later(http_client::told("the receiver gave no response", error))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn webhook(url: &str, rights: WebhookRights) -> Result<Webhook, String> {
        let secret = WebhookSecret::parse("X", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        Webhook::new(url, vec![secret], rights).map_err(|error| error.to_string())
    }

    #[test]
    fn a_url_that_cannot_be_meant_is_refused_with_the_reason() {
        for (url, why) in [
            ("", "absolute URL"),
            ("erp.example", "absolute URL"),
            ("/hooks", "absolute URL"),
            ("ftp://erp.example/", "absolute URL"),
            ("https://", "absolute URL"),
            ("http://erp.example/hooks", "WOODY_WEBHOOK_ALLOW_HTTP"),
            ("https://shop:hunter2@erp.example/", "no password"),
            ("https://127.0.0.1/hooks", "WOODY_WEBHOOK_ALLOW_PRIVATE"),
            ("https://[::1]:8443/", "WOODY_WEBHOOK_ALLOW_PRIVATE"),
            ("https://[::ffff:10.0.0.1]/", "WOODY_WEBHOOK_ALLOW_PRIVATE"),
            ("https://169.254.169.254/latest", "WOODY_WEBHOOK_ALLOW_PRIVATE"),
        ] {
            let error = webhook(url, WebhookRights::default()).unwrap_err();
            assert!(
                error.starts_with("WOODY_WEBHOOK_URL") && error.contains(why),
                "{url}: {error}"
            );
            assert!(!error.contains("hunter2"), "{error}");
        }
        assert!(Webhook::new("https://erp.example", vec![], WebhookRights::default()).is_err());
    }

    #[test]
    fn what_is_allowed_is_taken() {
        let all = WebhookRights { private: true, http: true };
        for (url, rights) in [
            ("https://erp.example/hooks?key=secret", WebhookRights::default()),
            ("https://1.1.1.1/", WebhookRights::default()),
            ("http://127.0.0.1:8080/hooks", all),
            ("http://erp/hooks", all),
        ] {
            let webhook = webhook(url, rights).unwrap();
            assert!(!format!("{webhook:?}").contains("secret\""), "{webhook:?}");
        }
    }
}
