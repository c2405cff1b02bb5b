mod orders;
mod products;

use std::sync::{Mutex, MutexGuard, PoisonError};

use orders::Orders;
use products::Products;

/// Orders and catalogue in this process's memory, for as long as it lives.
///
/// It keeps the whole contract but durability, so what works on it works on the
/// others. Leases run on tokio's clock, which a test may pause.
#[derive(Debug, Default)]
pub struct MemoryStore {
    orders: Mutex<Orders>,
    products: Mutex<Products>,
}

impl MemoryStore {
    /// An empty store.
    pub fn new() -> Self {
        Self::default()
    }
}

/// Nothing panics while it holds the lock, so a poisoned one is as good.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
