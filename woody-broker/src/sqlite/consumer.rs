use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use async_trait::async_trait;
use tokio::sync::{mpsc, oneshot, watch};
use woody_core::ports::{BrokerError, Consumer, ConsumerState, Delivery, Prefetch};

use super::{
    handle::{Handle, Notice},
    seats::Seat,
};

/// Receives messages from the writer, as many at once as its prefetch allows.
#[derive(Debug)]
pub(super) struct SqliteConsumer {
    id: u64,
    handle: Arc<Handle>,
    /// Deliveries that wait to be handed out; one that is dropped goes back.
    deliveries: Option<mpsc::Receiver<Delivery>>,
    state: Arc<watch::Sender<ConsumerState>>,
}

impl SqliteConsumer {
    /// Registers with the writer task.
    pub(super) fn join(handle: Arc<Handle>, prefetch: Prefetch) -> Result<Self, BrokerError> {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let id = NEXT.fetch_add(1, Ordering::Relaxed);
        let room = usize::from(prefetch.get());
        let (sender, deliveries) = mpsc::channel(room);
        let state = Arc::new(watch::Sender::new(ConsumerState::Recovering));
        let seat = Seat { room, deliveries: sender, state: Arc::clone(&state) };
        handle.ensure_open()?;
        if !handle.tell(Notice::Join { consumer: id, seat }) {
            return Err(BrokerError::Closed);
        }
        Ok(Self { id, handle, deliveries: Some(deliveries), state })
    }

    /// Deregisters; what is buffered goes back by being dropped. Idempotent.
    fn leave(&mut self, done: Option<oneshot::Sender<()>>) {
        if self.deliveries.take().is_some() {
            self.state.send_replace(ConsumerState::Stopped);
            self.handle.tell(Notice::Leave { consumer: self.id, done });
        }
    }
}

#[async_trait]
impl Consumer for SqliteConsumer {
    async fn next(&mut self) -> Option<Delivery> {
        let deliveries = self.deliveries.as_mut()?;
        tokio::select! {
            biased;
            // The writer has given back what is buffered then.
            () = self.handle.closed.cancelled() => None,
            delivery = deliveries.recv() => delivery,
        }
    }

    fn state(&self) -> watch::Receiver<ConsumerState> {
        self.state.subscribe()
    }

    async fn stop(&mut self) {
        let (done, left) = oneshot::channel();
        self.leave(Some(done));
        // It fails when the broker is closed, or when this consumer was stopped before.
        let _ = left.await;
    }
}

impl Drop for SqliteConsumer {
    fn drop(&mut self) {
        self.leave(None);
    }
}
