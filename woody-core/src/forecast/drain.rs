use std::{collections::VecDeque, time::Duration};

use super::counts::as_f64;

/// How fast workers take orders off the queue.
///
/// That shows only while orders wait: otherwise as many end as come, however many could. So
/// what is foretold of a queue comes from times at which one was there.
#[derive(Debug, Default)]
pub(super) struct Drain {
    /// The spans in which orders waited.
    busy: Spans,
    /// All of them.
    all: Spans,
}

/// Spans that follow each other are kept as one until it is a second long.
#[derive(Debug, Default)]
struct Spans(VecDeque<Span>);

#[derive(Debug)]
struct Span {
    seconds: f64,
    ended: f64,
    workers: Option<u64>,
}

/// Spans that are kept.
const KEPT: usize = 512;
/// How much of the time lately says how fast it goes; for a long wait as much as it is long,
/// since what is uneven evens out in it. Where few orders end, it takes so many of them.
const LATELY_S: f64 = 8.0;
const LONG_S: f64 = 60.0;
const ENDS: f64 = 16.0;
/// As long as no queue was seen, no more than this is foretold of one.
const UNSEEN_S: f64 = 2.0;
/// A queue is one that lasts for so many spans: a shorter one is there by chance, in moments
/// at which few orders end.
const LASTS: f64 = 4.0;
const FEWEST: f64 = 2.0;
/// Slower than one order in eleven days is not told apart.
const SLOWEST: f64 = 1e-6;

impl Drain {
    /// Notes a span in which so many orders have ended, and how many waited before and after.
    pub(super) fn noted(
        &mut self,
        span: Duration,
        ended: u64,
        workers: Option<u64>,
        (before, after): (u64, u64),
    ) {
        let (seconds, ended) = (span.as_secs_f64(), as_f64(ended));
        let usual = self.all.rate(None, LATELY_S).unwrap_or(0.0) * seconds;
        if as_f64(before) >= FEWEST.max(LASTS * usual) && after > 0 {
            self.busy.push(Span { seconds, ended, workers });
        }
        self.all.push(Span { seconds, ended, workers });
    }

    /// Returns how long so many orders take, in seconds, with so many workers.
    pub(super) fn seconds_for(&self, orders: f64, workers: Option<u64>) -> Option<f64> {
        let Some(rate) = self.busy.rate(workers, LATELY_S) else {
            let seconds = orders / self.all.rate(workers, LATELY_S)?.max(SLOWEST);
            return (seconds <= UNSEEN_S).then_some(seconds);
        };
        let window = (orders / rate.max(SLOWEST)).clamp(LATELY_S, LONG_S);
        let rate = self.busy.rate(workers, window).unwrap_or(rate);
        Some(orders / rate.max(SLOWEST))
    }
}

impl Spans {
    fn push(&mut self, next: Span) {
        if let Some(last) = self.0.back_mut()
            && last.seconds < 1.0
            && last.workers == next.workers
        {
            last.seconds += next.seconds;
            last.ended += next.ended;
            return;
        }
        if self.0.len() == KEPT {
            self.0.pop_front();
        }
        self.0.push_back(next);
    }

    /// Returns how many orders end each second by the last `window` seconds, if there were as
    /// many workers as now.
    fn rate(&self, workers: Option<u64>, window: f64) -> Option<f64> {
        let (mut seconds, mut ended, mut counted) = (0.0, 0.0, 0.0);
        for span in self.0.iter().rev() {
            let scale = match (workers, span.workers) {
                (Some(now), Some(then)) if then > 0 => as_f64(now) / as_f64(then),
                _ => 1.0,
            };
            seconds += span.seconds;
            ended += span.ended * scale;
            counted += span.ended;
            if seconds >= window && counted >= ENDS {
                break;
            }
        }
        (seconds > 0.0).then(|| ended / seconds)
    }
}
