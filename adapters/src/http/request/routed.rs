use std::{borrow::Cow, net::IpAddr};

use hyper::{
    HeaderMap,
    header::{AsHeaderName, HeaderValue},
    http::request::Parts,
};

use woody_core::domain::{IdempotencyKey, TraceContext};

use super::{body::RequestBody, prefix::MountPrefix, query, request_id::RequestId, route};
use crate::{
    http::response::{Failure, FailureKind, Style},
    keys::ClientName,
};

/// A request that has found its route.
#[derive(Debug)]
pub struct RoutedRequest<A> {
    /// What the route does.
    pub action: A,
    /// The address that the connection comes from.
    pub client: IpAddr,
    /// The request's body.
    pub body: RequestBody,
    pub(in crate::http) id: RequestId,
    pub(in crate::http) name: Option<ClientName>,
    pub(in crate::http) path: &'static str,
    pub(in crate::http) style: Style,
    pub(in crate::http) is_batch: bool,
    pub(in crate::http) is_form: bool,
    pub(in crate::http) trace: Option<TraceContext>,
    pub(in crate::http) head: Parts,
}

impl<A> RoutedRequest<A> {
    /// The request's headers.
    pub fn headers(&self) -> &HeaderMap {
        &self.head.headers
    }

    /// Returns what stands before the service's own paths where it is [mounted](crate::http::mount), such as
    /// `/pizzas`; nothing at the root.
    pub fn prefix(&self) -> &str {
        self.head.extensions.get::<MountPrefix>().map_or("", |prefix| &prefix.0)
    }

    /// Returns what the client is called whose key the request has; `None` where clients have none.
    pub fn client_name(&self) -> Option<&ClientName> {
        self.name.as_ref()
    }

    /// Returns `key` as one of this client's own: another's is another.
    pub(in crate::http) fn own(&self, key: IdempotencyKey) -> IdempotencyKey {
        match &self.name {
            None => key,
            Some(name) => key.of_client(name.as_str()),
        }
    }

    /// Returns what the request is called in its response and in logs.
    pub fn id(&self) -> &RequestId {
        &self.id
    }

    /// What stands in the path for the route's `{…}`.
    pub fn variable(&self) -> &str {
        route::variable(self.path, self.head.uri.path())
    }

    /// The query's parameters of these names, each at most once and none besides:
    /// `let [name, quantity] = request.query(["name", "quantity"])?;`
    ///
    /// # Errors
    /// A [`Failure`] that names the parameter.
    pub fn query<const N: usize>(
        &self,
        names: [&'static str; N],
    ) -> Result<[Option<Cow<'_, str>>; N], Failure> {
        query::parse(self.head.uri.query(), names)
    }

    /// The fields of the form in the body, each at most once and none besides.
    ///
    /// # Errors
    /// A [`Failure`] that names the field.
    pub fn form<const N: usize>(
        &self,
        names: [&'static str; N],
    ) -> Result<[Option<Cow<'_, str>>; N], Failure> {
        let text = std::str::from_utf8(self.body.bytes())
            .map_err(|_| Failure::new(FailureKind::MalformedQuery, "The form is not UTF-8."))?;
        query::parse(Some(text), names)
    }

    /// A header that may stand once.
    ///
    /// # Errors
    /// A [`Failure`] that names it when it stands twice.
    pub fn single_header(
        &self,
        header: impl AsHeaderName,
        name: &'static str,
    ) -> Result<Option<&HeaderValue>, Failure> {
        let mut values = self.headers().get_all(header).iter();
        match (values.next(), values.next()) {
            (value, None) => Ok(value),
            _ => Err(Failure::field(FailureKind::DuplicateParameter, name, "stands twice")),
        }
    }

    /// The trace that the request belongs to: that of its `traceparent`, or one that it begins.
    pub fn trace(&self) -> Option<TraceContext> {
        self.trace
    }

    /// Refuses what a browser sends for a stranger's page or without being
    /// asked: for `GET`s that change state.
    ///
    /// # Errors
    /// A [`Failure`] of 403.
    pub fn refuse_browsers(&self) -> Result<(), Failure> {
        let is = |name: &str, bad: &str| {
            let values = self.headers().get_all(name);
            values.iter().any(|value| {
                value.to_str().is_ok_and(|value| value.to_ascii_lowercase().contains(bad))
            })
        };
        let refused = |why: &'static str| Err(Failure::new(FailureKind::NotForBrowsers, why));
        if is("sec-fetch-site", "cross-site") {
            return refused("This GET changes state, and another site's page asks for it.");
        }
        if is("sec-purpose", "prefetch") || is("purpose", "prefetch") || is("x-moz", "prefetch") {
            return refused("This GET changes state, and is not to be prefetched.");
        }
        if is("sec-fetch-mode", "navigate") {
            return refused(
                "This GET changes state, and is not for a browser's address line: use curl, or POST.",
            );
        }
        Ok(())
    }
}
