//! One commit at a time, unless it is slow.

use std::{sync::Arc, time::Duration};

use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::timeout,
};

/// How long a lane lets another have its turn: longer than a commit takes on most days.
const PATIENCE: Duration = Duration::from_millis(10);

/// Lets the lanes of one thing go one after the other, so that what comes meanwhile is
/// committed together: a commit costs its receiver far more than what is in it. A commit
/// that is slow, or hangs, holds the others up no longer than [`PATIENCE`].
#[derive(Debug, Clone)]
pub(super) struct Turns(Arc<Semaphore>);

/// A lane's turn; dropped when its commit has ended.
#[derive(Debug)]
#[must_use]
pub(super) struct Turn(#[expect(dead_code, reason = "held")] Option<OwnedSemaphorePermit>);

impl Turns {
    pub(super) fn new() -> Self {
        Self(Arc::new(Semaphore::new(1)))
    }

    /// Waits for the turn, for a while.
    pub(super) async fn next(&self) -> Turn {
        let turn = timeout(PATIENCE, Arc::clone(&self.0).acquire_owned()).await;
        Turn(turn.ok().and_then(Result::ok))
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::Instant;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_turn_waits_for_the_one_before_and_not_for_one_that_hangs() {
        let turns = Turns::new();
        let first = turns.next().await;
        let began = Instant::now();
        let second = tokio::spawn({
            let turns = turns.clone();
            async move { turns.next().await }
        });
        tokio::task::yield_now().await;
        assert!(!second.is_finished());
        drop(first);
        let _second = second.await.unwrap();
        assert_eq!(began.elapsed(), Duration::ZERO);
        let _third = turns.next().await;
        assert_eq!(began.elapsed(), PATIENCE);
    }
}
