use std::{
    cmp::Reverse,
    collections::HashMap,
    hash::Hash,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

/// Which of several servers comes first: any of those that work, so that all get their
/// share; one that has failed lately comes after the others, but is not left out.
///
/// ```
/// use std::time::Duration;
/// use woody_core::resilience::Turns;
///
/// let turns = Turns::new(Duration::from_secs(30));
/// turns.failed("a");
/// assert_eq!(turns.order(["a", "b"]), ["b", "a"]);
/// ```
#[derive(Debug)]
pub struct Turns<K> {
    lately: Duration,
    failed: Mutex<HashMap<K, Instant>>,
}

impl<K: Eq + Hash + Clone> Turns<K> {
    /// Makes turns in which all are alike; a failure counts for the time `lately`.
    pub fn new(lately: Duration) -> Self {
        Self { lately, failed: Mutex::default() }
    }

    /// Returns them in the order in which to try them. Of those that have failed lately,
    /// the one whose failure is longest ago comes first.
    pub fn order(&self, all: impl IntoIterator<Item = K>) -> Vec<K> {
        let mut all: Vec<K> = all.into_iter().collect();
        fastrand::shuffle(&mut all);
        let failed = self.noted();
        all.sort_by_key(|one| {
            let ago = failed.get(one).map(Instant::elapsed);
            ago.filter(|ago| *ago < self.lately).map(Reverse)
        });
        all
    }

    /// Notes a failure. Returns whether it is news: the one has not failed lately.
    pub fn failed(&self, one: K) -> bool {
        let mut failed = self.noted();
        failed.retain(|_, at| at.elapsed() < self.lately);
        failed.insert(one, Instant::now()).is_none()
    }

    /// Notes that one works.
    pub fn good(&self, one: &K) {
        self.noted().remove(one);
    }

    fn noted(&self) -> MutexGuard<'_, HashMap<K, Instant>> {
        self.failed.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LATELY: Duration = Duration::from_secs(30);

    fn turns() -> Turns<u8> {
        Turns::new(LATELY)
    }

    #[tokio::test(start_paused = true)]
    async fn all_come_first_at_times_and_none_is_left_out() {
        let turns = turns();
        let mut first = std::collections::BTreeSet::new();
        for _ in 0..200 {
            let mut order = turns.order(0..4);
            first.insert(order[0]);
            order.sort_unstable();
            assert_eq!(order, [0, 1, 2, 3]);
        }
        assert_eq!(first.len(), 4);
    }

    #[tokio::test(start_paused = true)]
    async fn one_that_failed_comes_last_for_a_while() {
        let turns = turns();
        assert!(turns.failed(2));
        tokio::time::advance(Duration::from_secs(1)).await;
        assert!(turns.failed(0));
        assert!(!turns.failed(0), "it is no news");
        for _ in 0..50 {
            assert_eq!(turns.order(0..3), [1, 2, 0]);
        }
        turns.good(&0);
        for _ in 0..50 {
            assert_eq!(turns.order(0..3)[2], 2);
        }
        assert!(turns.failed(0));
        tokio::time::advance(LATELY).await;
        assert!((0..200).any(|_| turns.order(0..3)[0] == 2));
        assert!(turns.failed(0), "what has failed long ago is news when it fails again");
    }
}
