use std::fmt;

use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use tracing::Level;
use tracing_subscriber::{
    Layer,
    filter::{ParseError, Targets},
    layer::SubscriberExt,
    util::SubscriberInitExt,
};
use woody_core::domain::TraceContext;

use super::{
    described::describe,
    log_lines::{JsonLogLines, LogLines},
};
use crate::{
    config::{ConfigError, LogArgs, LogFormat},
    otlp::SpanExport,
    terminal::{VisibleFields, has_colours},
};

/// What shows how the process is doing.
#[derive(Clone)]
pub struct Telemetry {
    /// Renders `/metrics`.
    pub metrics: PrometheusHandle,
}

impl fmt::Debug for Telemetry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Telemetry").finish_non_exhaustive()
    }
}

/// Bounds of the time histograms, in seconds: from a cache hit to a stuck call.
const SECONDS: [f64; 14] =
    [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];

/// Sends log lines to stderr, as `args` say.
///
/// # Errors
/// [`ConfigError`] for a filter that cannot be read.
pub fn start_logging(args: &LogArgs) -> Result<(), ConfigError> {
    start_telemetry(args, None)
}

/// Sends log lines to stderr, as `args` say, and spans of traces to who exports them.
pub(super) fn start_telemetry(
    args: &LogArgs,
    spans: Option<&SpanExport>,
) -> Result<(), ConfigError> {
    let filter = filter(&args.log)
        .map_err(|error| ConfigError::because(format!("WOODY_LOG={}", args.log), &error))?;
    // Where stderr takes no lines, saying so on stderr panics.
    let lines = tracing_subscriber::fmt::layer().log_internal_errors(false);
    let lines = match args.log_format {
        LogFormat::Text => {
            let ansi = has_colours(&std::io::stderr());
            let lines = lines.with_writer(LogLines::new(std::io::stderr()));
            let lines = lines.with_target(false).with_ansi(ansi);
            lines.fmt_fields(VisibleFields::default()).with_filter(filter).boxed()
        }
        LogFormat::Json => {
            let lines = lines.with_writer(JsonLogLines(LogLines::new(std::io::stderr())));
            lines.json().flatten_event(true).with_filter(filter).boxed()
        }
    };
    let mut layers = vec![lines];
    if let Some(spans) = spans {
        let traces = Targets::new().with_target(TraceContext::TARGET, Level::DEBUG);
        layers.push(spans.layer().with_filter(traces).boxed());
    }
    let started = tracing_subscriber::registry().with(layers).try_init();
    started.map_err(|error| ConfigError::because("logging cannot start", &error))
}

/// Reads what is logged.
fn filter(wished: &str) -> Result<Targets, ParseError> {
    // What these two log as errors is a connection that ended, which we log once and mend. Spans
    // of traces are no lines, and to enable them is to export them.
    let ours = ["lapin=off", "sqlx=error"];
    let spans = format!("{}=off", TraceContext::TARGET);
    let wished = wished.split(',').map(str::trim).filter(|part| !part.is_empty());
    let all = ours.into_iter().chain(wished).chain([&*spans]);
    all.collect::<Vec<_>>().join(",").parse()
}

/// Begins to count.
///
/// # Errors
/// [`ConfigError`] when something else in the process counts already.
pub fn start_metrics() -> Result<Telemetry, ConfigError> {
    PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), &SECONDS)
        .and_then(PrometheusBuilder::install_recorder)
        .map(|metrics| {
            describe();
            Telemetry { metrics }
        })
        .map_err(|error| ConfigError::because("metrics cannot start", &error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_level_is_of_all_and_of_a_module_of_it_alone() {
        let logged = filter(" info, woody_store=debug,,").unwrap();
        assert!(logged.would_enable("woody_core::services", &Level::INFO));
        assert!(!logged.would_enable("woody_core::services", &Level::DEBUG));
        assert!(logged.would_enable("woody_store::sqlite", &Level::DEBUG));
        assert!(!logged.would_enable("lapin", &Level::ERROR));
        assert!(!logged.would_enable("sqlx::query", &Level::WARN));
        let ours = filter("lapin=debug,off").unwrap();
        assert!(ours.would_enable("lapin::channel", &Level::DEBUG));
        assert!(!ours.would_enable("woody_core", &Level::ERROR));
        assert!(
            !filter("trace,woody.trace=debug")
                .unwrap()
                .would_enable(TraceContext::TARGET, &Level::DEBUG)
        );
        assert!(filter("woody_store=loud").is_err());
    }
}
