//! One computation for all callers that ask for the same at the same time.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures::FutureExt;
use futures::future::{BoxFuture, Shared, WeakShared};

type Flight<T> = BoxFuture<'static, T>;

/// The computations under way, by what is asked for. Each belongs to the callers that wait for
/// it, and to nobody else: it is dropped with the last of them.
pub(super) struct Flights<K, T: Clone>(Arc<Mutex<UnderWay<K, T>>>);

struct UnderWay<K, T: Clone> {
    begun: u64,
    flights: HashMap<K, (u64, WeakShared<Flight<T>>)>,
}

impl<K, T: Clone> Clone for Flights<K, T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<K, T: Clone> Default for Flights<K, T> {
    fn default() -> Self {
        Self(Arc::new(Mutex::new(UnderWay { begun: 0, flights: HashMap::new() })))
    }
}

impl<K, T> Flights<K, T>
where
    K: Clone + Eq + Hash + Send + 'static,
    T: Clone + Send + Sync + 'static,
{
    /// Returns the computation for `key` that is under way, or `begin`s one; and whether it
    /// began it.
    pub(super) fn join(
        &self,
        key: K,
        begin: impl Future<Output = T> + Send + 'static,
    ) -> (Shared<Flight<T>>, bool) {
        let mut under_way = lock(&self.0);
        if let Some(flight) = under_way.flights.get(&key).and_then(|(_, flight)| flight.upgrade()) {
            return (flight, false);
        }
        under_way.begun += 1;
        let number = under_way.begun;
        let entry = Entry { all: self.clone(), key: key.clone(), number };
        let flight = async move {
            let _entry = entry;
            begin.await
        };
        let flight = flight.boxed().shared();
        if let Some(weak) = flight.downgrade() {
            under_way.flights.insert(key, (number, weak));
        }
        (flight, true)
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        lock(&self.0).flights.len()
    }
}

fn lock<T>(all: &Mutex<T>) -> MutexGuard<'_, T> {
    all.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Takes its flight off the list when that ends or is dropped.
struct Entry<K: Eq + Hash, T: Clone> {
    all: Flights<K, T>,
    key: K,
    number: u64,
}

impl<K: Eq + Hash, T: Clone> Drop for Entry<K, T> {
    fn drop(&mut self) {
        let mut under_way = lock(&self.all.0);
        // A later flight for the same may have taken its place.
        if under_way.flights.get(&self.key).is_some_and(|(number, _)| *number == self.number) {
            under_way.flights.remove(&self.key);
        }
    }
}
