use std::{
    hash::{BuildHasher, RandomState},
    sync::{
        LazyLock,
        atomic::{AtomicU64, Ordering},
    },
};

use bytes::Bytes;
use hyper::{HeaderMap, header::HeaderName, header::HeaderValue};

/// The header that carries it, both ways.
pub(in crate::http) const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

const DIGITS: &[u8; 16] = b"0123456789abcdef";

/// What a request is called in responses and logs.
///
/// A client, or the gateway, may choose it: 1 to 64 letters, digits, `-`, `_`,
/// `.` or `:`. Anything else is not taken over, and the request gets a name of
/// ours: sixteen hexadecimal digits, different in each process and never twice
/// in one.
#[derive(Debug, Clone)]
pub struct RequestId(HeaderValue);

impl RequestId {
    /// The longest name that is taken over.
    pub const MAX_LEN: usize = 64;

    /// The name of the request that has these headers.
    pub fn of(headers: &HeaderMap) -> Self {
        match headers.get(X_REQUEST_ID) {
            Some(given) if is_sane(given.as_bytes()) => Self(given.clone()),
            _ => Self::fresh(),
        }
    }

    /// A name that no other request has.
    pub fn fresh() -> Self {
        static SEED: LazyLock<u64> = LazyLock::new(|| RandomState::new().hash_one("request"));
        static COUNT: AtomicU64 = AtomicU64::new(0);
        // An odd factor makes this a permutation: equal only for equal counts.
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let id = SEED.wrapping_add(count).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let mut text = [0; 16];
        for (pair, byte) in text.chunks_exact_mut(2).zip(id.to_be_bytes()) {
            pair[0] = DIGITS[usize::from(byte >> 4)];
            pair[1] = DIGITS[usize::from(byte & 0xf)];
        }
        // Hexadecimal digits are a legal header value.
        let value = HeaderValue::from_maybe_shared(Bytes::copy_from_slice(&text));
        Self(value.unwrap_or(HeaderValue::from_static("unknown")))
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        self.0.to_str().unwrap_or_default()
    }

    /// The name as a header's value.
    pub fn into_header(self) -> HeaderValue {
        self.0
    }
}

fn is_sane(id: &[u8]) -> bool {
    (1..=RequestId::MAX_LEN).contains(&id.len())
        && id.iter().all(|b| b.is_ascii_alphanumeric() || b"-_.:".contains(b))
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    fn of(given: &str) -> String {
        let mut headers = HeaderMap::new();
        headers.insert(X_REQUEST_ID, HeaderValue::from_bytes(given.as_bytes()).unwrap());
        RequestId::of(&headers).as_str().to_owned()
    }

    #[test]
    fn a_sane_name_is_taken_over_and_others_are_not() {
        assert_eq!(of("abc-1_2.3:4"), "abc-1_2.3:4");
        for bad in ["", "a b", "é", "a\"b", &"a".repeat(65)] {
            assert_ne!(of(bad), bad);
            assert_eq!(of(bad).len(), 16);
        }
    }

    #[test]
    fn ours_never_repeat() {
        let ids: HashSet<String> =
            (0..10_000).map(|_| RequestId::fresh().as_str().to_owned()).collect();
        assert_eq!(ids.len(), 10_000);
    }
}
