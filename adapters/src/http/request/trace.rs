use hyper::HeaderMap;
use woody_core::domain::TraceContext;

/// Returns the trace that a request belongs to. A `traceparent` that is malformed, or stands
/// twice, names none: a client's trace is no reason to refuse its order.
pub(in crate::http) fn trace_of(headers: &HeaderMap) -> Option<TraceContext> {
    let mut named = headers.get_all(TraceContext::HEADER).iter();
    let (trace, None) = (named.next()?, named.next()) else { return None };
    trace.to_str().ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use hyper::header::{HeaderName, HeaderValue};

    use super::*;

    #[test]
    fn what_is_malformed_or_stands_twice_names_no_trace() {
        let good = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
        let name = HeaderName::from_static(TraceContext::HEADER);
        let mut headers = HeaderMap::new();
        assert_eq!(trace_of(&headers), None);
        headers.append(name.clone(), HeaderValue::from_static(good));
        assert_eq!(trace_of(&headers).map(|trace| trace.to_string()), Some(good.to_owned()));
        headers.append(name.clone(), HeaderValue::from_static(good));
        assert_eq!(trace_of(&headers), None);
        headers.insert(name, HeaderValue::from_bytes(b"00-\xff").unwrap());
        assert_eq!(trace_of(&headers), None);
    }
}
