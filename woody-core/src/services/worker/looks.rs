use std::sync::Arc;

use tokio_util::task::TaskTracker;

use crate::{
    domain::{OrderId, OrderStatus},
    ports::{OrderStore, StoreError},
    services::group_commit::{GroupCommit, GroupLimits},
};

/// Looks up what has become of orders; those that come while a look is under way share the next.
pub(super) struct Looks(GroupCommit<OrderId, Option<OrderStatus>, StoreError>);

impl Looks {
    /// Starts looking into `store`, with background work on `tasks`.
    pub(super) fn start(store: Arc<dyn OrderStore>, tasks: &TaskTracker) -> Self {
        let limits = GroupLimits { waiting: 65_536, bytes: 0, batch: 512, lanes: 2 };
        Self(GroupCommit::start(tasks, limits, move |ids: Vec<OrderId>| {
            let store = Arc::clone(&store);
            async move { store.statuses(&ids).await }
        }))
    }

    /// Returns the status of an order; `None` when the store does not have it or does not say.
    pub(super) async fn look(&self, id: OrderId) -> Option<OrderStatus> {
        self.0.submit(id).await.ok()?
    }
}
