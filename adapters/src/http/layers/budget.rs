use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;

/// Bounds the bytes of bodies that are still arriving, and of first requests whose head is not
/// whole yet, over all services that share it. Past the bound the oldest of them gives way: it has had the most
/// time, so a client that sends at once is never refused for those that dawdle.
#[derive(Debug, Clone)]
pub struct BodyBudget(Arc<Bodies>);

#[derive(Debug)]
struct Bodies {
    max_bytes: usize,
    arriving: Mutex<Arriving>,
}

#[derive(Debug, Default)]
struct Arriving {
    bytes: usize,
    next: u64,
    /// By age: the first is the oldest.
    bodies: BTreeMap<u64, ArrivingBody>,
}

#[derive(Debug)]
struct ArrivingBody {
    bytes: usize,
    give_way: CancellationToken,
}

impl BodyBudget {
    /// A budget of so many bytes.
    pub fn new(max_bytes: usize) -> Self {
        Self(Arc::new(Bodies { max_bytes, arriving: Mutex::default() }))
    }

    /// A body of which nothing has arrived yet.
    pub(in crate::http) fn begin(&self) -> BodyInFlight {
        let give_way = CancellationToken::new();
        let mut arriving = self.0.lock();
        let id = arriving.next;
        arriving.next += 1;
        let body = ArrivingBody { bytes: 0, give_way: give_way.clone() };
        arriving.bodies.insert(id, body);
        drop(arriving);
        BodyInFlight { bodies: Arc::clone(&self.0), id, give_way }
    }
}

impl Bodies {
    fn lock(&self) -> MutexGuard<'_, Arriving> {
        self.arriving.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Arriving {
    fn remove(&mut self, id: u64) {
        if let Some(body) = self.bodies.remove(&id) {
            self.bytes -= body.bytes;
        }
    }
}

/// A body that is arriving; its bytes are given back when it is dropped.
#[derive(Debug)]
pub(in crate::http) struct BodyInFlight {
    bodies: Arc<Bodies>,
    id: u64,
    give_way: CancellationToken,
}

impl BodyInFlight {
    /// So many bytes more have arrived.
    pub(in crate::http) fn grow(&self, bytes: usize) {
        let mut arriving = self.bodies.lock();
        let Some(body) = arriving.bodies.get_mut(&self.id) else { return };
        body.bytes += bytes;
        arriving.bytes += bytes;
        while arriving.bytes > self.bodies.max_bytes {
            let Some((oldest, body)) = arriving.bodies.first_key_value() else { return };
            let oldest = *oldest;
            body.give_way.cancel();
            arriving.remove(oldest);
        }
    }

    /// Returns when it must give way to others.
    pub(in crate::http) async fn gives_way(&self) {
        self.give_way.cancelled().await;
    }
}

impl Drop for BodyInFlight {
    fn drop(&mut self) {
        self.bodies.lock().remove(self.id);
    }
}

/// Bounds the bytes of responses that are on their way out, over all services that
/// share it. Only large responses are counted, and only those that were made for
/// one client: what many clients are sent is in memory once.
#[derive(Debug, Clone)]
pub struct AnswerBudget(Arc<Semaphore>);

/// From so many bytes on a response is large.
const LARGE: usize = 16 * 1024;

impl AnswerBudget {
    /// A budget of so many bytes.
    pub fn new(max_bytes: usize) -> Self {
        Self(Arc::new(Semaphore::new(max_bytes.min(Semaphore::MAX_PERMITS))))
    }

    /// Takes a permit for a response of so many bytes, until what is returned is
    /// dropped; `Err` when there is none left.
    pub(in crate::http) fn take(&self, bytes: usize) -> Result<Option<OwnedSemaphorePermit>, ()> {
        if bytes < LARGE {
            return Ok(None);
        }
        let bytes = u32::try_from(bytes).unwrap_or(u32::MAX);
        Arc::clone(&self.0).try_acquire_many_owned(bytes).map(Some).map_err(|_| ())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_body_gives_way_and_only_as_many_as_must() {
        let budget = BodyBudget::new(100);
        let [first, second, third] = [(); 3].map(|()| budget.begin());
        first.grow(40);
        second.grow(40);
        assert!(!first.give_way.is_cancelled());
        third.grow(30);
        assert!(first.give_way.is_cancelled());
        assert!(!second.give_way.is_cancelled() && !third.give_way.is_cancelled());
        first.grow(1_000);
        assert!(!second.give_way.is_cancelled(), "who gave way counts no more");
        drop(second);
        third.grow(60);
        assert!(!third.give_way.is_cancelled(), "what has arrived is given back");
        assert_eq!(budget.0.lock().bytes, 90);
        drop((first, third));
        assert_eq!(budget.0.lock().bytes, 0);
    }

    #[test]
    fn large_answers_are_bounded_and_small_ones_are_not_counted() {
        let budget = AnswerBudget::new(2 * LARGE);
        let first = budget.take(LARGE).unwrap();
        let _second = budget.take(LARGE).unwrap();
        assert!(budget.take(LARGE).is_err());
        assert!(budget.take(LARGE - 1).is_ok());
        drop(first);
        assert!(budget.take(LARGE).is_ok());
    }
}
