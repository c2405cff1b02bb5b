//! What a load was promised and shown, and the report of it.

use std::time::Duration;

use serde_json::json;
use tokio::time::Instant;
use woody_core::domain::OrderId;

use crate::commands::output::Output;

/// What this run was promised and shown.
#[derive(Default)]
pub(super) struct Books {
    /// What this run calls its submits: `RUN-0`, `RUN-1`, …
    pub(super) run: String,
    pub(super) promised: Vec<(OrderId, u64)>,
    took: Vec<Duration>,
    accepted_at: Vec<Instant>,
    /// Answers to what was asked too.
    also_answered: u64,
    refused: u64,
    failed: u64,
    /// The first failure or refusal, in words.
    first_failure: Option<String>,
}

/// How one request was answered.
pub(super) enum Answer {
    Promised(OrderId),
    /// One that was no order, with what it asked for.
    Given,
    /// 503 or 429, and what it said.
    Refused(String),
    Failed(String),
}

impl Books {
    /// Empty books of a run.
    pub(super) fn of(run: String) -> Self {
        Self { run, ..Self::default() }
    }

    pub(super) fn note(&mut self, submit: u64, asked: Instant, answer: Answer) {
        match answer {
            Answer::Promised(id) => {
                self.promised.push((id, submit));
                self.took.push(asked.elapsed());
                self.accepted_at.push(Instant::now());
            }
            Answer::Given => self.also_answered += 1,
            Answer::Refused(what) => {
                self.refused += 1;
                self.first_failure.get_or_insert(what);
            }
            Answer::Failed(what) => {
                self.failed += 1;
                self.first_failure.get_or_insert(what);
            }
        }
    }

    /// How long `percent` of the promises took at most.
    fn percentile(&mut self, percent: usize) -> Duration {
        self.took.sort_unstable();
        let rank = (self.took.len() * percent).div_ceil(100);
        self.took.get(rank.saturating_sub(1)).copied().unwrap_or_default()
    }

    /// The longest time, while orders were placed, in which none was accepted.
    fn longest_gap(&self, began: Instant, stopped: Instant) -> Duration {
        let mut marks = vec![began, stopped];
        marks.extend(&self.accepted_at);
        marks.sort_unstable();
        let gaps = marks.windows(2).map(|pair| pair[1] - pair[0]);
        gaps.max().unwrap_or_default()
    }
}

pub(super) fn report(mut books: Books, began: Instant, stopped: Instant) -> Output {
    let seconds = (stopped - began).as_secs_f64();
    let ms = |time: Duration| (time.as_secs_f64() * 1e4).round() / 10.0;
    let (p50, p99) = (ms(books.percentile(50)), ms(books.percentile(99)));
    let gap = ms(books.longest_gap(began, stopped));
    let accepted = books.promised.len();
    let mut pairs = vec![
        ("seconds", format!("{seconds:.1}")),
        ("accepted", accepted.to_string()),
        ("also answered", books.also_answered.to_string()),
        ("refused (503, 429)", books.refused.to_string()),
        ("failed", books.failed.to_string()),
        ("p50 ms", p50.to_string()),
        ("p99 ms", p99.to_string()),
        ("longest gap ms", gap.to_string()),
    ];
    pairs.extend(books.first_failure.clone().map(|what| ("first failure", what)));
    let output = Output::pairs(
        &pairs,
        json!({
            "seconds": seconds,
            "accepted": accepted,
            "also_answered": books.also_answered,
            "refused": books.refused,
            "failed": books.failed,
            "p50_ms": p50,
            "p99_ms": p99,
            "longest_gap_ms": gap,
            "first_failure": books.first_failure,
        }),
    );
    if books.refused + books.failed == 0 && accepted > 0 { output } else { output.failing() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_gap_counts_from_the_beginning_to_the_end() {
        let began = Instant::now();
        let at = |ms| began + Duration::from_millis(ms);
        let ms = Duration::from_millis;
        let books = Books { accepted_at: vec![at(900), at(300), at(1_000)], ..Books::default() };
        assert_eq!(books.longest_gap(began, at(1_100)), ms(600));
        assert_eq!(books.longest_gap(began, at(2_000)), ms(1_000));
        // A response that came after the last order was placed.
        assert_eq!(books.longest_gap(began, at(950)), ms(600));
        assert_eq!(Books::default().longest_gap(began, at(500)), ms(500));
    }

    #[test]
    fn a_percentile_is_at_least_as_long_as_so_many() {
        let took = |times: &[u64]| Books {
            took: times.iter().copied().map(Duration::from_millis).collect(),
            ..Books::default()
        };
        assert_eq!(Books::default().percentile(99), Duration::ZERO);
        assert_eq!(took(&[7]).percentile(99), Duration::from_millis(7));
        assert_eq!(took(&[900, 5]).percentile(99), Duration::from_millis(900));
        assert_eq!(took(&[900, 5]).percentile(50), Duration::from_millis(5));
        let hundred = took(&(1..=100).rev().collect::<Vec<_>>()).percentile(99);
        assert_eq!(hundred, Duration::from_millis(99));
    }
}
