//! Spans of orders' traces, exported by OTLP over HTTP (`docs/decisions/0027-a-trace-is-kept-with-its-order.md`).
//!
//! The core and the routes open them as `tracing` spans of one target; a layer makes OpenTelemetry's of
//! them, and a thread of OpenTelemetry's SDK sends those that have ended, some hundreds at once. Whoever ends a span never waits:
//! what has no room is dropped.

#[cfg(feature = "otlp")]
mod client;
#[cfg(feature = "otlp")]
mod export;
#[cfg(feature = "otlp")]
mod layer;
#[cfg(not(feature = "otlp"))]
mod off;
#[cfg(feature = "otlp")]
mod told;

#[cfg(feature = "otlp")]
pub(crate) use self::export::SpanExport;
#[cfg(not(feature = "otlp"))]
pub(crate) use self::off::SpanExport;
