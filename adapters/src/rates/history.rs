use std::{
    collections::VecDeque,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

use super::counts::Counts;

/// What was counted in the last hour, a sample every ten seconds.
///
/// It is the process's own memory: it begins with the process and ends with it. It has room for
/// [`MOST`](Self::MOST) samples, some 35 KB.
#[derive(Debug, Default)]
pub(crate) struct RateHistory {
    samples: Mutex<VecDeque<Sample>>,
}

#[derive(Debug, Clone, Copy)]
struct Sample {
    at: Instant,
    counts: Counts,
}

/// Orders each second; `None` of what is not counted here.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Rates {
    pub(crate) accepted: Option<f64>,
    pub(crate) published: Option<f64>,
    pub(crate) validated: Option<f64>,
    pub(crate) retried: Option<f64>,
    pub(crate) ended: Option<f64>,
}

/// How much went through the process at a time of the last hour.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Moment {
    /// How long ago it ended.
    pub(crate) ago: Duration,
    pub(crate) rates: Rates,
}

impl RateHistory {
    /// Samples of an hour, and the one before them.
    pub(crate) const MOST: usize = 361;
    /// How far apart they are.
    pub(crate) const EVERY: Duration = Duration::from_secs(10);
    /// What is older is not told.
    pub(crate) const SPAN: Duration = Duration::from_hours(1);

    /// Keeps what was counted until `at`. What is not later than the last sample is ignored.
    pub(crate) fn sampled(&self, at: Instant, counts: Counts) {
        let mut samples = self.lock();
        if samples.back().is_some_and(|last| last.at >= at) {
            return;
        }
        if samples.len() >= Self::MOST {
            samples.pop_front();
        }
        samples.push_back(Sample { at, counts });
    }

    /// Returns how much goes through now, if this was counted until `now`: on average since the last sample that is some
    /// seconds old.
    pub(crate) fn rates(&self, now: Instant, counts: Counts) -> Rates {
        let samples = self.lock();
        let old = |sample: &&Sample| now.saturating_duration_since(sample.at) * 2 >= Self::EVERY;
        let before = samples.iter().rev().find(old);
        before.map_or_else(Rates::default, |before| {
            Rates::between(before, &Sample { at: now, counts })
        })
    }

    /// Returns the last hour, the oldest first.
    pub(crate) fn moments(&self, now: Instant) -> Vec<Moment> {
        let samples = self.lock();
        let pairs = samples.iter().zip(samples.iter().skip(1));
        let moments = pairs.map(|(before, after)| Moment {
            ago: now.saturating_duration_since(after.at),
            rates: Rates::between(before, after),
        });
        moments.filter(|moment| moment.ago <= Self::SPAN).collect()
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<Sample>> {
        self.samples.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Rates {
    fn between(before: &Sample, after: &Sample) -> Self {
        let seconds = (after.at - before.at).as_secs_f64();
        let rate = |count: fn(&Counts) -> Option<u64>| {
            // What was counted for the first time meanwhile was zero before.
            let more = count(&after.counts)?.saturating_sub(count(&before.counts).unwrap_or(0));
            Some(as_f64(more) / seconds.max(f64::MIN_POSITIVE))
        };
        Self {
            accepted: rate(|counts| counts.accepted),
            published: rate(|counts| counts.published),
            validated: rate(|counts| counts.validated),
            retried: rate(|counts| counts.retried),
            ended: rate(|counts| counts.ended),
        }
    }
}

/// Counts of seconds are far from where this loses a digit.
#[expect(clippy::cast_precision_loss)]
fn as_f64(count: u64) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn accepted(count: u64) -> Counts {
        Counts { accepted: Some(count), ..Counts::default() }
    }

    #[test]
    fn a_rate_is_of_the_seconds_since_the_last_sample() {
        let (history, began) = (RateHistory::default(), Instant::now());
        assert_eq!(history.rates(began, accepted(5)), Rates::default());
        history.sampled(began, Counts::default());
        history.sampled(began + RateHistory::EVERY, accepted(100));
        // A sample that was made just now says nothing yet: the one before it does.
        let now = began + Duration::from_secs(12);
        assert_eq!(history.rates(now, accepted(120)).accepted, Some(10.0));
        let now = began + Duration::from_secs(20);
        assert_eq!(history.rates(now, accepted(120)).accepted, Some(2.0));
        assert_eq!(history.rates(now, accepted(120)).ended, None);
    }

    #[test]
    fn an_hour_is_kept_and_no_more() {
        let (history, began) = (RateHistory::default(), Instant::now());
        let samples = u32::try_from(2 * RateHistory::MOST).unwrap();
        for nth in 0..samples {
            history.sampled(began + RateHistory::EVERY * nth, accepted(u64::from(nth) * 30));
            // Twice the same is once.
            history.sampled(began + RateHistory::EVERY * nth, accepted(0));
        }
        let moments = history.moments(began + RateHistory::EVERY * (samples - 1));
        assert_eq!(moments.len(), RateHistory::MOST - 1);
        assert!(moments.iter().all(|moment| moment.rates.accepted == Some(3.0)));
        assert_eq!(moments.last().map(|moment| moment.ago), Some(Duration::ZERO));
        assert!(moments.iter().all(|moment| moment.ago <= RateHistory::SPAN));
        assert!(history.moments(began + RateHistory::EVERY * (3 * samples)).is_empty());
    }
}
