//! A response with the tag of its version: whoever has a copy of that version is told so.

use std::hash::{DefaultHasher, Hash, Hasher};

use bytes::Bytes;
use hyper::{
    HeaderMap, StatusCode,
    header::{ETAG, HeaderValue, IF_NONE_MATCH},
};

use super::{
    body::{Body, Response},
    packing::{is_worth_it, vary},
    reply,
};

/// The tag of one version of a response: a weak one, since the same text may be sent packed or as it is.
pub(in crate::http) struct Version(HeaderValue);

impl Version {
    pub(in crate::http) fn of(bytes: &[u8]) -> Self {
        let mut hasher = DefaultHasher::new();
        bytes.hash(&mut hasher);
        let tag = Bytes::from(format!("W/\"{:016x}\"", hasher.finish()));
        // Hexadecimal digits in quotes are a legal header value.
        Self(HeaderValue::from_maybe_shared(tag).unwrap_or(HeaderValue::from_static("W/\"0\"")))
    }

    /// 200 with these bytes, or 304 to a client whose copy is the same.
    pub(in crate::http) fn respond(
        &self,
        content_type: &'static str,
        bytes: &Bytes,
        asked: &HeaderMap,
    ) -> Response {
        let response = if self.is_known_to(asked) {
            let mut unchanged = Response::new(Body::empty());
            *unchanged.status_mut() = StatusCode::NOT_MODIFIED;
            unchanged
        } else {
            reply::bytes(content_type, bytes.clone())
        };
        let mut response = reply::with(response, ETAG, self.0.clone());
        // A 304 says so too (RFC 9110, 15.4.5).
        if is_worth_it(content_type, bytes.len()) {
            vary(response.headers_mut());
        }
        response
    }

    fn is_known_to(&self, asked: &HeaderMap) -> bool {
        let tags = asked.get_all(IF_NONE_MATCH).iter().filter_map(|tags| tags.to_str().ok());
        tags.flat_map(|tags| tags.split(','))
            .map(str::trim)
            .any(|tag| tag == "*" || weak(tag.as_bytes()) == weak(self.0.as_bytes()))
    }
}

/// What is compared of a tag (RFC 9110, 8.8.3.2).
fn weak(tag: &[u8]) -> &[u8] {
    tag.strip_prefix(b"W/").unwrap_or(tag)
}
