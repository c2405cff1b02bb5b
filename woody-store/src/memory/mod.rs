mod orders;
mod products;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use orders::Orders;
use products::Products;
use woody_core::ports::{OrderStore, ProductStore, Store, StoreError};

/// A store in the memory of this process, for as long as it runs.
///
/// It keeps the whole contract but durability, so what works on it works on the others.
/// Leases run on tokio's clock, which a test may pause. Clones share the same store.
#[derive(Debug, Clone, Default)]
pub struct MemoryStore {
    orders: Arc<Mutex<Orders>>,
    products: Arc<Mutex<Products>>,
}

impl MemoryStore {
    /// Makes an empty store.
    pub fn new() -> Self {
        Self::default()
    }
}

#[async_trait]
impl Store for MemoryStore {
    fn orders(&self) -> Arc<dyn OrderStore> {
        Arc::new(self.clone())
    }

    fn products(&self) -> Arc<dyn ProductStore> {
        Arc::new(self.clone())
    }

    async fn migrate(&self) -> Result<(), StoreError> {
        Ok(())
    }

    async fn close(&self) {}
}

/// Nothing panics while it holds the lock, so a poisoned one is as good.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
