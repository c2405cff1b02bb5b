use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot};

use super::{
    answer::{Answer, Underway},
    error::GroupError,
    item::Weight,
    limits::GroupLimits,
};

/// An item that waits for a commit.
pub(super) struct Waiting<T, R, E> {
    pub(super) item: T,
    pub(super) answer: Answer<R, E>,
    /// Its place among those that wait.
    _place: OwnedSemaphorePermit,
}

/// What was handed over by one call: it is never parted, so one commit takes it whole.
enum Handed<W> {
    One(W),
    Many(Vec<W>),
}

impl<W> Handed<W> {
    fn len(&self) -> usize {
        match self {
            Self::One(_) => 1,
            Self::Many(items) => items.len(),
        }
    }

    fn join(self, batch: &mut Vec<W>) {
        match self {
            Self::One(item) => batch.push(item),
            Self::Many(items) => batch.extend(items),
        }
    }
}

/// Where items are handed over. What bounds it is the places, not the channel.
pub(super) struct Entrance<T, R, E> {
    handed: mpsc::UnboundedSender<Handed<Waiting<T, R, E>>>,
    places: Arc<Semaphore>,
    room: Arc<Semaphore>,
    /// Items in one commit.
    batch: usize,
}

/// Where commits take items from.
pub(super) struct Exit<T, R, E> {
    handed: mpsc::UnboundedReceiver<Handed<Waiting<T, R, E>>>,
    /// What had no room in the commit before.
    next: Option<Handed<Waiting<T, R, E>>>,
    batch: usize,
}

/// Returns both ends of a queue of this size.
pub(super) fn queue<T, R, E>(limits: GroupLimits) -> (Entrance<T, R, E>, Exit<T, R, E>) {
    let (to, handed) = mpsc::unbounded_channel();
    let batch = limits.batch.max(1);
    let entrance = Entrance {
        handed: to,
        places: room(limits.waiting.max(1)),
        room: room(limits.bytes),
        batch,
    };
    (entrance, Exit { handed, next: None, batch })
}

/// Room for so many items or bytes.
pub(in crate::services) fn room(most: usize) -> Arc<Semaphore> {
    Arc::new(Semaphore::new(most.min(Semaphore::MAX_PERMITS)))
}

/// An item with its place, and where its result will be.
type Admitted<T, R, E> = (Waiting<T, R, E>, Underway<R, E>);

impl<T: Weight, R, E> Entrance<T, R, E> {
    pub(super) fn one(&self, item: T) -> Result<Underway<R, E>, GroupError<E>> {
        let (waiting, underway) = self.admit(item)?;
        self.handed.send(Handed::One(waiting)).map_err(|_| GroupError::Closed)?;
        Ok(underway)
    }

    /// Hands over as many of `items` as find room, in commits as large as they may be.
    pub(super) fn many(&self, items: Vec<T>) -> Vec<Result<Underway<R, E>, GroupError<E>>> {
        let mut results = Vec::with_capacity(items.len());
        let mut together = Vec::with_capacity(items.len().min(self.batch));
        for item in items {
            results.push(self.admit(item).map(|(waiting, underway)| {
                together.push(waiting);
                underway
            }));
            if together.len() == self.batch {
                self.hand_over(std::mem::take(&mut together));
            }
        }
        self.hand_over(together);
        results
    }

    fn hand_over(&self, together: Vec<Waiting<T, R, E>>) {
        if !together.is_empty() {
            // Where nobody takes them any more, that is their result: their answers are dropped.
            let _ = self.handed.send(Handed::Many(together));
        }
    }

    /// Takes a place for `item`, and room.
    fn admit(&self, item: T) -> Result<Admitted<T, R, E>, GroupError<E>> {
        let weight = u32::try_from(item.bytes()).map_err(|_| GroupError::Full)?;
        let room = Arc::clone(&self.room).try_acquire_many_owned(weight);
        let room = room.map_err(|_| GroupError::Full)?;
        let place = Arc::clone(&self.places).try_acquire_owned().map_err(|_| GroupError::Full)?;
        let (to, answered) = oneshot::channel();
        let answer = Answer { to, _room: room };
        Ok((Waiting { item, answer, _place: place }, Underway(answered)))
    }
}

impl<T, R, E> Exit<T, R, E> {
    /// Waits for the first items of a commit; `None` once none can come any more.
    pub(super) async fn first(&mut self) -> Option<Vec<Waiting<T, R, E>>> {
        let first = match self.next.take() {
            Some(next) => next,
            None => self.handed.recv().await?,
        };
        Some(match first {
            Handed::One(item) => vec![item],
            Handed::Many(items) => items,
        })
    }

    /// Adds to `batch` what waits, as far as it has room.
    pub(super) fn fill(&mut self, batch: &mut Vec<Waiting<T, R, E>>) {
        while batch.len() < self.batch {
            let Some(next) = self.next.take().or_else(|| self.handed.try_recv().ok()) else {
                return;
            };
            if batch.len() + next.len() > self.batch {
                self.next = Some(next);
                return;
            }
            next.join(batch);
        }
    }
}
