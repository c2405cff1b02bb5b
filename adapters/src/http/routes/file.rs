//! Files of the pages, and what is served as they are: each with its version and its policy.

use bytes::Bytes;
use hyper::{
    HeaderMap,
    header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, HeaderValue, REFERRER_POLICY},
};

use crate::http::response::{Kept, Response, Version};

/// Of a page, and of what it loads.
const POLICY: &str = "default-src 'self'; style-src 'self'; script-src 'self'; \
    img-src 'self' data:; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

/// Of a page without a script.
const PLAIN_POLICY: &str = "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; \
    form-action 'none'; frame-ancestors 'none'";

/// A file that stays the same for as long as the process lives.
pub(super) struct File {
    content_type: &'static str,
    bytes: Bytes,
    version: Version,
    packed: Kept,
    policy: &'static str,
}

impl File {
    pub(super) fn new(content_type: &'static str, bytes: Bytes) -> Self {
        let version = Version::of(&bytes);
        Self { content_type, bytes, version, packed: Kept::default(), policy: POLICY }
    }

    /// The same without a right to scripts.
    pub(super) fn plain(self) -> Self {
        Self { policy: PLAIN_POLICY, ..self }
    }

    /// The file, or that the client's copy is the same.
    pub(super) fn respond(&self, asked: &HeaderMap) -> Response {
        let mut response = self.version.respond(self.content_type, &self.bytes, asked);
        response.extensions_mut().insert(self.packed.clone());
        let headers = response.headers_mut();
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
        headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(self.policy));
        headers.insert(REFERRER_POLICY, HeaderValue::from_static("same-origin"));
        response
    }
}
