use std::{sync::Arc, time::Duration};

use tokio::sync::watch;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::going_down::{GoingDown, pause};
use crate::{
    ports::{
        Decision, OrderEvents, OrderStore, Saved, StatusChange, StoreError, Transition, record,
    },
    resilience::RetryDelays,
    services::{
        announcer::Announcer,
        group_commit::{GroupCommit, GroupError, GroupLimits},
    },
};

/// Saves how orders end, many in one commit, and announces what has changed.
pub(super) struct Saver {
    commits: GroupCommit<Decision, (Transition, Saved), StoreError>,
    store_is_up: watch::Sender<bool>,
    wait_base: Duration,
}

impl Saver {
    /// Starts saving into `store`, with background work on `tasks`. What has changed is
    /// announced through `events`.
    pub(super) fn start(
        store: Arc<dyn OrderStore>,
        events: Arc<dyn OrderEvents>,
        wait_base: Duration,
        tasks: &TaskTracker,
    ) -> Self {
        let announcer = Announcer::start(events, tasks);
        let limits = GroupLimits { waiting: 65_536, bytes: 0, batch: 512, lanes: 2 };
        let commits = GroupCommit::start(tasks, limits, move |decisions: Vec<Decision>| {
            let (store, announcer) = (Arc::clone(&store), announcer.clone());
            async move {
                let saved = record(store.as_ref(), &decisions).await?;
                for (decision, (transition, _)) in decisions.into_iter().zip(&saved) {
                    if *transition == Transition::Applied {
                        let status = decision.outcome.into();
                        announcer.offer(StatusChange::new(decision.order.id, &status));
                    }
                }
                Ok(saved)
            }
        });
        Self { commits, store_is_up: watch::Sender::new(true), wait_base }
    }

    /// Watches whether the store took the last order that was to be saved.
    pub(super) fn store_is_up(&self) -> watch::Receiver<bool> {
        self.store_is_up.subscribe()
    }

    /// Saves a decision, however long the store is unavailable or refuses.
    ///
    /// An order that is valid can be stored, so a refusal (a full disk, a missing
    /// table) is about the store and not about this order: giving the order up
    /// would turn an operator's problem into a loss.
    pub(super) async fn save(
        &self,
        decision: &Decision,
        shutdown: &CancellationToken,
    ) -> Result<(Transition, Saved), GoingDown> {
        let mut delays = RetryDelays::new(self.wait_base, Duration::from_secs(5));
        loop {
            let error = match self.commits.submit(decision.clone()).await {
                Ok(saved) => {
                    self.store_is_up.send_if_modified(|up| !std::mem::replace(up, true));
                    return Ok(saved);
                }
                Err(GroupError::Closed) => return Err(GoingDown),
                Err(error) => error,
            };
            if self.store_is_up.send_if_modified(|up| std::mem::replace(up, false)) {
                tracing::error!(
                    error = &error as &dyn std::error::Error,
                    "orders cannot be saved: the worker waits and keeps its verdicts"
                );
            }
            pause(delays.next_delay(), shutdown).await?;
        }
    }
}
