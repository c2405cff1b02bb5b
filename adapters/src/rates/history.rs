use std::{
    collections::VecDeque,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

use super::counts::Counts;

/// How far back a history goes, and how far its samples are apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) whole: Duration,
    pub(crate) every: Duration,
}

impl Span {
    /// How often the process is asked what it has counted.
    pub(crate) const SAMPLED_EVERY: Duration = Duration::from_secs(10);
    pub(crate) const HOUR: Self =
        Self { whole: Duration::from_hours(1), every: Self::SAMPLED_EVERY };
    pub(crate) const DAY: Self =
        Self { whole: Duration::from_hours(24), every: Duration::from_mins(4) };
}

/// What was counted in the last hour, or day.
///
/// It is the process's own memory: it begins with the process and ends with it. It has room for
/// [`MOST`](Self::MOST) samples, some 35 KB.
#[derive(Debug)]
pub(crate) struct RateHistory {
    span: Span,
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

/// How much went through the process at a time that is over.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Moment {
    /// How long ago it ended.
    pub(crate) ago: Duration,
    pub(crate) rates: Rates,
}

impl RateHistory {
    /// Samples of an hour or a day, and the one before them.
    pub(crate) const MOST: usize = 361;

    pub(crate) fn of(span: Span) -> Self {
        Self { span, samples: Mutex::default() }
    }

    /// Keeps what was counted until `at`, unless that is too soon after the last sample.
    pub(crate) fn sampled(&self, at: Instant, counts: Counts) {
        let mut samples = self.lock();
        // Whoever asks every ten seconds is sometimes a moment early.
        let due = self.span.every.saturating_sub(Span::SAMPLED_EVERY / 2);
        if samples.back().is_some_and(|last| at < last.at + due) {
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
        let old =
            |sample: &&Sample| now.saturating_duration_since(sample.at) * 2 >= self.span.every;
        let before = samples.iter().rev().find(old);
        before.map_or_else(Rates::default, |before| {
            Rates::between(before, &Sample { at: now, counts })
        })
    }

    /// Returns what went through in its span, the oldest first.
    pub(crate) fn moments(&self, now: Instant) -> Vec<Moment> {
        let samples = self.lock();
        let pairs = samples.iter().zip(samples.iter().skip(1));
        let moments = pairs.map(|(before, after)| Moment {
            ago: now.saturating_duration_since(after.at),
            rates: Rates::between(before, after),
        });
        moments.filter(|moment| moment.ago <= self.span.whole).collect()
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
        let (history, began) = (RateHistory::of(Span::HOUR), Instant::now());
        assert_eq!(history.rates(began, accepted(5)), Rates::default());
        history.sampled(began, Counts::default());
        history.sampled(began + Span::SAMPLED_EVERY, accepted(100));
        // A sample that was made just now says nothing yet: the one before it does.
        let now = began + Duration::from_secs(12);
        assert_eq!(history.rates(now, accepted(120)).accepted, Some(10.0));
        let now = began + Duration::from_secs(20);
        assert_eq!(history.rates(now, accepted(120)).accepted, Some(2.0));
        assert_eq!(history.rates(now, accepted(120)).ended, None);
    }

    #[test]
    fn an_hour_or_a_day_is_kept_and_no_more() {
        for span in [Span::HOUR, Span::DAY] {
            let (history, began) = (RateHistory::of(span), Instant::now());
            let asked =
                u32::try_from(span.every.as_secs() / Span::SAMPLED_EVERY.as_secs()).unwrap();
            let times = asked * u32::try_from(2 * RateHistory::MOST).unwrap();
            for nth in 0..times {
                // A moment early or late, as timers are.
                let early = Duration::from_millis(if nth.is_multiple_of(2) { 0 } else { 3 });
                let at = began + Span::SAMPLED_EVERY * (nth + 1) - early;
                history.sampled(at, accepted(u64::from(nth) * 30));
                // Twice the same is once.
                history.sampled(at, accepted(0));
            }
            let now = began + Span::SAMPLED_EVERY * times;
            let moments = history.moments(now);
            assert!(moments.len() >= RateHistory::MOST - 2, "{span:?}: {}", moments.len());
            for moment in &moments {
                let rate = moment.rates.accepted.unwrap();
                assert!((2.99..3.01).contains(&rate) && moment.ago <= span.whole, "{moment:?}");
            }
            assert!(moments.last().unwrap().ago < span.every, "{moments:?}");
            assert!(moments[0].ago + span.every * 2 > span.whole, "{:?}", moments[0]);
            assert!(history.moments(now + span.whole * 2).is_empty());
        }
    }
}
