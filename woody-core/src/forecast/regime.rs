use std::{array, collections::VecDeque, time::Duration};

use super::expectation::{Expectation, Within};

/// What was learned of orders with a wait of about the same length.
///
/// A score says how far an order was from its wait, in units of the wait and of what is usual
/// beside it: so orders that waited a second and four can be compared. The times that are
/// foretold are quantiles of the scores. Which quantile is moved a little with each order that
/// is late, and back with each that is not: adaptive conformal inference (Gibbs and Candès,
/// 2021), which keeps its word whatever the distribution does.
#[derive(Debug)]
struct Regime {
    /// Waits, and what orders took, in seconds.
    pairs: VecDeque<(f64, f64)>,
    last: Option<Duration>,
    /// What is usual beside the wait, in seconds.
    beside: f64,
    /// Sorted.
    scores: Vec<f64>,
    levels: [f64; 2],
}

/// The first waits of the regimes after the first one, in seconds.
const FROM_S: [f64; 6] = [0.1, 0.4, 1.6, 6.4, 25.6, 102.4];
/// Orders that are remembered of each regime.
const KEPT: usize = 256;
/// With less than this nothing is said.
const ENOUGH: usize = 20;
/// How often the times are to be kept. The second is a little above what is promised: where
/// something changes at once (a worker is killed) orders are late, never early.
const KEPT_OFTEN: [f64; 2] = [0.5, 0.91];
/// Between which quantiles each may move.
const LEVELS: [(f64, f64); 2] = [(0.2, 0.8), (0.7, 0.998)];
/// How far an order moves the quantiles. Those of which nothing was heard for longest are judged
/// by the quantiles of that time, so where orders wait for long, each moves them less.
const STEP: f64 = 0.01;

impl Default for Regime {
    fn default() -> Self {
        let (pairs, scores) = (VecDeque::new(), Vec::new());
        Self { pairs, last: None, beside: LEAST_BESIDE_S, scores, levels: KEPT_OFTEN }
    }
}

/// By how much times get later with each second of a wait that is longer than any of which
/// something is known.
const UNKNOWN: [f64; 2] = [1.0, 1.25];
const LEAST_BESIDE_S: f64 = 0.001;

impl Regime {
    fn says_something(&self) -> bool {
        self.scores.len() >= ENOUGH
    }

    fn learned(&mut self, wait: f64, took: f64, at: Duration, apart: f64) {
        // Orders that come together are late together: one of them says it for all.
        if self.last.is_some_and(|last| at.saturating_sub(last).as_secs_f64() < apart) {
            return;
        }
        self.last = Some(at);
        if self.pairs.len() == KEPT {
            self.pairs.pop_front();
        }
        self.pairs.push_back((wait, took));
    }

    fn judged(&mut self, within: Within, took: Duration, step: f64) {
        for (n, time) in [within.p50, within.p90].into_iter().enumerate() {
            let late = if took > time { 1.0 } else { 0.0 };
            let level = self.levels[n] + step * (late - (1.0 - KEPT_OFTEN[n]));
            self.levels[n] = level.clamp(LEVELS[n].0, LEVELS[n].1);
        }
        self.levels[0] = self.levels[0].min(self.levels[1]);
    }

    fn settle(&mut self) {
        let mut beside: Vec<f64> =
            self.pairs.iter().map(|(wait, took)| (took - wait).abs()).collect();
        beside.sort_by(f64::total_cmp);
        let median = beside.get(beside.len() / 2).copied().unwrap_or(0.0);
        self.beside = median.max(LEAST_BESIDE_S);
        let score = |(wait, took): &(f64, f64)| (took - wait) / (wait + self.beside);
        self.scores = self.pairs.iter().map(score).collect();
        self.scores.sort_by(f64::total_cmp);
    }

    /// Returns the two times of a wait, in seconds. A score is above -1, so a longer wait gives
    /// later times.
    fn times(&self, wait: f64) -> [f64; 2] {
        self.levels.map(|level| {
            let score = self.scores.get(place(level, self.scores.len())).copied();
            wait + (wait + self.beside) * score.unwrap_or(0.0)
        })
    }
}

/// Where in so many sorted scores the quantile is.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "levels are between 0 and 1, and scores are few"
)]
fn place(level: f64, scores: usize) -> usize {
    let rank = (level * (scores as f64 + 1.0)).ceil() as usize;
    rank.clamp(1, scores.max(1)) - 1
}

/// What was learned, by how long orders waited.
#[derive(Debug)]
pub(super) struct Regimes([Regime; FROM_S.len() + 1]);

impl Default for Regimes {
    fn default() -> Self {
        Self(array::from_fn(|_| Regime::default()))
    }
}

impl Regimes {
    pub(super) fn settle(&mut self) {
        // Only where something was learned would it change anything.
        self.0.iter_mut().filter(|regime| !regime.pairs.is_empty()).for_each(Regime::settle);
    }

    pub(super) fn learned(&mut self, expected: &Expectation, took: Duration, at: Duration) {
        let wait = expected.wait.as_secs_f64();
        let own = regime(wait);
        let apart = FROM_S.get(own).map_or(12.5, |first| first / 32.0).max(1.0 / 16.0);
        let regime = &mut self.0[own];
        regime.learned(wait, took.as_secs_f64(), at, apart);
        if let Some(within) = expected.ends_within {
            regime.judged(within, took, STEP / (1.0 + took.as_secs_f64() / 2.0));
        }
    }

    /// Returns within which times an order with this wait ends; `None` without data.
    ///
    /// No longer wait has an earlier time: what a shorter one has by its regime counts for all
    /// that are longer. A regime of which too little is known says what the nearest says,
    /// shorter ones first.
    pub(super) fn within(&self, wait: Duration) -> Option<Within> {
        let wait = wait.as_secs_f64();
        let own = regime(wait);
        let mut times = self.times(own, wait)?;
        for (n, longest) in FROM_S.into_iter().enumerate().take(own) {
            let before = self.times(n, longest)?;
            times = array::from_fn(|n| times[n].max(before[n]));
        }
        let [p50, p90] = times.map(|seconds| Duration::from_secs_f64(seconds.max(0.0)));
        Some(Within { p50, p90: p90.max(p50) })
    }

    /// Returns the two times of a wait that belongs to this regime, in seconds.
    fn times(&self, own: usize, wait: f64) -> Option<[f64; 2]> {
        let says = |n: &usize| self.0[*n].says_something();
        if let Some(shorter) = (0..=own).rev().find(says) {
            let known = if shorter < own { FROM_S[shorter] } else { wait };
            let times = self.0[shorter].times(known);
            return Some(array::from_fn(|n| times[n] + (wait - known) * UNKNOWN[n]));
        }
        (own..self.0.len()).find(says).map(|longer| self.0[longer].times(wait))
    }
}

fn regime(wait: f64) -> usize {
    FROM_S.iter().filter(|first| wait >= **first).count()
}
