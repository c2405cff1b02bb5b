use std::sync::Arc;

use tokio::sync::mpsc;
use tokio_util::task::TaskTracker;

use crate::ports::{OrderEvents, StatusChange};

/// Announces changes beside the work, so that a slow broker never holds up a
/// save. Bounded: what does not fit is not announced, and watchers find it in the store.
#[derive(Clone)]
pub(crate) struct Announcer {
    changes: mpsc::Sender<StatusChange>,
}

const WAITING: usize = 8_192;
const BATCH: usize = 256;

impl Announcer {
    /// Starts announcing on `tasks`, until every clone is dropped.
    pub(crate) fn start(events: Arc<dyn OrderEvents>, tasks: &TaskTracker) -> Self {
        let (changes, mut waiting) = mpsc::channel(WAITING);
        tasks.spawn(async move {
            let mut batch = Vec::with_capacity(BATCH);
            let mut failing = false;
            while waiting.recv_many(&mut batch, BATCH).await > 0 {
                match events.announce(&batch).await {
                    Ok(()) => failing = false,
                    Err(error) => {
                        if !std::mem::replace(&mut failing, true) {
                            tracing::info!(
                                error = &error as &dyn std::error::Error,
                                "status changes are not announced, watchers read the store"
                            );
                        }
                    }
                }
                batch.clear();
            }
        });
        Self { changes }
    }

    /// Announces `change` soon, if there is room.
    pub(crate) fn offer(&self, change: StatusChange) {
        let _ = self.changes.try_send(change);
    }
}
