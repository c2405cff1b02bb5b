use hyper::{HeaderMap, Method, StatusCode, header::HeaderName};
use tracing::{Span, field};
use woody_core::domain::TraceContext;

/// Made once: a name that is looked for as text is read anew for each request.
const TRACEPARENT: HeaderName = HeaderName::from_static(TraceContext::HEADER);

/// How many of the requests begin a trace that belong to none.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Sampling(f64);

impl Sampling {
    /// None begins one.
    pub fn off() -> Self {
        Self(0.0)
    }

    /// So many begin one, from 0 for none to 1 for all; what is beyond counts as the nearest of
    /// these. It has an effect where spans are exported.
    pub fn of(ratio: f64) -> Self {
        Self(ratio.clamp(0.0, 1.0))
    }
}

/// A request as a part of a trace.
pub(in crate::http) struct Traced {
    /// What is exported, if anything is.
    span: Span,
    /// The trace, for what comes of the request.
    pub(in crate::http) context: Option<TraceContext>,
}

impl Traced {
    /// Opens the span of a request that has found its route, if it belongs to a trace that is
    /// recorded, or begins one.
    pub(in crate::http) fn open(
        headers: &HeaderMap,
        sampling: Sampling,
        method: &Method,
        route: &'static str,
        request_id: &str,
    ) -> Self {
        let came = trace_of(headers);
        let own = match came {
            None => TraceContext::begin(sampling.0),
            Some(came) if came.is_sampled() => Some(came.child()),
            Some(_) => None,
        };
        let Some(own) = own else { return Self { span: Span::none(), context: came } };
        let span = tracing::debug_span!(
            target: TraceContext::TARGET,
            parent: None,
            "request",
            otel.kind = "server",
            otel.name = %format_args!("{method} {route}"),
            otel.status_description = field::Empty,
            trace.context = %own,
            trace.parent = came.map(|came| came.span_id()),
            http.request.method = %method,
            http.route = route,
            http.response.status_code = field::Empty,
            woody.request.id = request_id,
            woody.client.name = field::Empty,
        );
        let context = if span.is_disabled() { came } else { Some(own) };
        Self { span, context }
    }

    /// Notes whose request it is.
    pub(in crate::http) fn asked_by(&self, client: &str) {
        self.span.record("woody.client.name", client);
    }

    /// Notes how the request was answered.
    pub(in crate::http) fn answered(&self, status: StatusCode) {
        self.span.record("http.response.status_code", status.as_u16());
        if status.is_server_error() {
            self.span.record("otel.status_description", status.as_str());
        }
    }
}

/// Returns the trace that a request belongs to. A `traceparent` that is malformed, or stands
/// twice, names none: a client's trace is no reason to refuse its order.
fn trace_of(headers: &HeaderMap) -> Option<TraceContext> {
    let mut named = headers.get_all(TRACEPARENT).iter();
    let (trace, None) = (named.next()?, named.next()) else { return None };
    trace.to_str().ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use hyper::header::HeaderValue;

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
