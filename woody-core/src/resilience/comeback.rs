use std::time::Duration;

use tokio::time::Instant;

use super::RetryDelays;

/// The way back to something that is kept in use and was lost: when to try again,
/// and what is news.
///
/// Code that keeps up a connection or a subscription, or writes a file, calls
/// [`lost`](Self::lost) at every failure and [`back`](Self::back) whenever it works.
/// The first failure and the return are worth a line in the log, what is between
/// them is not.
///
/// ```
/// use std::time::Duration;
/// use woody_core::resilience::Comeback;
///
/// let mut comeback = Comeback::new(Duration::from_millis(100), Duration::from_secs(2));
/// assert!(comeback.back().is_none(), "it was never lost");
/// assert!(comeback.lost().is_news);
/// assert!(!comeback.lost().is_news);
/// let back = comeback.back().unwrap();
/// println!("back after {:?} and {} failures", back.after, back.failures);
/// ```
#[derive(Debug)]
pub struct Comeback {
    delays: RetryDelays,
    good_after: Duration,
    up_since: Option<Instant>,
    lost_at: Option<Instant>,
    failures: u32,
}

/// What follows from a failure.
#[must_use]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lost {
    /// Whether this is the first failure since it last worked.
    pub is_news: bool,
    /// Whether it had worked for long enough that the pauses begin afresh.
    pub was_good: bool,
    /// How long to wait before the next try.
    pub pause: Duration,
}

/// It works again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Back {
    /// How long after the first failure.
    pub after: Duration,
    /// How many tries have failed.
    pub failures: u32,
}

impl Back {
    /// Returns [`after`](Self::after) in whole milliseconds, for the log.
    pub fn after_ms(&self) -> u64 {
        u64::try_from(self.after.as_millis()).unwrap_or(u64::MAX)
    }
}

impl Comeback {
    /// Makes pauses that begin at `first` and grow to `longest`.
    pub fn new(first: Duration, longest: Duration) -> Self {
        Self {
            delays: RetryDelays::new(first, longest),
            good_after: Duration::ZERO,
            up_since: None,
            lost_at: None,
            failures: 0,
        }
    }

    /// Lets the pauses go on growing when it has worked for less than `time`: what
    /// is lost again at once was not back. By default any time will do.
    #[must_use]
    pub fn good_after(mut self, time: Duration) -> Self {
        self.good_after = time;
        self
    }

    /// Notes that it was lost, or that a try has failed.
    pub fn lost(&mut self) -> Lost {
        let was_good = self.up_since.is_some_and(|since| since.elapsed() >= self.good_after);
        if self.up_since.take().is_none() {
            self.failures = self.failures.saturating_add(1);
        }
        if was_good {
            self.delays.clear();
        }
        let is_news = self.lost_at.is_none();
        self.lost_at.get_or_insert_with(Instant::now);
        Lost { is_news, was_good, pause: self.delays.next_delay() }
    }

    /// Notes that it works. Returns `None` if it was not lost.
    pub fn back(&mut self) -> Option<Back> {
        self.up_since.get_or_insert_with(Instant::now);
        let failures = std::mem::take(&mut self.failures);
        self.lost_at.take().map(|at| Back { after: at.elapsed(), failures })
    }

    /// Whether it failed last.
    pub fn is_lost(&self) -> bool {
        self.lost_at.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIRST: Duration = Duration::from_millis(10);
    const LONGEST: Duration = Duration::from_secs(1);

    #[tokio::test(start_paused = true)]
    async fn the_first_failure_is_news_and_so_is_the_return() {
        let mut comeback = Comeback::new(FIRST, LONGEST);
        assert_eq!(comeback.back(), None);
        for (is_news, failures) in [(true, 2), (true, 2)] {
            assert_eq!(comeback.lost().is_news, is_news);
            assert!(comeback.is_lost());
            tokio::time::advance(Duration::from_secs(1)).await;
            assert!(!comeback.lost().is_news);
            tokio::time::advance(Duration::from_secs(2)).await;
            let _ = comeback.lost();
            let back = comeback.back().unwrap();
            assert_eq!((back.failures, back.after_ms()), (failures, 3_000));
            assert!(!comeback.is_lost());
            assert_eq!(comeback.back(), None);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn the_first_try_of_all_counts_when_it_fails() {
        let mut comeback = Comeback::new(FIRST, LONGEST);
        let lost = comeback.lost();
        assert!(lost.is_news && !lost.was_good);
        assert_eq!(comeback.back().unwrap().failures, 1);
    }

    #[tokio::test(start_paused = true)]
    async fn what_does_not_last_is_no_success() {
        let mut comeback = Comeback::new(FIRST, LONGEST).good_after(Duration::from_secs(5));
        let mut pause = Duration::ZERO;
        for _ in 0..10 {
            comeback.back();
            tokio::time::advance(Duration::from_secs(4)).await;
            let lost = comeback.lost();
            assert!(!lost.was_good);
            pause = lost.pause;
        }
        assert!(pause >= LONGEST / 2, "{pause:?}");
        comeback.back();
        tokio::time::advance(Duration::from_secs(5)).await;
        let lost = comeback.lost();
        assert!(lost.was_good && lost.pause < FIRST * 3, "{lost:?}");
    }
}
