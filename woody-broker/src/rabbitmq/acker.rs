//! How a delivery is settled.

use std::{fmt, sync::Arc, time::Duration};

use async_trait::async_trait;
use bytes::Bytes;
use lapin::BasicProperties;
use uuid::Uuid;
use woody_core::{
    domain::Reason,
    ports::{Acker, SettleError, Settlement},
};

use super::{
    deliveries::Deliveries,
    error::settle_error,
    headers,
    moving::{Moved, Moving, Place},
    topology::Queue,
};

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

    /// Stores the message in one of the `places`, then acknowledges it where it was. Where
    /// none takes it, it comes again, behind those that wait.
    async fn move_to(self, places: Vec<Place>, parked: Option<Place>) -> Result<(), SettleError> {
        let Self { claim, body, properties, moving } = self;
        if !claim.deliveries.are_ours() {
            return Err(SettleError::Gone);
        }
        let was = headers::for_parking(&properties);
        match moving.store(&body, places, parked, was).await {
            Ok(Moved::There) => {
                woody_core::step!("delivery.moved");
                claim.ack(moving.limit).await
            }
            Ok(Moved::Parked(why)) => {
                claim.ack(moving.limit).await?;
                Err(settle_error(why))
            }
            Err(error) => {
                let tasks = moving.tasks.clone();
                tasks.spawn(async move {
                    moving.pause().await;
                    drop(claim);
                });
                Err(settle_error(error))
            }
        }
    }

    /// Sends the message to wait for its next attempt: where its retry queue does not take
    /// it, in the next longer one.
    async fn wait_for(
        self,
        delay: Duration,
        attempts: u32,
        reason: &Reason,
    ) -> Result<(), SettleError> {
        let properties = headers::for_retry(&self.properties, attempts, delay, reason);
        let queues = Queue::for_delay(delay).with_next();
        let places = queues.map(|queue| Place { queue, properties: properties.clone() });
        self.move_to(places.collect(), None).await
    }

    /// Moves the message to the dead letters; where they do not take it, it is parked in
    /// a retry queue.
    async fn bury(self, attempts: u32, reason: &Reason) -> Result<(), SettleError> {
        let id = Uuid::now_v7().to_string();
        let properties = headers::for_death(&self.properties, attempts, reason, &id);
        let dead = Place { queue: Queue::Dead, properties };
        let (delay, earlier) = (self.moving.parked_for, headers::attempts(&self.properties));
        let properties = headers::for_retry(&self.properties, earlier, delay, reason);
        let parked = Place { queue: Queue::for_delay(delay), properties };
        self.move_to(vec![dead], Some(parked)).await
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
                self.wait_for(delay, attempts, &reason).await
            }
            Settlement::Postpone { delay, reason } => self.wait_for(delay, earlier, &reason).await,
            Settlement::DeadLetter { reason } => self.bury(attempts, &reason).await,
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
