//! Requests that a browser sends for pages of others.

use hyper::{
    Method, StatusCode,
    header::{
        ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
        ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_METHOD, HOST,
        HeaderMap, HeaderName, HeaderValue, ORIGIN, VARY,
    },
    http::request::Parts,
};

use crate::http::{
    request::{Hosts, Origins, name_of},
    response::{Body, Failure, FailureKind, Response},
};

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// What pages may send beside what they may send anyway.
const MAY_SEND: &str =
    "authorization, content-type, idempotency-key, if-none-match, last-event-id, x-request-id";
/// What pages may read beside what they may read anyway.
const MAY_READ: &str = "etag, location, ratelimit, ratelimit-policy, retry-after, x-request-id";
/// For how long a browser need not ask again, in seconds.
const MAX_AGE: &str = "600";

/// What a service says to browsers about pages that are not its own.
#[derive(Debug, Clone)]
pub(super) struct Strangers {
    hosts: Hosts,
    origins: Origins,
}

impl Strangers {
    pub(super) fn new(hosts: Hosts, origins: Origins) -> Self {
        Self { hosts, origins }
    }

    /// Why a request is not served: it is for a name that is not the service's, or it would
    /// change something for another site's page.
    ///
    /// The second as Go's `CrossOriginProtection` has it: browsers say in `Sec-Fetch-Site` whose
    /// page asks, old ones and those of a plain `http` site in `Origin`. What says neither is no
    /// browser.
    pub(super) fn refuse(&self, head: &Parts) -> Option<Failure> {
        let text = |name: HeaderName| head.headers.get(name).and_then(|value| value.to_str().ok());
        let host = head.headers.get(HOST).map(|host| host.to_str().unwrap_or_default());
        if let Some(host) = host.filter(|host| !self.hosts.contains(host)) {
            return Some(Failure::field(
                FailureKind::UnknownHost,
                "Host",
                format!(
                    "is {:?}, and that is no name of this service. Its operator lists them in \
                         WOODY_HOSTS.",
                    shortened(host)
                ),
            ));
        }
        if matches!(head.method, Method::GET | Method::HEAD | Method::OPTIONS) {
            return None;
        }
        let origin = text(ORIGIN);
        if origin.is_some_and(|origin| self.origins.contains(origin)) {
            return None;
        }
        let is_strange = match (text(SEC_FETCH_SITE), origin) {
            (Some("same-origin" | "none"), _) | (None, None) => false,
            (Some(_), _) => true,
            (None, Some(origin)) => {
                let site = origin.split_once("://").map(|(_, site)| site);
                site.is_none()
                    || site.map(str::to_ascii_lowercase) != host.map(str::to_ascii_lowercase)
            }
        };
        is_strange.then(|| {
            let detail = "Another site's page asks for this. The operator lists the sites whose \
                          pages may in WOODY_ORIGINS.";
            Failure::new(FailureKind::ForeignOrigin, detail)
        })
    }

    /// What is said to a request that found no route, and gets `failure`: a browser that asks, before it sends a
    /// request, whether its page may is answered; others learn that browsers may ask, where they may.
    pub(super) fn lost(&self, head: &Parts, failure: Failure) -> Result<Response, Failure> {
        if self.origins.is_empty() {
            return Err(failure);
        }
        self.preflight(head, &failure).ok_or_else(|| failure.with_options())
    }

    fn preflight(&self, head: &Parts, failure: &Failure) -> Option<Response> {
        let is_asked = head.method == Method::OPTIONS
            && head.headers.contains_key(ACCESS_CONTROL_REQUEST_METHOD);
        let methods = failure.allow().filter(|_| is_asked)?;
        self.known_origin(&head.headers)?;
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::NO_CONTENT;
        let headers = response.headers_mut();
        headers.insert(ACCESS_CONTROL_ALLOW_METHODS, methods.clone());
        headers.insert(ACCESS_CONTROL_ALLOW_HEADERS, HeaderValue::from_static(MAY_SEND));
        headers.insert(ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static(MAX_AGE));
        Some(response)
    }

    /// Returns the origin of a page that may read the response.
    pub(super) fn known_origin(&self, asked: &HeaderMap) -> Option<HeaderValue> {
        let origin = asked.get(ORIGIN)?;
        let is_known = origin.to_str().is_ok_and(|origin| self.origins.contains(origin));
        is_known.then(|| origin.clone())
    }

    /// Tells the browser that the page of `reader`, if there is one, may read the response.
    pub(super) fn tell(&self, headers: &mut HeaderMap, reader: Option<HeaderValue>) {
        if self.origins.is_empty() {
            return;
        }
        // What is kept on the way for one page is not to be shown to another.
        headers.append(VARY, HeaderValue::from_static("origin"));
        if let Some(origin) = reader {
            headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
            headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static(MAY_READ));
        }
    }
}

/// What a stranger wrote, as far as it is worth repeating.
fn shortened(host: &str) -> &str {
    name_of(host).or_else(|| host.get(..64)).unwrap_or(host)
}
