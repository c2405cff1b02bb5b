//! What one measurement found.

use std::{collections::BTreeMap, time::Duration};

use hdrhistogram::Histogram;
use serde::{Deserialize, Serialize};

/// What was measured once: figures by their names. Rates are per second, times in
/// milliseconds, processor time in microseconds for each thing that was done.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Figures(pub BTreeMap<String, f64>);

impl Figures {
    /// The figure that a row is compared by.
    pub const RATE: &str = "rate";

    pub fn rate(per_second: f64) -> Self {
        Self::default().with(Self::RATE, per_second)
    }

    pub fn with(mut self, name: &str, value: f64) -> Self {
        self.0.insert(name.to_owned(), value);
        self
    }

    /// Adds the quantiles of `latencies`.
    pub fn with_latencies(self, latencies: &Latencies) -> Self {
        if latencies.count() == 0 {
            return self;
        }
        self.with("p50 ms", latencies.quantile_ms(0.50))
            .with("p99 ms", latencies.quantile_ms(0.99))
            .with("p99.9 ms", latencies.quantile_ms(0.999))
            .with("max ms", latencies.quantile_ms(1.0))
    }
}

/// How long things took, with three digits of every time up to ten minutes.
pub struct Latencies(Histogram<u64>);

impl Latencies {
    pub fn new() -> Self {
        Self(Histogram::new_with_bounds(1, 600_000_000, 3).expect("bounds that make sense"))
    }

    pub fn record(&mut self, took: Duration) {
        self.0.saturating_record(u64::try_from(took.as_micros()).unwrap_or(u64::MAX));
    }

    pub fn add(&mut self, others: &Self) {
        self.0.add(&others.0).expect("histograms of the same bounds");
    }

    pub fn count(&self) -> u64 {
        self.0.len()
    }

    pub fn quantile_ms(&self, quantile: f64) -> f64 {
        self.0.value_at_quantile(quantile) as f64 / 1_000.0
    }
}
