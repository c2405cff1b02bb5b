mod act_table;
mod acts;
mod archive;
mod by_age;
mod list;
mod notice_table;
mod notices;
mod order_table;
mod orders;
mod own_lists;
mod pauses;
mod product_table;
mod products;
mod trail_table;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use woody_core::domain::Pause;
use woody_core::ports::{ActLog, NoticeStore, OrderStore, Pauses, ProductStore, Store, StoreError};

use act_table::ActTable;
use order_table::OrderTable;
use product_table::ProductTable;

/// A store in the memory of this process, for as long as it runs.
///
/// It keeps the whole contract but durability, so what works on it works on the others.
/// Leases run on tokio's clock, which a test may pause. Clones share the same store.
#[derive(Debug, Clone, Default)]
pub struct MemoryStore {
    orders: Arc<Mutex<OrderTable>>,
    products: Arc<Mutex<ProductTable>>,
    acts: Arc<Mutex<ActTable>>,
    pause: Arc<Mutex<Option<Pause>>>,
    is_closed: Arc<AtomicBool>,
}

impl MemoryStore {
    /// Makes an empty store.
    pub fn new() -> Self {
        Self::default()
    }

    fn order_table(&self) -> Result<MutexGuard<'_, OrderTable>, StoreError> {
        self.open(&self.orders)
    }

    fn product_table(&self) -> Result<MutexGuard<'_, ProductTable>, StoreError> {
        self.open(&self.products)
    }

    fn act_table(&self) -> Result<MutexGuard<'_, ActTable>, StoreError> {
        self.open(&self.acts)
    }

    /// Locks a table, unless the store was closed.
    fn open<'a, T>(&self, table: &'a Mutex<T>) -> Result<MutexGuard<'a, T>, StoreError> {
        if self.is_closed.load(Ordering::Relaxed) {
            return Err(StoreError::unavailable("the store was closed"));
        }
        // Nothing panics while it holds the lock, so a poisoned one is as good.
        Ok(table.lock().unwrap_or_else(PoisonError::into_inner))
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

    fn acts(&self) -> Arc<dyn ActLog> {
        Arc::new(self.clone())
    }

    fn pauses(&self) -> Arc<dyn Pauses> {
        Arc::new(self.clone())
    }

    fn notices(&self) -> Arc<dyn NoticeStore> {
        Arc::new(self.clone())
    }

    async fn migrate(&self) -> Result<(), StoreError> {
        Ok(())
    }

    async fn close(&self) {
        self.is_closed.store(true, Ordering::Relaxed);
    }
}
