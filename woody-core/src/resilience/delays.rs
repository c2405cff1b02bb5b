use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBackoff, ExponentialBuilder};

/// Growing pauses with jitter, for something that is tried until it works.
#[derive(Debug)]
pub struct RetryDelays {
    first: Duration,
    longest: Duration,
    /// Since the first failure: most of what is tried works, and has no need of the room.
    pauses: Option<Box<ExponentialBackoff>>,
}

impl RetryDelays {
    /// Makes pauses that begin at `first` and grow to `longest`.
    pub fn new(first: Duration, longest: Duration) -> Self {
        Self { first, longest, pauses: None }
    }

    /// Returns the pause after one more failure.
    pub fn next_delay(&mut self) -> Duration {
        let (first, longest) = (self.first, self.longest);
        let pauses = self.pauses.get_or_insert_with(|| Box::new(growing(first, longest)));
        pauses.next().unwrap_or(self.longest).min(self.longest)
    }

    /// Whether nothing has failed since the last success.
    pub fn is_clear(&self) -> bool {
        self.pauses.is_none()
    }

    /// Notes a success; returns whether there were failures before it.
    pub fn clear(&mut self) -> bool {
        self.pauses.take().is_some()
    }
}

/// Returns the pause before the try that follows attempt number `attempt` (from 1):
/// about `base`, doubled with each attempt, never above an hour.
pub(crate) fn pause_after(attempt: u32, base: Duration) -> Duration {
    const LONGEST: Duration = Duration::from_hours(1);
    growing(base, LONGEST)
        .nth(attempt.saturating_sub(1).min(63) as usize)
        .unwrap_or(LONGEST)
        .min(LONGEST)
}

/// Returns pauses without an end.
fn growing(first: Duration, longest: Duration) -> ExponentialBackoff {
    ExponentialBuilder::new()
        .with_min_delay(first)
        .with_max_delay(longest)
        .with_jitter()
        .without_max_times()
        .build()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_and_stay_bounded() {
        let base = Duration::from_secs(1);
        for (attempt, at_least) in [(1, 1), (2, 2), (3, 4), (4, 8), (40, 3_600), (u32::MAX, 3_600)]
        {
            let pause = pause_after(attempt, base);
            assert!(pause >= Duration::from_secs(at_least), "attempt {attempt}: {pause:?}");
            assert!(pause <= Duration::from_hours(1));
        }
    }

    #[test]
    fn a_success_starts_over() {
        let mut delays = RetryDelays::new(Duration::from_millis(10), Duration::from_secs(1));
        assert!(delays.is_clear());
        assert!(!delays.clear());
        for _ in 0..10 {
            delays.next_delay();
        }
        assert!(delays.next_delay() >= Duration::from_millis(500));
        assert!(delays.clear());
        assert!(delays.next_delay() < Duration::from_millis(50));
    }
}
