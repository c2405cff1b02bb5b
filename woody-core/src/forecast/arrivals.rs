use std::{collections::VecDeque, time::Duration};

use super::counts::as_f64;

/// How many orders come by other ways than this process: between two samples nobody tells it of
/// them.
#[derive(Debug, Default)]
pub(super) struct Arrivals {
    /// Spans between samples, in seconds, and what came in them by others.
    spans: VecDeque<(f64, f64)>,
    seconds: f64,
}

/// What is older than this says nothing of now.
const KEPT_S: f64 = 2.0;

impl Arrivals {
    /// Notes a span in which so many orders have come to the queue, and so many of them from here.
    pub(super) fn noted(&mut self, span: Duration, arrived: u64, from_here: u64) {
        let others = as_f64(arrived) - as_f64(from_here);
        self.spans.push_back((span.as_secs_f64(), others));
        self.seconds += span.as_secs_f64();
        while self.spans.len() > 1 && self.seconds > KEPT_S {
            self.seconds -= self.spans.pop_front().map_or(0.0, |(seconds, _)| seconds);
        }
    }

    /// Returns how many come from others in a time of this length, by what was seen lately.
    pub(super) fn of_others_within(&self, time: Duration) -> f64 {
        let (seconds, others) =
            self.spans.iter().fold((0.0, 0.0), |sum, span| (sum.0 + span.0, sum.1 + span.1));
        if seconds > 0.0 { (others / seconds * time.as_secs_f64()).max(0.0) } else { 0.0 }
    }
}
