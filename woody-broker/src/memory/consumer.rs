use std::{pin::pin, sync::Arc};

use async_trait::async_trait;
use tokio::{
    sync::{Semaphore, watch},
    time::sleep_until,
};
use woody_core::ports::{Consumer, ConsumerState, Delivery, Prefetch};

use super::{
    acker::MemoryAcker,
    queue::{Look, Queue},
};

/// Takes messages from the memory queue, one for each call of `next`.
#[derive(Debug)]
pub(super) struct MemoryConsumer {
    queue: Arc<Queue>,
    /// One permit for each delivery that may be unsettled.
    room: Arc<Semaphore>,
    state: watch::Sender<ConsumerState>,
}

impl MemoryConsumer {
    pub(super) fn new(queue: Arc<Queue>, prefetch: Prefetch) -> Self {
        queue.join();
        let room = Arc::new(Semaphore::new(prefetch.get().into()));
        Self { queue, room, state: watch::Sender::new(ConsumerState::Consuming) }
    }

    /// Takes this consumer off the queue's count. Idempotent.
    fn leave(&self) {
        if self.state.send_replace(ConsumerState::Stopped) != ConsumerState::Stopped {
            self.queue.leave();
        }
    }

    /// Waits for the next delivery. Nothing is taken before the last await, so that a
    /// dropped future holds no message.
    async fn take(&self) -> Option<Delivery> {
        let permit = Arc::clone(&self.room).acquire_owned().await.ok()?;
        loop {
            // Listens before it looks: no change falls in between.
            let mut changed = pin!(self.queue.changed.notified());
            changed.as_mut().enable();
            match self.queue.take() {
                Look::Taken(message) => {
                    return Some(MemoryAcker::deliver(Arc::clone(&self.queue), message, permit));
                }
                Look::NothingBefore(None) => changed.await,
                Look::NothingBefore(Some(due)) => {
                    tokio::select! {
                        () = changed => {}
                        () = sleep_until(due) => {}
                    }
                }
            }
        }
    }
}

#[async_trait]
impl Consumer for MemoryConsumer {
    async fn next(&mut self) -> Option<Delivery> {
        if *self.state.borrow() == ConsumerState::Stopped {
            return None;
        }
        let delivery = tokio::select! {
            biased;
            () = self.queue.closed.cancelled() => None,
            delivery = self.take() => delivery,
        };
        if delivery.is_none() {
            self.leave();
        }
        delivery
    }

    fn state(&self) -> watch::Receiver<ConsumerState> {
        self.state.subscribe()
    }

    async fn stop(&mut self) {
        self.leave();
    }
}

impl Drop for MemoryConsumer {
    fn drop(&mut self) {
        self.leave();
    }
}
