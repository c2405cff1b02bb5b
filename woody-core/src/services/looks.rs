use std::sync::Arc;

use tokio_util::task::TaskTracker;

use super::group_commit::{GroupCommit, GroupError, GroupLimits};
use crate::{
    domain::{Details, Order, OrderId},
    ports::{FoundOrder, OrderStore, StoreError},
};

/// Looks orders up; those that come while a look is under way share the next one, so however
/// many they are, they take two of the store's connections.
pub(super) struct Looks(GroupCommit<OrderId, FoundOrder, StoreError>);

/// More than a process holds deliveries or has clients; what a batch reads fits into memory even
/// where details are as large as they can be.
const LIMITS: GroupLimits = GroupLimits { waiting: 1 << 20, bytes: 0, batch: 512, lanes: 2 };

impl Looks {
    /// Starts looking into `store`, with background work on `tasks`.
    pub(super) fn start(store: Arc<dyn OrderStore>, tasks: &TaskTracker) -> Self {
        Self(GroupCommit::start(tasks, LIMITS, move |ids: Vec<OrderId>| {
            let store = Arc::clone(&store);
            async move {
                match ids[..] {
                    [id] => Ok(vec![Ok(store.order(id).await?)]),
                    _ => store.orders_by_id(&ids).await,
                }
            }
        }))
    }

    /// Returns an order as [`OrderStore::order`] does.
    pub(super) async fn look(&self, id: OrderId) -> Result<Option<Order<Details>>, StoreError> {
        self.0.submit(id).await.unwrap_or_else(|error| Err(not_looked(error)))
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
