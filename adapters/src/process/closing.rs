use std::{collections::BTreeMap, fmt, sync::Arc, time::Duration};

use futures::future::BoxFuture;
use tokio_util::task::TaskTracker;
use woody_core::{
    ports::{Broker, Store},
    workshop::HeavyPool,
};

use super::{lifecycle::Process, listeners::Admin};

/// What a process holds when it ends. Whatever was handed over first, it ends in
/// this order, each step when the one before is over:
///
/// 1. the orders under way, within what is left of the grace;
/// 2. the migration of the schema;
/// 3. the threads for heavy work;
/// 4. the broker, then the store, which all of these may need to the end;
/// 5. the export of spans, which the end of the orders still adds to;
/// 6. the admin listener, which shows how the rest ends.
pub struct Closing {
    admin: Admin,
    steps: Steps,
}

impl fmt::Debug for Closing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Closing").field("admin", &self.admin).finish_non_exhaustive()
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Step {
    Orders,
    Migration,
    HeavyWork,
    Broker,
    Store,
}

impl Closing {
    /// The end of a process that `admin` shows.
    pub fn of(admin: Admin) -> Self {
        Self { admin, steps: Steps::default() }
    }

    /// Finishes orders: `finish` is given what is left of the grace, and returns whether that
    /// was enough.
    #[must_use]
    pub fn orders<F>(mut self, finish: impl FnOnce(Duration) -> F + Send + 'static) -> Self
    where
        F: Future<Output = bool> + Send + 'static,
    {
        self.steps.add(Step::Orders, |grace| Box::pin(finish(grace)));
        self
    }

    /// Waits for a migration that runs in the background until the process stops.
    #[must_use]
    pub fn migration(self, migrating: TaskTracker) -> Self {
        self.with(Step::Migration, async move { migrating.wait().await })
    }

    /// Ends the threads for heavy work.
    #[must_use]
    pub fn heavy_work(self, pool: HeavyPool) -> Self {
        self.with(Step::HeavyWork, async move { pool.shutdown().await })
    }

    /// Closes the broker.
    #[must_use]
    pub fn broker(self, broker: Arc<dyn Broker>) -> Self {
        self.with(Step::Broker, async move { broker.close().await })
    }

    /// Closes the store.
    #[must_use]
    pub fn store(self, store: Arc<dyn Store>) -> Self {
        self.with(Step::Store, async move { store.close().await })
    }

    fn with(mut self, step: Step, end: impl Future<Output = ()> + Send + 'static) -> Self {
        self.steps.add(step, |_grace| {
            Box::pin(async move {
                end.await;
                true
            })
        });
        self
    }

    /// Ends everything. Returns whether all that was in flight is finished, `served` being
    /// whether every request was answered.
    pub async fn end(self, process: &Process, served: bool) -> bool {
        let finished = self.steps.run(|| process.grace_left()).await;
        process.end_spans().await;
        self.admin.stop().await;
        process.ended(served && finished)
    }
}

/// One step: it is given what is left of the grace, and returns whether that was enough.
type End = Box<dyn FnOnce(Duration) -> BoxFuture<'static, bool> + Send>;

#[derive(Default)]
struct Steps(BTreeMap<Step, End>);

impl Steps {
    fn add(
        &mut self,
        step: Step,
        end: impl FnOnce(Duration) -> BoxFuture<'static, bool> + Send + 'static,
    ) {
        self.0.insert(step, Box::new(end));
    }

    async fn run(self, grace_left: impl Fn() -> Duration) -> bool {
        let mut finished = true;
        for end in self.0.into_values() {
            finished &= end(grace_left()).await;
        }
        finished
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    #[tokio::test]
    async fn steps_are_taken_in_order_whatever_was_handed_over_first_and_none_is_left_out() {
        let taken = Arc::new(Mutex::new(Vec::new()));
        let mut steps = Steps::default();
        for step in [Step::Store, Step::Orders, Step::Broker, Step::HeavyWork, Step::Migration] {
            let taken = Arc::clone(&taken);
            steps.add(step, move |grace| {
                Box::pin(async move {
                    taken.lock().unwrap().push((step, grace));
                    step != Step::Orders
                })
            });
        }
        assert!(!steps.run(|| Duration::from_secs(7)).await, "the orders took too long");
        let order = [Step::Orders, Step::Migration, Step::HeavyWork, Step::Broker, Step::Store];
        assert_eq!(*taken.lock().unwrap(), order.map(|step| (step, Duration::from_secs(7))));
    }
}
