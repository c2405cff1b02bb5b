//! How a delivery is settled.

use std::{fmt, sync::Arc, time::Duration};

use async_trait::async_trait;
use bytes::Bytes;
use lapin::BasicProperties;
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use uuid::Uuid;
use woody_core::ports::{Acker, SettleError, Settlement};

use super::{
    deliveries::Deliveries,
    error::settle_error,
    headers,
    publisher::{Outgoing, RabbitMqPublisher},
    topology::Queue,
};

/// A message that cannot be moved now is given back after this pause: given back at
/// once it would be delivered again at once, in a loop while the broker is blocked.
const BEFORE_GIVING_BACK: Duration = Duration::from_secs(1);

/// What the ackers of one broker share.
pub(super) struct Moving {
    pub(super) publisher: Arc<RabbitMqPublisher>,
    pub(super) tasks: TaskTracker,
    pub(super) cancel: CancellationToken,
    pub(super) limit: Duration,
}

/// The right to settle one delivery, on the channel that delivered it: delivery tags
/// mean nothing on another channel. Dropped, it gives the message back.
struct Claim {
    deliveries: Arc<Deliveries>,
    tag: u64,
    open: bool,
}

impl Claim {
    async fn ack(mut self, limit: Duration) -> Result<(), SettleError> {
        self.open = false;
        self.deliveries.acknowledge(self.tag, limit).await
    }

    async fn give_back(mut self, limit: Duration) -> Result<(), SettleError> {
        self.open = false;
        self.deliveries.give_back(self.tag, limit).await
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        if self.open {
            self.deliveries.abandon(self.tag);
        }
    }
}

/// Settles one delivery.
pub(super) struct RabbitMqAcker {
    claim: Claim,
    body: Bytes,
    properties: BasicProperties,
    moving: Arc<Moving>,
}

impl RabbitMqAcker {
    pub(super) fn new(
        deliveries: Arc<Deliveries>,
        tag: u64,
        body: Bytes,
        properties: BasicProperties,
        moving: Arc<Moving>,
    ) -> Self {
        let claim = Claim { deliveries, tag, open: true };
        Self { claim, body, properties, moving }
    }

    /// Stores the message in `queue`, then acknowledges it where it was.
    async fn move_to(self, queue: Queue, properties: BasicProperties) -> Result<(), SettleError> {
        let Self { claim, body, moving, .. } = self;
        if !claim.deliveries.are_ours() {
            return Err(SettleError::Gone);
        }
        match moving.publisher.store(queue, vec![Outgoing { body, properties }]).await {
            Ok(()) => {
                woody_core::step!("delivery.moved");
                claim.ack(moving.limit).await
            }
            Err(error) => {
                let cancel = moving.cancel.clone();
                moving.tasks.spawn(async move {
                    cancel.run_until_cancelled(tokio::time::sleep(BEFORE_GIVING_BACK)).await;
                    drop(claim);
                });
                Err(settle_error(error))
            }
        }
    }
}

#[async_trait]
impl Acker for RabbitMqAcker {
    async fn settle(self: Box<Self>, settlement: Settlement) -> Result<(), SettleError> {
        let limit = self.moving.limit;
        let earlier = headers::attempts(&self.properties);
        let attempts = earlier.saturating_add(1);
        match settlement {
            Settlement::Ack => self.claim.ack(limit).await,
            // RabbitMQ counts a nack towards a quorum queue's delivery limit up to 4.2;
            // from 4.3 only a reject counts.
            Settlement::Release => self.claim.give_back(limit).await,
            Settlement::RetryAfter { delay, reason } => {
                let properties = headers::for_retry(&self.properties, attempts, delay, &reason);
                self.move_to(Queue::for_delay(delay), properties).await
            }
            Settlement::Postpone { delay, reason } => {
                let properties = headers::for_retry(&self.properties, earlier, delay, &reason);
                self.move_to(Queue::for_delay(delay), properties).await
            }
            Settlement::DeadLetter { reason } => {
                let id = Uuid::now_v7().to_string();
                let properties = headers::for_death(&self.properties, attempts, &reason, &id);
                self.move_to(Queue::Dead, properties).await
            }
        }
    }

    fn abandon(self: Box<Self>) {
        // The claim gives the message back.
    }
}

impl fmt::Debug for RabbitMqAcker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RabbitMqAcker")
            .field("channel", &self.claim.deliveries.channel_id())
            .field("tag", &self.claim.tag)
            .finish_non_exhaustive()
    }
}
