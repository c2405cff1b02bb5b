//! What a span has is bounded: its fields stand in the code, and a text among them is cut.

use std::{borrow::Cow, fmt, sync::Arc, time::Instant};

use opentelemetry::{
    InstrumentationScope, KeyValue,
    trace::{SpanContext, SpanId, SpanKind, Status, TraceFlags, TraceId, TraceState},
};
use opentelemetry_sdk::trace::{
    BatchSpanProcessor, SpanData, SpanEvents, SpanLinks, SpanProcessor,
};
use time::OffsetDateTime;
use tracing::{
    Subscriber,
    field::{Field, Visit},
    span::{Attributes, Id, Record},
};
use tracing_subscriber::{Layer, layer::Context, registry::LookupSpan};
use woody_core::domain::{TraceContext, now};

/// The longest text that is exported with a span, in characters.
const LONGEST: usize = 256;

/// Makes spans of OpenTelemetry of those `tracing` spans that say which they are (`trace.context`).
#[derive(Debug)]
pub(crate) struct SpanLayer {
    spans: Arc<BatchSpanProcessor>,
    scope: InstrumentationScope,
}

impl SpanLayer {
    pub(super) fn new(spans: Arc<BatchSpanProcessor>) -> Self {
        let version = env!("CARGO_PKG_VERSION");
        Self { spans, scope: InstrumentationScope::builder("woody").with_version(version).build() }
    }
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for SpanLayer {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let Some(span) = context.span(id) else { return };
        let mut open = OpenSpan::new(attributes.metadata().name());
        attributes.record(&mut open);
        span.extensions_mut().insert(open);
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        let Some(span) = context.span(id) else { return };
        if let Some(open) = span.extensions_mut().get_mut::<OpenSpan>() {
            values.record(open);
        }
    }

    fn on_close(&self, id: Id, context: Context<'_, S>) {
        let Some(span) = context.span(&id) else { return };
        let open = span.extensions_mut().remove::<OpenSpan>();
        if let Some(ended) = open.and_then(|open| open.ended(&self.scope)) {
            self.spans.on_end(ended);
        }
    }
}

/// A span that has not ended.
#[derive(Debug)]
struct OpenSpan {
    name: Cow<'static, str>,
    own: Option<TraceContext>,
    parent: SpanId,
    kind: SpanKind,
    began: OffsetDateTime,
    /// The same, for measuring.
    since: Instant,
    attributes: Vec<KeyValue>,
    status: Status,
}

impl OpenSpan {
    fn new(name: &'static str) -> Self {
        Self {
            name: name.into(),
            own: None,
            parent: SpanId::INVALID,
            kind: SpanKind::Internal,
            began: now(),
            since: Instant::now(),
            attributes: Vec::new(),
            status: Status::Unset,
        }
    }

    fn ended(self, scope: &InstrumentationScope) -> Option<SpanData> {
        let own = self.own?;
        let context = SpanContext::new(
            TraceId::from_hex(&own.trace_id()).ok()?,
            SpanId::from_hex(&own.span_id()).ok()?,
            TraceFlags::SAMPLED,
            false,
            TraceState::default(),
        );
        Some(SpanData {
            span_context: context,
            parent_span_id: self.parent,
            parent_span_is_remote: matches!(self.kind, SpanKind::Server | SpanKind::Consumer),
            span_kind: self.kind,
            name: self.name,
            start_time: self.began.into(),
            end_time: (self.began + self.since.elapsed()).into(),
            attributes: self.attributes,
            dropped_attributes_count: 0,
            events: SpanEvents::default(),
            links: SpanLinks::default(),
            status: self.status,
            instrumentation_scope: scope.clone(),
        })
    }

    fn text(&mut self, field: &'static str, mut text: String) {
        if let Some((end, _)) = text.char_indices().nth(LONGEST) {
            text.truncate(end);
        }
        match field {
            "trace.context" => self.own = text.parse().ok(),
            "trace.parent" => self.parent = SpanId::from_hex(&text).unwrap_or(SpanId::INVALID),
            "otel.name" => self.name = text.into(),
            "otel.kind" => {
                self.kind = match text.as_str() {
                    "server" => SpanKind::Server,
                    "client" => SpanKind::Client,
                    "producer" => SpanKind::Producer,
                    "consumer" => SpanKind::Consumer,
                    _ => SpanKind::Internal,
                }
            }
            "otel.status_description" => self.status = Status::error(text),
            field => self.attributes.push(KeyValue::new(field, text)),
        }
    }
}

impl Visit for OpenSpan {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.text(field.name(), value.to_owned());
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.text(field.name(), format!("{value:?}"));
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.attributes.push(KeyValue::new(field.name(), value));
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.record_i64(field, i64::try_from(value).unwrap_or(i64::MAX));
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.attributes.push(KeyValue::new(field.name(), value));
    }
}
