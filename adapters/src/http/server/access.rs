//! Who may use a service.

use std::sync::Arc;

use hyper::{
    HeaderMap,
    header::{AUTHORIZATION, HeaderValue},
};

use crate::{
    http::{
        request::Access,
        response::{Failure, FailureKind, Style},
    },
    keys::{ApiKeys, ClientName, Scope, Scopes},
};

/// Who may use a service: everybody, or clients by their keys (`Authorization: Bearer`, RFC 6750). Clones share the keys.
#[derive(Debug, Clone, Default)]
pub struct AccessControl(Option<Arc<Guard>>);

#[derive(Debug)]
struct Guard {
    keys: ApiKeys,
    public: Scopes,
}

/// What a client is told that has shown no key.
const CHALLENGE: &str = "Bearer realm=\"woodytoys\"";

impl AccessControl {
    /// Everybody may do everything, and nobody has a name.
    pub fn off() -> Self {
        Self(None)
    }

    /// Clients may do what their keys are for, and requests without a key what is `public`.
    pub fn of(keys: ApiKeys, public: Scopes) -> Self {
        Self(Some(Arc::new(Guard { keys, public })))
    }

    /// Returns what the client is called that asks for a route with these headers, if it has a key.
    ///
    /// # Errors
    /// A [`Failure`] of 401 or 403.
    pub(super) fn admit(
        &self,
        access: Access,
        headers: &HeaderMap,
    ) -> Result<Option<ClientName>, Failure> {
        match (&self.0, access) {
            (None, _) | (_, Access::Open) => Ok(None),
            (Some(guard), Access::Wants(scope)) => {
                guard.admit(scope, headers).map_err(|failure| failure.told_as(Style::Problem))
            }
        }
    }
}

impl Guard {
    fn admit(&self, scope: Scope, headers: &HeaderMap) -> Result<Option<ClientName>, Failure> {
        let mut shown = headers.get_all(AUTHORIZATION).iter();
        let (shown, None) = (shown.next(), shown.next()) else {
            return Err(unknown("Authorization stands twice: send one key."));
        };
        let Some(key) = shown.and_then(bearer) else {
            if self.public.contains(scope) {
                return Ok(None);
            }
            return Err(key_missing("This is for clients with a key"));
        };
        let Some(client) = self.keys.find(key) else {
            return Err(unknown("This key is no client's. It may have been replaced."));
        };
        if client.scopes.contains(scope) || self.public.contains(scope) {
            return Ok(Some(client.name.clone()));
        }
        let detail =
            format!("This needs a key with the scope {scope}, and yours has {}.", client.scopes);
        let challenge = format!("{CHALLENGE}, error=\"insufficient_scope\", scope=\"{scope}\"");
        Err(Failure::new(FailureKind::ScopeMissing, detail).challenging(&challenge))
    }
}

/// Says `why` a client has to show a key, and how.
pub(in crate::http) fn key_missing(why: &str) -> Failure {
    let detail = format!("{why}: send it as Authorization: Bearer woody_…");
    Failure::new(FailureKind::KeyMissing, detail).challenging(CHALLENGE)
}

fn unknown(detail: &'static str) -> Failure {
    let challenge = format!("{CHALLENGE}, error=\"invalid_token\"");
    Failure::new(FailureKind::KeyUnknown, detail).challenging(&challenge)
}

/// Returns the key that stands behind `Bearer`; another scheme is of somebody else, such as a proxy on the way.
fn bearer(shown: &HeaderValue) -> Option<&[u8]> {
    let (scheme, key) = shown.as_bytes().split_at_checked(6)?;
    let is_bearer = scheme.eq_ignore_ascii_case(b"bearer") && key.first() == Some(&b' ');
    is_bearer.then(|| key.trim_ascii())
}
