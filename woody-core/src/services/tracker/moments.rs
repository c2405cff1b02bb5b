use std::time::Duration;

use tokio::time::Instant;

/// Without a pause a watcher would spin.
const SHORTEST_PAUSE: Duration = Duration::from_millis(1);

/// When watchers look by themselves: at common moments, eight in the time that each waits at
/// least, so that many look at once and by one statement.
#[derive(Debug, Clone, Copy)]
pub(super) struct Moments {
    began: Instant,
    pause: Duration,
}

impl Moments {
    pub(super) fn new(pause: Duration) -> Self {
        Self { began: Instant::now(), pause: pause.max(SHORTEST_PAUSE) }
    }

    pub(super) fn pause(&self) -> Duration {
        self.pause
    }

    /// Returns how long a watcher waits that begins to wait now.
    pub(super) fn until_next(&self) -> Duration {
        wait(self.pause, self.began.elapsed())
    }
}

/// From `since` until the first moment that is `pause` later, or more.
fn wait(pause: Duration, since: Duration) -> Duration {
    let eighth = (pause.as_nanos() / 8).max(1);
    let earliest = since.as_nanos() + pause.as_nanos();
    let rest = earliest.next_multiple_of(eighth) - earliest;
    pause.saturating_add(Duration::from_nanos(u64::try_from(rest).unwrap_or(u64::MAX)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn watchers_look_together_and_none_before_its_time() {
        let ms = Duration::from_millis;
        let looks_at = |since: u64| (ms(since) + wait(ms(800), ms(since))).as_millis();
        assert_eq!([0, 1, 99, 100, 101].map(looks_at), [800, 900, 900, 900, 1_000]);
        for pause in [SHORTEST_PAUSE, Duration::from_hours(1), Duration::MAX] {
            assert!(wait(pause, ms(12_345)) >= pause);
        }
    }
}
