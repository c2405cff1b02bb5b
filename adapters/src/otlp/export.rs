use std::{sync::Arc, time::Duration};

use hyper::Uri;
use opentelemetry_otlp::{
    ExporterBuildError, Protocol, SpanExporter, WithExportConfig, WithHttpConfig,
};
use opentelemetry_sdk::{
    Resource,
    trace::{BatchConfigBuilder, BatchSpanProcessor, SpanProcessor},
};
use tokio::runtime::Handle;

use super::{client::Poster, layer::SpanLayer, told::Told};
use crate::config::{ConfigError, TraceArgs};

/// Spans that may wait to be sent; one has some kilobytes at most (`layer`), so these are 16 MiB at most.
const WAITING: usize = 2_048;

/// How many are sent at once.
const BATCH: usize = 512;

/// How long spans that have ended wait for others.
const PAUSE: Duration = Duration::from_secs(1);

/// How long one post may take.
const TIMEOUT: Duration = Duration::from_secs(5);

/// How long the end of a process waits for the last spans, at most.
const FLUSH: Duration = Duration::from_secs(2);

/// Sends spans to a collector.
#[derive(Debug, Clone)]
pub(crate) struct SpanExport(Arc<BatchSpanProcessor>);

impl SpanExport {
    /// Starts sending spans of the program `service`, if they are sent anywhere; posts run on
    /// `runtime`.
    ///
    /// # Errors
    /// [`ConfigError`] for a URL that cannot be meant.
    pub(crate) fn start(
        service: &'static str,
        args: &TraceArgs,
        runtime: &Handle,
    ) -> Result<Option<Self>, ConfigError> {
        let Some(url) = &args.trace_url else { return Ok(None) };
        check(url)?;
        let failed = |error: &ExporterBuildError| ConfigError::because("WOODY_TRACE_URL", error);
        let exporter = SpanExporter::builder()
            .with_http()
            .with_http_client(Poster::new(runtime.clone(), TIMEOUT)?)
            .with_protocol(Protocol::HttpBinary)
            .with_endpoint(format!("{}/v1/traces", url.trim_end_matches('/')))
            .with_timeout(TIMEOUT)
            .build()
            .map_err(|error| failed(&error))?;
        let bounds = BatchConfigBuilder::default()
            .with_max_queue_size(WAITING)
            .with_max_export_batch_size(BATCH)
            .with_scheduled_delay(PAUSE)
            .build();
        let mut spans = BatchSpanProcessor::new(Told::new(exporter), bounds);
        let version = opentelemetry::KeyValue::new("service.version", env!("CARGO_PKG_VERSION"));
        let resource = Resource::builder().with_service_name(service).with_attribute(version);
        spans.set_resource(&resource.build());
        Ok(Some(Self(Arc::new(spans))))
    }

    /// Returns what makes spans of `tracing`'s.
    pub(crate) fn layer(&self) -> SpanLayer {
        SpanLayer::new(Arc::clone(&self.0))
    }

    /// Sends what is left and ends the thread, within `limit` and within 2 s: a collector that is
    /// unavailable does not hold up the end of a process.
    pub(crate) async fn end(&self, limit: Duration) {
        let (spans, limit) = (Arc::clone(&self.0), limit.min(FLUSH));
        let ending = tokio::task::spawn_blocking(move || spans.shutdown_with_timeout(limit));
        match ending.await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::warn!(
                error = &error as &dyn std::error::Error,
                "the last spans are not sent in time"
            ),
            Err(error) => tracing::warn!(
                error = &error as &dyn std::error::Error,
                "the last spans are not sent"
            ),
        }
    }
}

/// Refuses a collector's address that is none, or has a secret in it, which would be logged.
fn check(url: &str) -> Result<(), ConfigError> {
    let invalid = |what| Err(ConfigError::new(format!("WOODY_TRACE_URL {what}")));
    let Ok(parsed) = url.parse::<Uri>() else {
        return invalid("must be an absolute URL, http://… or https://…");
    };
    if !matches!(parsed.scheme_str(), Some("http" | "https")) || parsed.host().is_none() {
        return invalid("must be an absolute URL, http://… or https://…");
    }
    if parsed.authority().is_some_and(|authority| authority.as_str().contains('@')) {
        return invalid(
            "must have no user and no password: OTEL_EXPORTER_OTLP_HEADERS has what is secret",
        );
    }
    if parsed.query().is_some() {
        return invalid("must have no query: /v1/traces is added to it");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_that_cannot_be_meant_is_refused_with_the_reason() {
        for good in ["http://collector:4318", "https://otlp.example/tenant/", "http://127.0.0.1:1"]
        {
            assert!(check(good).is_ok(), "{good}");
        }
        for (url, why) in [
            ("", "absolute URL"),
            ("collector:4318", "absolute URL"),
            ("grpc://collector:4317", "absolute URL"),
            ("/v1/traces", "absolute URL"),
            ("https://shop:hunter2@otlp.example", "no password"),
            ("https://otlp.example/?key=hunter2", "no query"),
        ] {
            let error = check(url).unwrap_err().to_string();
            assert!(error.starts_with("WOODY_TRACE_URL") && error.contains(why), "{url}: {error}");
            assert!(!error.contains("hunter2"), "{error}");
        }
    }
}
