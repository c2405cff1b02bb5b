use std::time::Duration;

use super::{
    arrivals::Arrivals,
    counts::as_f64,
    drain::Drain,
    expectation::{Expectation, Within},
    history::History,
    regime::Regimes,
};

/// How full a queue was at a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QueueSample {
    /// When it was looked at.
    pub at: Duration,
    /// Messages that waited for a worker.
    pub waiting: u64,
    /// Workers that took them; `None` where nobody tells.
    pub workers: Option<u64>,
}

/// Foretells when orders end.
///
/// Times are readings of one clock that never goes back, from any beginning: `at`. What it keeps
/// is bounded, some 100 KB, and what a call costs does not depend on how many orders there are.
///
/// ```
/// use std::time::Duration;
/// use woody_core::forecast::{Forecaster, QueueSample};
///
/// let mut forecaster = Forecaster::new();
/// // A worker takes a second for each order, and five wait.
/// for second in 0..60 {
///     let at = Duration::from_secs(second);
///     forecaster.sampled(QueueSample { at, waiting: 5, workers: Some(1) });
///     if let Some(expected) = forecaster.accepted(at) {
///         forecaster.learned(&expected, Duration::from_secs(6), at);
///     }
///     forecaster.ended();
/// }
/// let expected = forecaster.expects(Duration::from_secs(60)).unwrap();
/// assert_eq!(expected.ends_within.unwrap().p90.as_secs(), 6);
/// ```
#[derive(Debug, Default)]
pub struct Forecaster {
    last: Option<QueueSample>,
    /// Orders accepted here since the last sample.
    accepted: u64,
    /// Orders ended since the last sample, and all that ever did.
    ended: u64,
    ended_ever: u64,
    arrivals: Arrivals,
    drain: Drain,
    regimes: Regimes,
    history: History,
}

/// No wait is told that is longer.
const LONGEST: Duration = Duration::from_hours(24);

impl Forecaster {
    /// Makes one that knows nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes in how full the queue is. A sample that is not later than the one before is ignored.
    pub fn sampled(&mut self, sample: QueueSample) {
        if let Some(last) = self.last {
            let Some(span) = sample.at.checked_sub(last.at).filter(|span| !span.is_zero()) else {
                return;
            };
            let workers = last.workers.min(sample.workers);
            self.drain.noted(span, self.ended, workers, (last.waiting, sample.waiting));
            let arrived = (sample.waiting + self.ended).saturating_sub(last.waiting);
            self.arrivals.noted(span, arrived, self.accepted);
        }
        (self.last, self.accepted, self.ended) = (Some(sample), 0, 0);
        self.history.noted(sample.at, sample.waiting, self.ended_ever);
        self.regimes.settle();
    }

    /// The queue cannot be looked at: until the next sample nothing is foretold.
    pub fn lost_sight(&mut self) {
        (self.last, self.accepted, self.ended) = (None, 0, 0);
    }

    /// Counts an order that was accepted here, and returns what can be said of it; `None` as
    /// long as there is no data, or nobody takes orders.
    pub fn accepted(&mut self, at: Duration) -> Option<Expectation> {
        let expected = self.expects(at);
        self.accepted = self.accepted.saturating_add(1);
        expected
    }

    /// Counts an order of this queue that a worker has ended, wherever it was accepted.
    pub fn ended(&mut self) {
        self.ended = self.ended.saturating_add(1);
        self.ended_ever = self.ended_ever.saturating_add(1);
    }

    /// Returns what can be said of an order that comes at this time.
    pub fn expects(&self, at: Duration) -> Option<Expectation> {
        let wait = self.wait_for(self.in_front(at)?)?;
        Some(Expectation { wait, ends_within: self.regimes.within(wait) })
    }

    /// Returns what can be said of an order behind so many others. With more in front of it no
    /// time is earlier.
    pub fn expects_behind(&self, in_front: u64) -> Option<Expectation> {
        self.last?;
        let wait = self.wait_for(as_f64(in_front))?;
        Some(Expectation { wait, ends_within: self.regimes.within(wait) })
    }

    /// Returns within which times an order ends that was accepted at `accepted` and has not
    /// ended; `None` when it should have ended before, and where nothing is known of that time:
    /// it is more than an hour ago, or before there was data.
    pub fn expects_of(&self, accepted: Duration, at: Duration) -> Option<Within> {
        self.last?;
        let place = self.history.place(accepted, self.ended_ever)?;
        if place.in_front >= 1.0 {
            let wait = self.wait_for(place.in_front)?;
            return self.regimes.within(wait);
        }
        // A worker has it: what is foretold is counted from when that was.
        let within = self.regimes.within(Duration::ZERO)?;
        let had = at.saturating_sub(place.taken_up);
        let p90 = within.p90.checked_sub(had)?;
        Some(Within { p50: within.p50.saturating_sub(had).min(p90), p90 })
    }

    /// Learns how long an order took of which this was foretold.
    pub fn learned(&mut self, expected: &Expectation, took: Duration, at: Duration) {
        self.regimes.learned(expected, took, at);
    }

    /// Returns how long it takes, if no order comes meanwhile, until the next one waits no
    /// longer than `most`; zero if it does not now, and `None` as long as nothing can be said.
    pub fn until_wait_is(&self, most: Duration, at: Duration) -> Option<Duration> {
        // The queue gets shorter by a second each second.
        Some(self.expects(at)?.wait.saturating_sub(most))
    }

    /// How many orders wait at this time: those of the last sample, and what has come and gone
    /// since.
    fn in_front(&self, at: Duration) -> Option<f64> {
        let last = self.last?;
        let others = self.arrivals.of_others_within(at.saturating_sub(last.at));
        let come = as_f64(last.waiting) + as_f64(self.accepted) + others;
        Some((come - as_f64(self.ended)).max(0.0))
    }

    fn wait_for(&self, in_front: f64) -> Option<Duration> {
        let workers = self.last?.workers;
        if workers == Some(0) {
            return None;
        }
        if in_front < 1.0 {
            return Some(Duration::ZERO);
        }
        let seconds = self.drain.seconds_for(in_front, workers)?;
        Some(Duration::from_secs_f64(seconds.clamp(0.0, LONGEST.as_secs_f64())))
    }
}

#[cfg(test)]
mod tests;
