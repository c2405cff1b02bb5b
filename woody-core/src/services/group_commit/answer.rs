use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, oneshot};

use super::error::{CommitError, GroupError};

/// Where an item's result goes. It holds the item's room until then.
pub(super) struct Answer<R, E> {
    pub(super) to: oneshot::Sender<Result<R, GroupError<E>>>,
    pub(super) _room: OwnedSemaphorePermit,
}

/// An item on its way through a commit.
pub(crate) struct Underway<R, E>(pub(super) oneshot::Receiver<Result<R, GroupError<E>>>);

impl<R, E> Underway<R, E> {
    /// Waits for the result of the commit. It comes once.
    pub(crate) async fn result(&mut self) -> Result<R, GroupError<E>> {
        (&mut self.0).await.unwrap_or(Err(GroupError::Closed))
    }
}

pub(super) type Answers<R, E> = Vec<Answer<R, E>>;

/// Sends every caller the result of its item, unless it has stopped waiting.
pub(super) fn answer<R, E: CommitError>(answers: Answers<R, E>, outcome: Result<Vec<R>, E>) {
    match outcome {
        Ok(results) if results.len() == answers.len() => {
            for (answer, result) in answers.into_iter().zip(results) {
                let _ = answer.to.send(Ok(result));
            }
        }
        Ok(results) => {
            let problem = format!("{} results of {} items", results.len(), answers.len());
            fail(answers, E::miscounted(problem));
        }
        Err(error) => fail(answers, error),
    }
}

pub(super) fn fail<R, E: CommitError>(answers: Answers<R, E>, error: E) {
    let error = Arc::new(error);
    for answer in answers {
        let _ = answer.to.send(Err(GroupError::Failed(Arc::clone(&error))));
    }
}
