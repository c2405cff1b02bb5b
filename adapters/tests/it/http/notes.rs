//! What a service notes of its requests: log lines and metrics.

use std::{
    io::Write,
    sync::{Arc, Mutex},
};

use metrics_exporter_prometheus::PrometheusBuilder;
use tracing::subscriber::DefaultGuard;
use tracing_subscriber::{
    Layer, Registry,
    filter::{Targets, dynamic_filter_fn},
    fmt::{MakeWriter, format::FmtSpan},
    layer::SubscriberExt,
};
use woody_adapters::http::{RateLimit, ServerLimits, ServiceSettings, service};

use super::{
    boundary::Probe,
    client::{request, send},
    shop::{Shop, drain, serve_here},
};

/// Log lines, kept.
#[derive(Clone, Default)]
pub(super) struct Lines(Arc<Mutex<Vec<u8>>>);

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Lines {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

/// Has the lines of this thread kept that `wanted` lets through.
///
/// It is asked each time. What a filter lets through once and for all counts for threads without a subscriber, too: the
/// spans of another test would be there, and of nobody.
fn keep(wanted: Targets, lines: impl Layer<Registry> + Send + Sync) -> DefaultGuard {
    let wanted = dynamic_filter_fn::<Registry, _>(move |metadata, _| {
        wanted.would_enable(metadata.target(), metadata.level())
    });
    let subscriber = tracing_subscriber::registry().with(lines.and_then(wanted));
    tracing::subscriber::set_default(subscriber)
}

impl Lines {
    /// Keeps the lines of this thread, where the whole test runs; one for each span that ends, too.
    pub(super) fn keep_spans(&self) -> DefaultGuard {
        let lines = tracing_subscriber::fmt::layer().with_ansi(false).with_writer(self.clone());
        let lines = lines.with_span_events(FmtSpan::CLOSE);
        keep(Targets::new().with_default(tracing::Level::DEBUG), lines)
    }

    /// Keeps the lines of this thread, where the whole test runs.
    fn keep(&self, filter: &str) -> DefaultGuard {
        let lines = tracing_subscriber::fmt::layer().with_ansi(false).with_writer(self.clone());
        keep(filter.parse().unwrap(), lines)
    }

    pub(super) fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

#[tokio::test]
async fn what_clients_do_wrong_is_for_debugging_only() {
    let (lines, shop) = (Lines::default(), Shop::open().await);
    let _kept = lines.keep("info");
    for line in [
        "GET /nowhere",
        "GET /api/misc/heavy",
        "GET /api/orders/x",
        "POST /api/orders",
        "DELETE /api/products",
    ] {
        assert!(shop.ask(line, &[]).await.status.is_client_error());
    }
    assert_eq!(lines.text(), "");
}

#[tokio::test]
async fn a_fault_of_ours_is_logged_once_with_its_request() {
    let probe = Probe { entered: Arc::default(), leave: Arc::default() };
    let service = service(probe, RateLimit::off(), &ServiceSettings::default());
    let (addr, _serving) = serve_here(service, ServerLimits::default(), drain()).await;
    let lines = Lines::default();
    let _kept = lines.keep("info");
    send(addr, request("GET /panic", &["x-request-id: find-me"], "")).await;
    let text = lines.text();
    assert_eq!(text.lines().count(), 1, "{text}");
    for said in ["ERROR", "find-me", "the probe was told to"] {
        assert!(text.contains(said), "{text}");
    }
}

#[tokio::test]
async fn requests_are_counted_by_route_and_not_by_what_clients_make_up() {
    let recorder = PrometheusBuilder::new().build_recorder();
    let _here = metrics::set_default_local_recorder(&recorder);
    let shop = Shop::open().await;
    for _ in 0..2 {
        shop.get("/api/ping").await;
    }
    shop.get("/api/orders/0192f0c1-2f3a-7c4d-8e5f-6a7b8c9d0e1f").await;
    shop.ask("DELETE /api/orders/0192f0c1-2f3a-4c4d-8e5f-6a7b8c9d0e1f", &[]).await;
    shop.ask("BREW /made/up", &[]).await;
    let text = recorder.handle().render();
    for line in [
        r#"http_server_request_duration_seconds_count{service="misc",http_route="/api/ping",http_request_method="GET",http_response_status_code="200"} 2"#,
        r#"http_server_request_duration_seconds_count{service="orders",http_route="/api/orders/{id}",http_request_method="GET",http_response_status_code="404"} 1"#,
        r#"http_server_request_duration_seconds_count{service="orders",http_route="/api/orders/{id}",http_request_method="DELETE",http_response_status_code="404"} 1"#,
        r#"http_server_request_duration_seconds_count{service="front",http_route="other",http_request_method="_OTHER",http_response_status_code="404"} 1"#,
    ] {
        assert!(text.contains(line), "{line} is not in\n{text}");
    }
    assert!(!text.contains("made"), "{text}");
}
