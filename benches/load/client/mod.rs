//! Clients that ask, and what they saw.

mod closed_loop;
mod connection;
mod open_loop;

use std::time::Duration;

pub use closed_loop::{impatient, one_after_another};
pub use connection::{Connection, get, order, order_of, post};
pub use open_loop::{Placed, at_a_rate, at_a_rate_telling, at_random};

use crate::figures::{Figures, Latencies};

/// What the clients saw together.
pub struct Seen {
    /// Answers of the wanted kind: 200, 201 or 202.
    pub good: u64,
    /// 503 and 429.
    pub refused: u64,
    /// Anything else, a connection that was closed too.
    pub failed: u64,
    pub elapsed: Duration,
    /// Of the good answers.
    pub latencies: Latencies,
}

impl Seen {
    fn nothing() -> Self {
        let elapsed = Duration::ZERO;
        Self { good: 0, refused: 0, failed: 0, elapsed, latencies: Latencies::new() }
    }

    fn note(&mut self, status: Option<u16>, took: Duration) {
        match status {
            Some(200..=202) => {
                self.good += 1;
                self.latencies.record(took);
            }
            Some(429 | 503) => self.refused += 1,
            _ => self.failed += 1,
        }
    }

    fn add(&mut self, others: &Self) {
        self.good += others.good;
        self.refused += others.refused;
        self.failed += others.failed;
        self.latencies.add(&others.latencies);
    }

    pub fn answers(&self) -> u64 {
        self.good + self.refused
    }

    pub fn per_second(&self) -> f64 {
        self.good as f64 / self.elapsed.as_secs_f64()
    }

    /// Good answers a second, and what was not good if there was any.
    pub fn figures(&self) -> Figures {
        let mut figures = Figures::rate(self.per_second()).with_latencies(&self.latencies);
        for (name, count) in [("refused", self.refused), ("failed", self.failed)] {
            if count > 0 {
                figures = figures.with(name, count as f64);
            }
        }
        figures
    }
}
