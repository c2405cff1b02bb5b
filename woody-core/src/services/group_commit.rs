use std::{error::Error, future::Future, sync::Arc};

use tokio::sync::{Mutex, mpsc, oneshot};
use tokio_util::task::TaskTracker;

use crate::ports::{BrokerError, StoreError};

/// Lets callers that arrive while a commit is under way share the next one.
///
/// There is no timer and no added delay: a lone caller commits at once, alone;
/// under load the batches grow by themselves, since more callers arrive during
/// each commit. The queue is bounded, and past the bound a caller is refused at
/// once.
pub(crate) struct GroupCommit<T, R, E> {
    queue: mpsc::Sender<Waiting<T, R, E>>,
}

struct Waiting<T, R, E> {
    item: T,
    answer: oneshot::Sender<Result<R, GroupError<E>>>,
}

/// What a group commit knows of the errors of whoever commits.
pub(crate) trait CommitError: Error + Send + Sync + 'static {
    /// The error of a commit that did not answer each item: `problem` says so.
    fn miscounted(problem: String) -> Self;
}

impl CommitError for StoreError {
    fn miscounted(problem: String) -> Self {
        Self::Corrupt(problem)
    }
}

impl CommitError for BrokerError {
    fn miscounted(problem: String) -> Self {
        Self::refused(problem)
    }
}

/// How a group commit is sized.
#[derive(Debug, Clone, Copy)]
pub(crate) struct GroupLimits {
    /// Callers that may wait; the next one is refused.
    pub(crate) waiting: usize,
    /// Items in one commit.
    pub(crate) batch: usize,
    /// Commits under way at once.
    pub(crate) lanes: usize,
}

/// Why an item was not committed, as far as this caller can know.
#[derive(Debug, thiserror::Error)]
pub(crate) enum GroupError<E> {
    /// Too many callers are waiting.
    #[error("too many callers are waiting for a commit")]
    Full,
    /// The process is going down.
    #[error("the process is shutting down")]
    Closed,
    /// The whole batch failed with this.
    #[error(transparent)]
    Failed(Arc<E>),
}

impl<T, R, E> GroupCommit<T, R, E>
where
    T: Send + 'static,
    R: Send + 'static,
    E: CommitError,
{
    /// Starts the lanes on `tasks`; they end when this value is dropped and
    /// everything that was submitted is answered.
    pub(crate) fn start<F, Fut>(tasks: &TaskTracker, limits: GroupLimits, commit: F) -> Self
    where
        F: Fn(Vec<T>) -> Fut + Clone + Send + Sync + 'static,
        Fut: Future<Output = Result<Vec<R>, E>> + Send,
    {
        let (queue, waiting) = mpsc::channel(limits.waiting.max(1));
        let waiting = Arc::new(Mutex::new(waiting));
        for _ in 0..limits.lanes.max(1) {
            let waiting = Arc::clone(&waiting);
            let commit = commit.clone();
            tasks.spawn(async move {
                while let Some((items, answers)) = next_batch(&waiting, limits.batch).await {
                    answer(answers, commit(items).await);
                }
            });
        }
        Self { queue }
    }

    /// Commits `item` together with whoever else is waiting.
    ///
    /// Dropping the future does not take the item back.
    pub(crate) async fn submit(&self, item: T) -> Result<R, GroupError<E>> {
        let (answer, answered) = oneshot::channel();
        self.queue.try_send(Waiting { item, answer }).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => GroupError::Full,
            mpsc::error::TrySendError::Closed(_) => GroupError::Closed,
        })?;
        answered.await.unwrap_or(Err(GroupError::Closed))
    }
}

type Answers<R, E> = Vec<oneshot::Sender<Result<R, GroupError<E>>>>;

/// Takes all that waits, at most `most`; `None` once nobody can submit any more.
async fn next_batch<T, R, E>(
    waiting: &Mutex<mpsc::Receiver<Waiting<T, R, E>>>,
    most: usize,
) -> Option<(Vec<T>, Answers<R, E>)> {
    let mut batch = Vec::new();
    let taken = waiting.lock().await.recv_many(&mut batch, most.max(1)).await;
    (taken > 0).then(|| batch.into_iter().map(|w| (w.item, w.answer)).unzip())
}

/// Tells every caller what became of its item; one who has gone away is skipped.
fn answer<R, E: CommitError>(answers: Answers<R, E>, outcome: Result<Vec<R>, E>) {
    match outcome {
        Ok(results) if results.len() == answers.len() => {
            for (answer, result) in answers.into_iter().zip(results) {
                let _ = answer.send(Ok(result));
            }
        }
        Ok(results) => {
            let problem = format!("{} answers to {} items", results.len(), answers.len());
            fail(answers, E::miscounted(problem));
        }
        Err(error) => fail(answers, error),
    }
}

fn fail<R, E: CommitError>(answers: Answers<R, E>, error: E) {
    let error = Arc::new(error);
    for answer in answers {
        let _ = answer.send(Err(GroupError::Failed(Arc::clone(&error))));
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use tokio::sync::Semaphore;

    use super::*;

    const LIMITS: GroupLimits = GroupLimits { waiting: 64, batch: 16, lanes: 1 };

    #[tokio::test]
    async fn callers_that_wait_share_the_next_commit() {
        let tasks = TaskTracker::new();
        let (gate, commits) = (Arc::new(Semaphore::new(0)), Arc::new(AtomicUsize::new(0)));
        let group = {
            let (gate, commits) = (Arc::clone(&gate), Arc::clone(&commits));
            GroupCommit::start(&tasks, LIMITS, move |items: Vec<u32>| {
                let (gate, commits) = (Arc::clone(&gate), Arc::clone(&commits));
                async move {
                    gate.acquire().await.unwrap().forget();
                    commits.fetch_add(1, Ordering::SeqCst);
                    Ok::<Vec<u32>, StoreError>(items.into_iter().map(|n| n * 2).collect())
                }
            })
        };
        let first = group.submit(1);
        let rest = futures::future::join_all((2..=10).map(|n| group.submit(n)));
        let release = async {
            // Both futures have been polled by now, so all ten wait.
            gate.add_permits(2);
        };
        let (first, rest, ()) = tokio::join!(first, rest, release);
        assert_eq!(first.unwrap(), 2);
        let rest: Vec<u32> = rest.into_iter().map(Result::unwrap).collect();
        assert_eq!(rest, (2..=10).map(|n| n * 2).collect::<Vec<_>>());
        assert!(commits.load(Ordering::SeqCst) <= 2);
        drop(group);
        tasks.close();
        tasks.wait().await;
    }

    #[tokio::test]
    async fn a_full_queue_refuses_at_once() {
        let tasks = TaskTracker::new();
        let limits = GroupLimits { waiting: 1, batch: 1, lanes: 1 };
        let group = GroupCommit::start(&tasks, limits, |_: Vec<()>| {
            std::future::pending::<Result<Vec<()>, StoreError>>()
        });
        // On this single-threaded runtime the lane has not run yet: one place is taken.
        let mut waiting = Box::pin(group.submit(()));
        assert!(futures::poll!(&mut waiting).is_pending());
        assert!(matches!(group.submit(()).await, Err(GroupError::Full)));
    }

    #[tokio::test]
    async fn a_failed_batch_fails_every_caller() {
        let tasks = TaskTracker::new();
        let group = GroupCommit::start(&tasks, LIMITS, |_: Vec<u32>| async {
            Err::<Vec<u32>, _>(StoreError::unavailable("gone"))
        });
        let (a, b) = tokio::join!(group.submit(1), group.submit(2));
        for outcome in [a, b] {
            assert!(matches!(outcome, Err(GroupError::Failed(error)) if error.is_transient()));
        }
    }

    #[tokio::test]
    async fn an_answer_too_few_is_an_error_of_whoever_commits() {
        let tasks = TaskTracker::new();
        let group = GroupCommit::start(&tasks, LIMITS, |_: Vec<u32>| async {
            Ok::<Vec<u32>, BrokerError>(Vec::new())
        });
        let outcome = group.submit(1).await;
        assert!(matches!(outcome, Err(GroupError::Failed(error)) if !error.is_transient()));
    }
}
