use std::time::Duration;

/// How notices are delivered.
#[non_exhaustive]
#[derive(Debug, Clone)]
pub struct NoticeSettings {
    /// How many attempts may be under way at once, in this process.
    pub at_once: usize,
    /// The longest one attempt may take.
    pub timeout: Duration,
    /// How long saving what became of an attempt may take: a notice is leased for so much longer
    /// than its attempt.
    pub settle_within: Duration,
    /// How often it looks for notices when nothing wakes it.
    pub poll_every: Duration,
    /// The pauses after the first attempt that failed, the second, and so on, each a quarter longer
    /// at most. There is one more attempt than there are pauses.
    pub pauses: Vec<Duration>,
}

impl NoticeSettings {
    /// The most attempts that can be under way at once.
    pub const MOST_AT_ONCE: usize = 1_024;

    crate::__setters! {
        at_once: usize,
        timeout: Duration,
        settle_within: Duration,
        poll_every: Duration,
        pauses: Vec<Duration>,
    }

    /// Without room or a pause it would stand still or spin.
    pub(super) fn in_bounds(mut self) -> Self {
        const SHORTEST: Duration = Duration::from_millis(1);
        const LONGEST: Duration = Duration::from_hours(24);
        self.at_once = self.at_once.clamp(1, Self::MOST_AT_ONCE);
        self.timeout = self.timeout.clamp(SHORTEST, LONGEST);
        self.poll_every = self.poll_every.clamp(SHORTEST, LONGEST);
        self
    }

    /// Returns the pause after this attempt, the first being 1, or `None` after the last.
    pub(super) fn pause_after(&self, attempt: u32) -> Option<Duration> {
        let nth = usize::try_from(attempt.saturating_sub(1)).unwrap_or(usize::MAX);
        let pause = *self.pauses.get(nth)?;
        Some(pause.saturating_add(pause.mul_f64(fastrand::f64() / 4.0)))
    }

    /// Whether there has been the last attempt before this one.
    pub(super) fn is_one_too_many(&self, attempt: u32) -> bool {
        usize::try_from(attempt).unwrap_or(usize::MAX) > self.pauses.len().saturating_add(1)
    }
}

impl Default for NoticeSettings {
    /// Eight attempts within a day and a half.
    fn default() -> Self {
        Self {
            at_once: 16,
            timeout: Duration::from_secs(10),
            settle_within: Duration::from_secs(20),
            poll_every: Duration::from_secs(1),
            pauses: [5, 30, 120, 600, 3_600, 6 * 3_600, 24 * 3_600].map(Duration::from_secs).into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_a_little_apart_and_end() {
        let settings = NoticeSettings::default();
        for (nth, pause) in settings.pauses.iter().enumerate() {
            let attempt = u32::try_from(nth).unwrap() + 1;
            let taken = settings.pause_after(attempt).unwrap();
            assert!((*pause..=pause.mul_f64(1.25)).contains(&taken), "{pause:?}: {taken:?}");
            assert!(!settings.is_one_too_many(attempt));
        }
        assert_eq!(settings.pause_after(8), None);
        assert!(!settings.is_one_too_many(8) && settings.is_one_too_many(9));
        assert!(settings.pause_after(u32::MAX).is_none() && settings.is_one_too_many(u32::MAX));
        let once = settings.pauses(vec![]);
        assert!(once.pause_after(1).is_none() && !once.is_one_too_many(1));
        let for_ever = once.pauses(vec![Duration::MAX]);
        assert_eq!(for_ever.pause_after(1), Some(Duration::MAX));
    }

    #[test]
    fn what_cannot_work_is_brought_into_bounds() {
        let settings = NoticeSettings::default().at_once(0).poll_every(Duration::ZERO).in_bounds();
        assert_eq!((settings.at_once, settings.poll_every), (1, Duration::from_millis(1)));
    }
}
