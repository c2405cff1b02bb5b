use hyper::header::{HeaderMap, HeaderName, HeaderValue};

const RATE_LIMIT: HeaderName = HeaderName::from_static("ratelimit");
const RATE_LIMIT_POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");

/// Where a client stands with its rate limit, as the headers of a response say it.
#[derive(Debug)]
pub(in crate::http) struct Standing {
    pub(in crate::http) policy: HeaderValue,
    pub(in crate::http) limit: HeaderValue,
}

impl Standing {
    pub(in crate::http) fn tell(self, headers: &mut HeaderMap) {
        headers.insert(RATE_LIMIT_POLICY, self.policy);
        headers.insert(RATE_LIMIT, self.limit);
    }
}
