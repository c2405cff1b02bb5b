mod answer;
mod error;
mod halves;
mod item;

use std::{future::Future, sync::Arc};

use tokio::sync::{Mutex, Semaphore, mpsc, oneshot};
use tokio_util::task::TaskTracker;

pub(crate) use self::{
    answer::Underway,
    error::{CommitError, GroupError},
    item::Weight,
};
use self::{
    answer::{Answer, Answers},
    halves::commit_in_halves,
};
use super::turns::{Turn, Turns};

/// Lets callers that arrive while a commit is under way share the next one.
///
/// A lone caller commits at once, alone; under load the batches grow by themselves, since
/// more callers arrive during each commit. Another lane begins while a commit is under way
/// only if that takes long. The queue is bounded, and past the bound a caller is refused at
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

/// How a group commit is sized.
#[derive(Debug, Clone, Copy)]
pub(crate) struct GroupLimits {
    /// Callers that may wait; the next one is refused.
    pub(crate) waiting: usize,
    /// How much their items may weigh together, in bytes.
    pub(crate) bytes: usize,
    /// Items in one commit.
    pub(crate) batch: usize,
    /// Commits under way at once, at most.
    pub(crate) lanes: usize,
}

/// More than any store or broker has connections for.
pub(super) const MOST_LANES: usize = 1_024;

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
        let turns = Turns::new();
        for _ in 0..limits.lanes.clamp(1, MOST_LANES) {
            let (waiting, turns) = (Arc::clone(&waiting), turns.clone());
            let commit = commit.clone();
            tasks.spawn(async move {
                while let Some((batch, _turn)) = next_batch(&waiting, limits.batch, &turns).await {
                    commit_in_halves(batch, &commit).await;
                }
            });
        }
        Self { queue, room: room(limits.bytes) }
    }

    /// Commits `item` together with the others that wait.
    ///
    /// Dropping the future does not take the item back.
    pub(crate) async fn submit(&self, item: T) -> Result<R, GroupError<E>> {
        self.enqueue(item)?.result().await
    }

    /// Lets `item` wait for a commit, and returns where its result will be.
    ///
    /// Dropping that does not take the item back.
    pub(crate) fn enqueue(&self, item: T) -> Result<Underway<R, E>, GroupError<E>> {
        let weight = u32::try_from(item.bytes()).map_err(|_| GroupError::Full)?;
        let room = Arc::clone(&self.room).try_acquire_many_owned(weight);
        let room = room.map_err(|_| GroupError::Full)?;
        let (to, answered) = oneshot::channel();
        let answer = Answer { to, _room: room };
        self.queue.try_send(Waiting { item, answer }).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => GroupError::Full,
            mpsc::error::TrySendError::Closed(_) => GroupError::Closed,
        })?;
        Ok(Underway(answered))
    }
}

/// Room for so many bytes.
pub(super) fn room(bytes: usize) -> Arc<Semaphore> {
    Arc::new(Semaphore::new(bytes.min(Semaphore::MAX_PERMITS)))
}

/// Takes all that waits when it is this lane's turn, at most `most`; `None` once no item
/// can be submitted any more.
async fn next_batch<T, R, E>(
    waiting: &Mutex<mpsc::Receiver<Waiting<T, R, E>>>,
    most: usize,
    turns: &Turns,
) -> Option<((Vec<T>, Answers<R, E>), Turn)> {
    let mut waiting = waiting.lock().await;
    let mut batch = vec![waiting.recv().await?];
    let turn = turns.next().await;
    while batch.len() < most
        && let Ok(next) = waiting.try_recv()
    {
        batch.push(next);
    }
    Some((batch.into_iter().map(|w| (w.item, w.answer)).unzip(), turn))
}

#[cfg(test)]
mod tests;
