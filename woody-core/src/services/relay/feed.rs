use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};

use crate::{
    domain::{Details, NewOrder},
    services::group_commit::room,
};

/// Hands orders from the intake to the relay of the same process. Bounded.
#[derive(Debug, Clone)]
pub struct RelayFeed {
    fresh: mpsc::Sender<Fresh>,
    room: Arc<Semaphore>,
}

/// An order that waits to be published, and its room.
#[derive(Debug)]
pub(super) struct Fresh {
    pub(super) order: NewOrder<Details>,
    _room: OwnedSemaphorePermit,
}

impl RelayFeed {
    /// Makes a feed with room for so many orders, and so many bytes of details; returns
    /// also where the orders arrive.
    pub(super) fn new(orders: usize, bytes: usize) -> (Self, mpsc::Receiver<Fresh>) {
        let (sender, arriving) = mpsc::channel(orders.clamp(1, Semaphore::MAX_PERMITS));
        (Self { fresh: sender, room: room(bytes) }, arriving)
    }

    /// Offers stored orders for publishing. What does not fit stays in the
    /// outbox, where the sweep finds it.
    pub fn offer(&self, orders: impl IntoIterator<Item = NewOrder<Details>>) {
        for order in orders {
            let weight = u32::try_from(order.details.as_str().len()).unwrap_or(u32::MAX);
            let Ok(room) = Arc::clone(&self.room).try_acquire_many_owned(weight) else { return };
            if self.fresh.try_send(Fresh { order, _room: room }).is_err() {
                return;
            }
        }
    }
}
