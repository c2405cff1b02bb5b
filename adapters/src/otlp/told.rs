use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use opentelemetry_sdk::{
    Resource,
    error::OTelSdkResult,
    trace::{SpanData, SpanExporter},
};

/// An exporter that counts what it sends, and logs once when a collector is lost, and once when it
/// is back.
#[derive(Debug)]
pub(super) struct Told<E> {
    exporter: E,
    is_failing: AtomicBool,
}

impl<E> Told<E> {
    pub(super) fn new(exporter: E) -> Self {
        Self { exporter, is_failing: AtomicBool::new(false) }
    }

    fn tell(&self, sent: &OTelSdkResult, spans: usize) {
        let was_failing = self.is_failing.swap(sent.is_err(), Ordering::Relaxed);
        let outcome = match sent {
            Ok(()) => {
                if was_failing {
                    tracing::info!("spans are sent again");
                }
                "sent"
            }
            Err(error) => {
                if !was_failing {
                    tracing::warn!(
                        error = error as &dyn std::error::Error,
                        "spans cannot be sent to WOODY_TRACE_URL: they are dropped"
                    );
                }
                "dropped"
            }
        };
        metrics::counter!("woody_trace_spans_total", "outcome" => outcome).increment(spans as u64);
    }
}

impl<E: SpanExporter> SpanExporter for Told<E> {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        let spans = batch.len();
        let sent = self.exporter.export(batch).await;
        self.tell(&sent, spans);
        sent
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.exporter.shutdown_with_timeout(timeout)
    }

    fn shutdown(&self) -> OTelSdkResult {
        self.exporter.shutdown()
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.exporter.force_flush()
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.exporter.set_resource(resource);
    }
}
