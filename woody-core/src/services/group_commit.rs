use std::{error::Error, future::Future, sync::Arc};

use tokio::sync::{Mutex, OwnedSemaphorePermit, Semaphore, mpsc, oneshot};
use tokio_util::task::TaskTracker;

use crate::{
    domain::{Details, NewOrder, OrderMessage},
    ports::{BrokerError, Decision, StoreError},
};

/// Lets callers that arrive while a commit is under way share the next one.
///
/// There is no timer and no added delay: a lone caller commits at once, alone;
/// under load the batches grow by themselves, since more callers arrive during
/// each commit. The queue is bounded, and past the bound a caller is refused at
/// once.
///
/// A batch that is refused for what may be one item's fault is tried again in
/// halves, down to the one: an item that cannot be committed holds up none of those
/// that it met here.
pub(crate) struct GroupCommit<T, R, E> {
    queue: mpsc::Sender<Waiting<T, R, E>>,
    room: Arc<Semaphore>,
}

struct Waiting<T, R, E> {
    item: T,
    answer: Answer<R, E>,
}

/// Where an item's result goes. It holds the item's room until then.
struct Answer<R, E> {
    to: oneshot::Sender<Result<R, GroupError<E>>>,
    _room: OwnedSemaphorePermit,
}

/// How much room an item takes while it waits.
pub(crate) trait Weight {
    /// Returns what grows with the item, in bytes; 0 for one of fixed size.
    fn bytes(&self) -> usize;
}

impl Weight for NewOrder<Details> {
    fn bytes(&self) -> usize {
        self.details.as_str().len()
    }
}

impl Weight for OrderMessage {
    fn bytes(&self) -> usize {
        self.details.as_str().len()
    }
}

/// The delivery that it belongs to holds its order, and deliveries are bounded.
impl Weight for Decision {
    fn bytes(&self) -> usize {
        0
    }
}

/// What a group commit knows of the errors of a commit.
pub(crate) trait CommitError: Error + Send + Sync + 'static {
    /// Makes the error of a commit that did not return one result for each item.
    fn miscounted(problem: String) -> Self;

    /// Whether one item may be the reason why the whole batch was not committed.
    fn may_be_one_items_fault(&self) -> bool;
}

impl CommitError for StoreError {
    fn miscounted(problem: String) -> Self {
        Self::Corrupt(problem)
    }

    fn may_be_one_items_fault(&self) -> bool {
        !self.is_transient()
    }
}

impl CommitError for BrokerError {
    fn miscounted(problem: String) -> Self {
        Self::refused(problem)
    }

    /// A broker does not look into what it keeps, and may have kept some of it.
    fn may_be_one_items_fault(&self) -> bool {
        false
    }
}

/// A batch whose pieces were refused, all of this many, is refused: it is not one
/// item's fault, and a store that takes nothing is not called a thousand times.
const ALL_REFUSED: usize = 16;

/// How a group commit is sized.
#[derive(Debug, Clone, Copy)]
pub(crate) struct GroupLimits {
    /// Callers that may wait; the next one is refused.
    pub(crate) waiting: usize,
    /// How much their items may weigh together, in bytes.
    pub(crate) bytes: usize,
    /// Items in one commit.
    pub(crate) batch: usize,
    /// Commits under way at once.
    pub(crate) lanes: usize,
}

/// More than any store or broker has connections for.
pub(super) const MOST_LANES: usize = 1_024;

/// Why an item was not committed, as far as this caller can know.
#[derive(Debug, thiserror::Error)]
pub(crate) enum GroupError<E> {
    /// Too many callers are waiting.
    #[error("too many callers are waiting for a commit")]
    Full,
    /// The process is shutting down.
    #[error("the process is shutting down")]
    Closed,
    /// The commit failed with this.
    #[error(transparent)]
    Failed(Arc<E>),
}

impl<T, R, E> GroupCommit<T, R, E>
where
    T: Clone + Weight + Send + 'static,
    R: Send + 'static,
    E: CommitError,
{
    /// Starts the lanes on `tasks`; they end when this value is dropped and every item has
    /// its result.
    pub(crate) fn start<F, Fut>(tasks: &TaskTracker, limits: GroupLimits, commit: F) -> Self
    where
        F: Fn(Vec<T>) -> Fut + Clone + Send + Sync + 'static,
        Fut: Future<Output = Result<Vec<R>, E>> + Send,
    {
        let (queue, waiting) = mpsc::channel(limits.waiting.clamp(1, Semaphore::MAX_PERMITS));
        let waiting = Arc::new(Mutex::new(waiting));
        for _ in 0..limits.lanes.clamp(1, MOST_LANES) {
            let waiting = Arc::clone(&waiting);
            let commit = commit.clone();
            tasks.spawn(async move {
                while let Some((items, answers)) = next_batch(&waiting, limits.batch).await {
                    commit_in_halves((items, answers), &commit).await;
                }
            });
        }
        Self { queue, room: room(limits.bytes) }
    }

    /// Commits `item` together with the others that wait.
    ///
    /// Dropping the future does not take the item back.
    pub(crate) async fn submit(&self, item: T) -> Result<R, GroupError<E>> {
        let weight = u32::try_from(item.bytes()).map_err(|_| GroupError::Full)?;
        let room = Arc::clone(&self.room).try_acquire_many_owned(weight);
        let room = room.map_err(|_| GroupError::Full)?;
        let (to, answered) = oneshot::channel();
        let answer = Answer { to, _room: room };
        self.queue.try_send(Waiting { item, answer }).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => GroupError::Full,
            mpsc::error::TrySendError::Closed(_) => GroupError::Closed,
        })?;
        answered.await.unwrap_or(Err(GroupError::Closed))
    }
}

type Answers<R, E> = Vec<Answer<R, E>>;

/// Room for so many bytes.
pub(super) fn room(bytes: usize) -> Arc<Semaphore> {
    Arc::new(Semaphore::new(bytes.min(Semaphore::MAX_PERMITS)))
}

/// Takes all that waits, at most `most`; `None` once no item can be submitted any more.
async fn next_batch<T, R, E>(
    waiting: &Mutex<mpsc::Receiver<Waiting<T, R, E>>>,
    most: usize,
) -> Option<(Vec<T>, Answers<R, E>)> {
    let mut batch = Vec::new();
    let taken = waiting.lock().await.recv_many(&mut batch, most.max(1)).await;
    (taken > 0).then(|| batch.into_iter().map(|w| (w.item, w.answer)).unzip())
}

/// Commits a batch, and what of it is refused in halves.
async fn commit_in_halves<T, R, E, F, Fut>(batch: (Vec<T>, Answers<R, E>), commit: &F)
where
    T: Clone,
    E: CommitError,
    F: Fn(Vec<T>) -> Fut,
    Fut: Future<Output = Result<Vec<R>, E>>,
{
    let mut pieces = vec![batch];
    let mut taken = false;
    while !pieces.is_empty() {
        let mut refused = Vec::new();
        for (items, answers) in pieces {
            // One item alone cannot be halved.
            let kept = if items.len() > 1 { items.clone() } else { vec![] };
            match commit(items).await {
                Err(error) if !kept.is_empty() && error.may_be_one_items_fault() => {
                    refused.push((kept, answers, error));
                }
                outcome => {
                    taken |= outcome.is_ok();
                    answer(answers, outcome);
                }
            }
        }
        let everything = !taken && refused.len() >= ALL_REFUSED;
        pieces = Vec::new();
        for (mut items, mut answers, error) in refused {
            if everything {
                fail(answers, error);
                continue;
            }
            let half = items.len() / 2;
            let others = (items.split_off(half), answers.split_off(half));
            pieces.extend([(items, answers), others]);
        }
    }
}

/// Sends every caller the result of its item, unless it has stopped waiting.
fn answer<R, E: CommitError>(answers: Answers<R, E>, outcome: Result<Vec<R>, E>) {
    match outcome {
        Ok(results) if results.len() == answers.len() => {
            for (answer, result) in answers.into_iter().zip(results) {
                let _ = answer.to.send(Ok(result));
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
        let _ = answer.to.send(Err(GroupError::Failed(Arc::clone(&error))));
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    impl Weight for () {
        fn bytes(&self) -> usize {
            0
        }
    }
    impl Weight for u32 {
        fn bytes(&self) -> usize {
            0
        }
    }
    impl Weight for usize {
        fn bytes(&self) -> usize {
            0
        }
    }
    impl Weight for &'static str {
        fn bytes(&self) -> usize {
            self.len()
        }
    }

    const LIMITS: GroupLimits = GroupLimits { waiting: 64, bytes: 64, batch: 16, lanes: 1 };

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
        let limits = GroupLimits { waiting: 1, bytes: 0, batch: 1, lanes: 1 };
        let group = GroupCommit::start(&tasks, limits, |_: Vec<()>| {
            std::future::pending::<Result<Vec<()>, StoreError>>()
        });
        // On this single-threaded runtime the lane has not run yet: one place is taken.
        let mut waiting = Box::pin(group.submit(()));
        assert!(futures::poll!(&mut waiting).is_pending());
        assert!(matches!(group.submit(()).await, Err(GroupError::Full)));
    }

    #[tokio::test]
    async fn what_waits_is_bounded_in_bytes_too() {
        let tasks = TaskTracker::new();
        let limits = GroupLimits { waiting: 64, bytes: 10, batch: 1, lanes: 1 };
        let gate = Arc::new(Semaphore::new(0));
        let group = GroupCommit::start(&tasks, limits, {
            let gate = Arc::clone(&gate);
            move |items: Vec<&'static str>| {
                let gate = Arc::clone(&gate);
                async move {
                    gate.acquire().await.unwrap().forget();
                    Ok::<_, StoreError>(items)
                }
            }
        });
        let mut first = Box::pin(group.submit("seven c"));
        assert!(futures::poll!(&mut first).is_pending());
        assert!(matches!(group.submit("four").await, Err(GroupError::Full)));
        let mut second = Box::pin(group.submit("two"));
        assert!(futures::poll!(&mut second).is_pending());
        gate.add_permits(3);
        assert_eq!(first.await.unwrap(), "seven c");
        assert_eq!(second.await.unwrap(), "two");
        // An item that has its result leaves room.
        assert_eq!(group.submit("ten bytes!").await.unwrap(), "ten bytes!");
    }

    /// Submits `0..items` at once to a store that refuses those in `bad`; returns which
    /// were taken, and how many commits that took.
    async fn submitted(
        items: usize,
        bad: impl Fn(usize) -> bool + Copy + Send + Sync + 'static,
    ) -> (Vec<bool>, usize) {
        let commits = Arc::new(AtomicUsize::new(0));
        let limits = GroupLimits { waiting: items, bytes: 0, batch: items, lanes: 1 };
        let group = GroupCommit::start(&TaskTracker::new(), limits, {
            let commits = Arc::clone(&commits);
            move |items: Vec<usize>| {
                commits.fetch_add(1, Ordering::SeqCst);
                async move {
                    match items.iter().find(|item| bad(**item)) {
                        Some(item) => Err(StoreError::refused(format!("item {item}"))),
                        None => Ok(items),
                    }
                }
            }
        });
        let submits = futures::future::join_all((0..items).map(|item| group.submit(item))).await;
        let taken = submits.into_iter().enumerate().map(|(item, answer)| match answer {
            Ok(answer) => answer == item,
            Err(GroupError::Failed(error)) => {
                assert!(!error.is_transient(), "{error:?}");
                false
            }
            Err(error) => panic!("{error}"),
        });
        (taken.collect(), commits.load(Ordering::SeqCst))
    }

    #[tokio::test]
    async fn an_item_that_is_refused_holds_up_no_other() {
        type Case = (usize, fn(usize) -> bool);
        let cases: [Case; 6] = [
            (2, |item| item == 1),
            (512, |item| item == 0),
            (512, |item| item == 511),
            (511, |item| item % 100 == 7),
            // Sixteen bad ones in front, and sixteen alone.
            (512, |item| item < 16),
            (16, |_| true),
        ];
        for (items, bad) in cases {
            let (taken, _) = submitted(items, bad).await;
            assert_eq!(taken, (0..items).map(|item| !bad(item)).collect::<Vec<_>>());
        }
    }

    #[tokio::test]
    async fn a_store_that_takes_nothing_is_not_asked_for_each_item() {
        let (taken, commits) = submitted(512, |_| true).await;
        assert!(taken.iter().all(|taken| !taken));
        assert_eq!(commits, 1 + 2 + 4 + 8 + 16);
    }

    #[tokio::test]
    async fn limits_beyond_all_bounds_are_held_within_them() {
        for limit in [0, usize::MAX] {
            let tasks = TaskTracker::new();
            let limits = GroupLimits { waiting: limit, bytes: limit, batch: limit, lanes: limit };
            let group = GroupCommit::start(&tasks, limits, |items: Vec<u32>| async {
                Ok::<Vec<u32>, StoreError>(items)
            });
            assert_eq!(group.submit(1).await.unwrap(), 1);
            drop(group);
            tasks.close();
            tasks.wait().await;
        }
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
