mod answer;
mod error;
mod halves;
mod item;
mod limits;
mod queue;

use std::{future::Future, sync::Arc};

use tokio::sync::Mutex;
use tokio_util::task::TaskTracker;

pub(super) use self::queue::room;
use self::{
    answer::Answers,
    halves::commit_in_halves,
    queue::{Entrance, Exit, queue},
};
pub(crate) use self::{
    answer::Underway,
    error::{CommitError, GroupError},
    item::Weight,
    limits::GroupLimits,
};
use super::turns::{Turn, Turns};

/// Lets callers that arrive while a commit is under way share the next one.
///
/// A lone caller commits at once, alone; under load the batches grow by themselves, since
/// more callers arrive during each commit. What one caller hands over together is in one
/// commit, as long as that has room for it. Another lane begins while a commit is under way
/// only if that takes long. The queue is bounded, and past the bound a caller is refused at
/// once.
///
/// A batch that is refused for what may be one item's fault is tried again in
/// halves, down to the one: an item that cannot be committed holds up none of those
/// that it met here.
pub(crate) struct GroupCommit<T, R, E>(Entrance<T, R, E>);

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
        let (entrance, exit) = queue(limits);
        let waiting = Arc::new(Mutex::new(exit));
        let turns = Turns::new();
        for _ in 0..limits.lanes.clamp(1, MOST_LANES) {
            let (waiting, turns) = (Arc::clone(&waiting), turns.clone());
            let commit = commit.clone();
            tasks.spawn(async move {
                while let Some((batch, _turn)) = next_batch(&waiting, &turns).await {
                    commit_in_halves(batch, &commit).await;
                }
            });
        }
        Self(entrance)
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
        self.0.one(item)
    }

    /// Lets `items` wait together, and returns where the result of each will be. Those that
    /// find no room are refused, and no others.
    ///
    /// Dropping that does not take the items back.
    pub(crate) fn enqueue_all(&self, items: Vec<T>) -> Vec<Result<Underway<R, E>, GroupError<E>>> {
        self.0.many(items)
    }
}

/// Takes all that waits when it is this lane's turn, as much as one commit may have; `None`
/// once no item can be submitted any more.
async fn next_batch<T, R, E>(
    waiting: &Mutex<Exit<T, R, E>>,
    turns: &Turns,
) -> Option<((Vec<T>, Answers<R, E>), Turn)> {
    let mut waiting = waiting.lock().await;
    let mut batch = waiting.first().await?;
    let turn = turns.next().await;
    waiting.fill(&mut batch);
    Some((batch.into_iter().map(|w| (w.item, w.answer)).unzip(), turn))
}

#[cfg(test)]
mod tests;
