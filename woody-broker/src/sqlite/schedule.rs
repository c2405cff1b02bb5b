//! When the writer looks into the file unasked, and whether it claims.

use std::time::Duration;

use tokio::time::Instant;
use woody_core::{
    domain::now,
    resilience::{Back, Comeback, Lost},
};

use super::statements::micros;

/// The pauses after failures.
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// What the writer knows of the file, and what follows from it.
#[derive(Debug)]
pub(super) struct Schedule {
    poll_every: Duration,
    poll_at: Instant,
    /// There may be something to claim.
    look: bool,
    /// When the next delayed message is due, as far as is known.
    next_due: Option<i64>,
    comeback: Comeback,
    /// Set after a failure.
    again_at: Option<Instant>,
}

/// What one transaction takes from the queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Claim {
    /// Bring back what is due.
    pub(super) due: bool,
    /// Claim at most so many.
    pub(super) limit: usize,
}

impl Schedule {
    pub(super) fn new(poll_every: Duration) -> Self {
        Self {
            poll_every,
            poll_at: Instant::now(),
            look: true,
            next_due: None,
            comeback: Comeback::new(FIRST_PAUSE, LONGEST_PAUSE),
            again_at: None,
        }
    }

    /// Decides what a transaction claims for consumers that have `room`.
    pub(super) fn claim(&self, room: usize) -> Claim {
        let due = room > 0 && self.next_due.is_some_and(|due| due <= micros(now()));
        Claim { due, limit: if self.look || due { room } else { 0 } }
    }

    /// Returns when the writer has something to do unasked, for consumers that have
    /// `room`.
    pub(super) fn wake_at(&self, room: usize) -> Option<Instant> {
        if self.again_at.is_some() {
            return self.again_at;
        }
        if room == 0 {
            return None;
        }
        if self.look {
            return Some(Instant::now());
        }
        let due = self.next_due.map(|due| {
            let wait = u64::try_from(due - micros(now())).unwrap_or(0);
            Instant::now() + Duration::from_micros(wait)
        });
        Some(due.map_or(self.poll_at, |due| due.min(self.poll_at)))
    }

    /// Whether it is time to look for what other processes have done; if so, schedules
    /// the next such look.
    pub(super) fn begins_poll(&mut self, room: usize) -> bool {
        let begins = room > 0 && self.poll_at <= Instant::now();
        if begins {
            self.poll_at = Instant::now() + self.poll_every;
        }
        begins
    }

    /// Notes what a look has found.
    pub(super) fn polled(&mut self, next_due: Option<i64>, any_ready: bool) {
        self.next_due = next_due;
        self.look |= any_ready;
    }

    /// Schedules a look for other processes in the next turn.
    pub(super) fn poll_now(&mut self) {
        self.poll_at = Instant::now();
    }

    /// Notes that there may be something to claim.
    pub(super) fn look(&mut self) {
        self.look = true;
    }

    /// Notes that a message is delayed until `due`.
    pub(super) fn delayed_until(&mut self, due: i64) {
        self.next_due = Some(self.next_due.map_or(due, |next| next.min(due)));
    }

    /// Notes what a claim has found: how many messages, and when the next one is due if
    /// it brought back those that were.
    pub(super) fn claimed(&mut self, claim: Claim, messages: usize, next_due: Option<i64>) {
        if claim.due {
            self.next_due = next_due;
        }
        if claim.limit > 0 {
            // As many as asked for: there may be more.
            self.look = messages == claim.limit;
        }
    }

    /// Whether the last turn failed.
    pub(super) fn is_failing(&self) -> bool {
        self.comeback.is_lost()
    }

    /// Notes a failure and schedules the next try.
    pub(super) fn failed(&mut self) -> Lost {
        let lost = self.comeback.lost();
        self.again_at = Some(Instant::now() + lost.pause);
        self.look = true;
        lost
    }

    /// Notes a success; returns how long it failed if it did before.
    pub(super) fn succeeded(&mut self) -> Option<Back> {
        self.again_at = None;
        self.comeback.back()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const POLL: Duration = Duration::from_millis(500);

    fn looked() -> Schedule {
        let mut schedule = Schedule::new(POLL);
        assert!(schedule.begins_poll(1));
        schedule.claimed(schedule.claim(1), 0, None);
        schedule
    }

    #[tokio::test(start_paused = true)]
    async fn nothing_is_claimed_that_nobody_has_room_for_or_that_is_not_there() {
        let mut schedule = looked();
        assert_eq!(schedule.claim(1), Claim { due: false, limit: 0 });
        schedule.look();
        assert_eq!(schedule.claim(0), Claim { due: false, limit: 0 });
        assert_eq!(schedule.claim(3), Claim { due: false, limit: 3 });
        schedule.claimed(schedule.claim(3), 3, None);
        assert_eq!(schedule.claim(3).limit, 3, "there may be more");
        schedule.claimed(schedule.claim(3), 2, None);
        assert_eq!(schedule.claim(3).limit, 0);
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_due_is_brought_back_once() {
        let mut schedule = looked();
        let past = micros(now()) - 1;
        schedule.delayed_until(past + 60_000_000);
        assert!(!schedule.claim(1).due);
        schedule.delayed_until(past);
        schedule.delayed_until(past + 60_000_000);
        let claim = schedule.claim(1);
        assert_eq!(claim, Claim { due: true, limit: 1 });
        assert!(schedule.wake_at(1).unwrap() <= Instant::now());
        schedule.claimed(claim, 0, None);
        assert_eq!(schedule.claim(1), Claim { due: false, limit: 0 });
    }

    #[tokio::test(start_paused = true)]
    async fn an_idle_writer_wakes_to_poll_and_without_room_not_at_all() {
        let mut schedule = looked();
        assert_eq!(schedule.wake_at(0), None);
        assert_eq!(schedule.wake_at(1), Some(Instant::now() + POLL));
        assert!(!schedule.begins_poll(1));
        tokio::time::advance(POLL).await;
        assert!(!schedule.begins_poll(0));
        assert!(schedule.begins_poll(1));
        schedule.polled(None, true);
        assert_eq!(schedule.claim(1).limit, 1);
    }

    #[tokio::test(start_paused = true)]
    async fn after_a_failure_it_wakes_with_or_without_room_and_looks_again() {
        let mut schedule = looked();
        assert!(schedule.failed().is_news && !schedule.failed().is_news);
        assert!(schedule.is_failing());
        assert!(schedule.wake_at(0).unwrap() >= Instant::now() + FIRST_PAUSE);
        assert_eq!(schedule.claim(1).limit, 1);
        assert_eq!(schedule.succeeded().unwrap().failures, 2);
        assert!(!schedule.is_failing() && schedule.wake_at(0).is_none());
    }
}
