use std::{collections::VecDeque, time::Duration};

use super::counts::as_f64;

/// What the queue was like before: where in it an order is that was accepted a while ago.
#[derive(Debug, Default)]
pub(super) struct History {
    notes: VecDeque<Note>,
}

#[derive(Debug, Clone, Copy)]
struct Note {
    at: Duration,
    waiting: u64,
    ended_ever: u64,
}

/// Where an order is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Place {
    /// Orders that wait in front of it.
    pub(super) in_front: f64,
    /// When none was in front of it any more; the last time that is known while some are.
    pub(super) taken_up: Duration,
}

const APART: Duration = Duration::from_secs(2);
const KEPT: Duration = Duration::from_hours(1);

impl History {
    pub(super) fn noted(&mut self, at: Duration, waiting: u64, ended_ever: u64) {
        if self.notes.back().is_some_and(|last| at.saturating_sub(last.at) < APART) {
            return;
        }
        while self.notes.front().is_some_and(|first| at.saturating_sub(first.at) > KEPT) {
            self.notes.pop_front();
        }
        self.notes.push_back(Note { at, waiting, ended_ever });
    }

    /// Returns where an order is that was accepted at this time; `None` when that is longer ago
    /// than anything that is known.
    pub(super) fn place(&self, accepted: Duration, ended_ever: u64) -> Option<Place> {
        let after = self.notes.partition_point(|note| note.at <= accepted);
        let before = self.notes.get(after.checked_sub(1)?)?;
        let (mut waiting, mut ended) = (as_f64(before.waiting), as_f64(before.ended_ever));
        if let Some(next) = self.notes.get(after) {
            let span = next.at.saturating_sub(before.at).as_secs_f64();
            let part = accepted.saturating_sub(before.at).as_secs_f64() / span;
            waiting += (as_f64(next.waiting) - waiting) * part;
            ended += (as_f64(next.ended_ever) - ended) * part;
        }
        // Its turn has come when as many have ended as waited when it came.
        let turn = ended + waiting;
        let then = self.notes.partition_point(|note| as_f64(note.ended_ever) < turn);
        let at = self.notes.get(then).or(self.notes.back()).map_or(accepted, |note| note.at);
        let in_front = (turn - as_f64(ended_ever)).max(0.0);
        Some(Place { in_front, taken_up: if waiting < 1.0 { accepted } else { at.max(accepted) } })
    }
}
