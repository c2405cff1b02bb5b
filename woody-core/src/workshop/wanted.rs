//! Whether a job is still wanted, for the job itself.

use std::sync::Weak;
use std::time::{Duration, Instant};

/// Tells a job on a [`HeavyPool`](super::HeavyPool) whether to go on.
///
/// A job is wanted until its caller leaves, and for as long as the pool lets one run.
/// It is for the job to ask, every millisecond or so, and to end soon after a no.
#[derive(Debug)]
pub struct Wanted {
    caller: Weak<()>,
    until: Option<Instant>,
}

impl Wanted {
    /// Begins the time of a job whose caller holds what `caller` points to.
    pub(super) fn by(caller: Weak<()>, limit: Duration) -> Self {
        Self { caller, until: Instant::now().checked_add(limit) }
    }

    /// Whether the job is to go on.
    pub fn go_on(&self) -> bool {
        self.has_caller() && self.until.is_none_or(|until| Instant::now() < until)
    }

    /// Whether somebody still waits for the result.
    pub fn has_caller(&self) -> bool {
        self.caller.strong_count() > 0
    }
}
