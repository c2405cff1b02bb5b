use std::{sync::Arc, time::Duration};

use tokio_util::task::TaskTracker;

use crate::{
    domain::FailedAttempt,
    ports::{OrderStore, StoreError},
    services::group_commit::{GroupCommit, GroupLimits},
};

/// How long a message waits for its failed attempt to be kept.
const LIMIT: Duration = Duration::from_secs(1);

/// Keeps failed attempts in the store, many in one commit, for the stories of their orders.
///
/// They are kept as well as can be: a store that is unavailable holds up no message, and the
/// story of its order lacks the attempt.
pub(super) struct AttemptKeeper(GroupCommit<FailedAttempt, (), StoreError>);

impl AttemptKeeper {
    pub(super) fn start(store: Arc<dyn OrderStore>, tasks: &TaskTracker) -> Self {
        // Who hands one over holds a delivery, and deliveries are bounded.
        let limits = GroupLimits { waiting: 65_536, bytes: 0, batch: 512, lanes: 1 };
        Self(GroupCommit::start(tasks, limits, move |attempts: Vec<FailedAttempt>| {
            let store = Arc::clone(&store);
            async move {
                store.keep_attempts(&attempts).await?;
                Ok(vec![(); attempts.len()])
            }
        }))
    }

    /// Keeps an attempt before its message leaves.
    pub(super) async fn keep(&self, attempt: &FailedAttempt) {
        let id = attempt.order;
        match tokio::time::timeout(LIMIT, self.0.submit(attempt.clone())).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => {
                tracing::debug!(order.id = %id, error = &error as &dyn std::error::Error,
                    "a failed attempt is missing in the story of its order");
            }
            Err(_elapsed) => {
                tracing::debug!(order.id = %id, "a failed attempt is not kept in time");
            }
        }
    }
}
