use clap::Args;

use crate::http::Sampling;

/// Traces of requests and of what becomes of their orders (OpenTelemetry).
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Traces")]
pub struct TraceArgs {
    /// Where spans are sent, by OTLP over HTTP: a collector's address, to which /v1/traces is added.
    /// None are recorded unless it is set.
    #[arg(long, env = "WOODY_TRACE_URL", value_name = "http://HOST:4318")]
    pub trace_url: Option<String>,
    /// How many requests that belong to no trace begin one (0 to 1). A request that belongs to one is
    /// recorded if its client records it.
    #[arg(long, env = "WOODY_TRACE_SAMPLE", default_value = "0.01", value_name = "RATIO",
          value_parser = ratio)]
    pub trace_sample: f64,
}

impl TraceArgs {
    /// How many requests begin a trace: none where no spans are sent.
    pub fn sampling(&self) -> Sampling {
        if self.trace_url.is_some() { Sampling::of(self.trace_sample) } else { Sampling::off() }
    }
}

fn ratio(text: &str) -> Result<f64, String> {
    // Not a number is in no range.
    text.parse()
        .ok()
        .filter(|ratio| (0.0..=1.0).contains(ratio))
        .ok_or_else(|| "must be a number from 0 to 1, such as 0.01".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ratio_is_from_none_to_all() {
        for good in ["0", "1", "0.01", "1e-6", "1.0"] {
            assert!(ratio(good).is_ok(), "{good}");
        }
        for bad in ["", "-0.1", "1.1", "NaN", "inf", "1%", "all"] {
            assert!(ratio(bad).unwrap_err().contains("from 0 to 1"), "{bad}");
        }
    }
}
