use std::sync::Arc;

use tokio::sync::Semaphore;
use tokio_util::task::TaskTracker;

use super::group_commit::{GroupCommit, GroupError, GroupLimits};
use crate::{
    domain::OrderId,
    ports::{FoundOrder, OrderStore, StoreError},
};

/// Looks orders up; those that come while a look is under way share the next one, so however
/// many they are, they take three of the store's connections at most.
pub(super) struct Looks {
    store: Arc<dyn OrderStore>,
    shared: GroupCommit<OrderId, FoundOrder, StoreError>,
    alone: Semaphore,
}

/// More than a process holds deliveries or has clients; what a batch reads fits into memory even
/// where details are as large as they can be.
const LIMITS: GroupLimits = GroupLimits { waiting: 1 << 20, bytes: 0, batch: 512, lanes: 2 };

impl Looks {
    /// Starts looking into `store`, with background work on `tasks`.
    pub(super) fn start(store: Arc<dyn OrderStore>, tasks: &TaskTracker) -> Self {
        let reads = Arc::clone(&store);
        let shared = GroupCommit::start(tasks, LIMITS, move |ids: Vec<OrderId>| {
            let store = Arc::clone(&reads);
            async move {
                match ids[..] {
                    [id] => Ok(vec![Ok(store.order(id).await?)]),
                    _ => store.orders_by_id(&ids).await,
                }
            }
        });
        Self { store, shared, alone: Semaphore::new(1) }
    }

    /// Returns an order as [`OrderStore::order`] does, and as soon: a lone caller need not wait
    /// for others to come.
    pub(super) async fn look_soon(&self, id: OrderId) -> FoundOrder {
        match self.alone.try_acquire() {
            Ok(_alone) => self.store.order(id).await,
            Err(_) => self.look(id).await,
        }
    }

    /// Returns an order as [`OrderStore::order`] does, by a look that others share.
    pub(super) async fn look(&self, id: OrderId) -> FoundOrder {
        self.shared.submit(id).await.unwrap_or_else(|error| Err(not_looked(error)))
    }
}

/// What one caller is told when there was no look for any of them.
fn not_looked(error: GroupError<StoreError>) -> StoreError {
    match error {
        GroupError::Failed(why) if !why.is_transient() => match &*why {
            StoreError::Corrupt(what) => StoreError::Corrupt(what.clone()),
            _ => StoreError::refused(why),
        },
        error => StoreError::unavailable(error),
    }
}

#[cfg(all(test, feature = "mock"))]
mod tests {
    use futures::future::join_all;

    use super::*;
    use crate::ports::MockOrderStore;

    #[tokio::test]
    async fn those_who_ask_at_the_same_time_share_a_statement_and_one_alone_needs_none() {
        let mut store = MockOrderStore::new();
        store.expect_order().times(1).returning(|_| Ok(None));
        let none = |ids: &[OrderId]| Ok(ids.iter().map(|_| Ok(None)).collect());
        store.expect_orders_by_id().times(1).returning(none);
        let looks = Looks::start(Arc::new(store), &TaskTracker::new());
        assert_eq!(looks.look_soon(OrderId::fresh()).await.unwrap(), None);
        let _another = looks.alone.try_acquire().unwrap();
        let found = join_all((0..100).map(|_| looks.look_soon(OrderId::fresh()))).await;
        assert!(found.into_iter().all(|found| found.unwrap().is_none()));
    }
}
