use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use time::OffsetDateTime;
use tokio::time::Instant;

use crate::domain::{Reason, now};

/// How often the log is told again that a validation waits.
const REMIND_EVERY: Duration = Duration::from_mins(1);

/// What validations wait for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wait {
    /// What is unavailable, or refuses, and what it said.
    pub reason: Reason,
    /// Since when, UTC.
    pub since: OffsetDateTime,
    /// Whether it is there and refuses, so that waiting alone does not help.
    pub refused: bool,
}

/// Whether validations wait for something, for readiness, the gauge and the log.
///
/// The log is told when a wait begins, each minute while it lasts, and when it is over.
/// A verdict ends it: that needed everything that a validation needs.
#[derive(Debug, Default)]
pub struct Waits {
    current: Mutex<Option<(Wait, Instant)>>,
}

impl Waits {
    /// Notes that a validation could not be made.
    pub(super) fn note(&self, reason: &Reason, refused: bool) {
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        let told_at = match current.as_mut() {
            None => None,
            Some((wait, told_at)) => {
                wait.reason = reason.clone();
                wait.refused = refused;
                Some(told_at)
            }
        };
        match told_at {
            Some(told_at) if told_at.elapsed() < REMIND_EVERY => return,
            Some(told_at) => *told_at = Instant::now(),
            None => {
                let wait = Wait { reason: reason.clone(), since: now(), refused };
                *current = Some((wait, Instant::now()));
            }
        }
        let Some((wait, _)) = current.as_ref() else { return };
        metrics::gauge!("woody_validation_waiting").set(1.0);
        tracing::warn!(reason = %wait.reason, since = %wait.since, "validation waits");
    }

    /// Notes a verdict.
    pub(super) fn over(&self) {
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((wait, _)) = current.take() {
            metrics::gauge!("woody_validation_waiting").set(0.0);
            tracing::info!(waited_for = %wait.reason, since = %wait.since, "validation goes on");
        }
    }

    /// Returns what is waited for now.
    pub fn current(&self) -> Option<Wait> {
        let current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        current.as_ref().map(|(wait, _)| wait.clone())
    }
}
