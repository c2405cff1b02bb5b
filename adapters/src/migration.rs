//! The store's schema, brought up to date while everything else starts.

use std::{fmt, sync::Arc, time::Duration};

use futures::future::BoxFuture;
use tokio::{sync::watch, time::Instant};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use woody_core::{ports::Store, resilience::RetryDelays};

use crate::{causes::with_causes, process::Process};

/// What goes on being wrong is said again after this long.
const REMINDER: Duration = Duration::from_mins(1);

/// Brings a store's schema up to date, however long the store is unavailable or refuses,
/// and says what it waits for.
#[derive(Clone)]
pub struct Migration {
    store: Arc<dyn Store>,
    /// What is in the way; `None` once the schema is up to date.
    problem: watch::Sender<Option<String>>,
}

impl fmt::Debug for Migration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Migration")
            .field("problem", &*self.problem.borrow())
            .finish_non_exhaustive()
    }
}

impl Migration {
    /// The migration of this store, not begun yet.
    pub fn of(store: &Arc<dyn Store>) -> Self {
        let problem = Some("the store's schema has not been looked at yet".to_owned());
        Self { store: Arc::clone(store), problem: watch::Sender::new(problem) }
    }

    /// Tries until it is done. Returns `false` when `stop` was cancelled before that.
    pub async fn run(&self, stop: &CancellationToken) -> bool {
        stop.run_until_cancelled(self.migrate()).await.is_some()
    }

    /// Runs beside everything else, until `process` stops.
    pub fn run_in_background(&self, process: &Process) -> TaskTracker {
        let (migration, stopping, tasks) = (self.clone(), process.stopping(), TaskTracker::new());
        tasks.spawn(async move { migration.run(&stopping).await });
        tasks.close();
        tasks
    }

    /// A check that passes once the schema is up to date.
    pub fn check(&self) -> impl Fn() -> BoxFuture<'static, Result<(), String>> + use<> {
        let problem = self.problem.subscribe();
        move || {
            let found = problem.borrow().clone().map_or(Ok(()), Err);
            Box::pin(std::future::ready(found))
        }
    }

    async fn migrate(&self) {
        let mut delays = RetryDelays::new(Duration::from_millis(200), Duration::from_secs(5));
        let mut said_at: Option<Instant> = None;
        while let Err(error) = self.store.migrate().await {
            let problem = with_causes(&error);
            let is_news = self.problem.borrow().as_deref() != Some(&problem);
            if is_news || said_at.is_none_or(|at| at.elapsed() >= REMINDER) {
                tracing::warn!(
                    error = problem,
                    "the store's schema cannot be brought up to date, it is tried again"
                );
                said_at = Some(Instant::now());
            }
            self.problem.send_replace(Some(problem));
            tokio::time::sleep(delays.next_delay()).await;
        }
        self.problem.send_replace(None);
        tracing::info!("the store is there, its schema is up to date");
    }
}
