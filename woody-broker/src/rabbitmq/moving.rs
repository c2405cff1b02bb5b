//! Moves a delivered message to another queue, or parks it where that queue does not take it.
//!
//! A queue may be full, without a leader, or not to be made by this user, while the queue
//! of orders is well. A message that waited there for its place would come again and again
//! ahead of all others, and hold a place of the prefetch for the length of a timeout each
//! time. So it is stored elsewhere, behind those that wait, and moving is tried again when
//! it comes back.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use lapin::BasicProperties;
use tokio::time::sleep;
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tracing::{info, warn};
use woody_core::ports::BrokerError;

use super::{
    lanes::Outgoing,
    publisher::RabbitMqPublisher,
    refusing::{Refusing, concerns_a_queue},
    topology::Queue,
};

/// The pause before a message goes to the end of the queue of orders, or back to its head:
/// without it, it would be delivered again at once, in a loop.
const BEFORE_GIVING_BACK: Duration = Duration::from_secs(1);

/// What the ackers of one broker share.
pub(super) struct Moving {
    pub(super) publisher: Arc<RabbitMqPublisher>,
    pub(super) tasks: TaskTracker,
    pub(super) cancel: CancellationToken,
    pub(super) limit: Duration,
    /// How long a parked message waits, and how long a queue that refused is left alone.
    pub(super) parked_for: Duration,
    pub(super) refusing: Refusing,
}

/// A queue for a message, and what the message says there.
pub(super) struct Place {
    pub(super) queue: Queue,
    pub(super) properties: BasicProperties,
}

/// What became of a message that was to be moved.
pub(super) enum Moved {
    /// It is stored in the place that was asked for, or in one as good.
    There,
    /// It is stored, and comes again by itself: the place that was asked for does not take it.
    Parked(BrokerError),
}

impl Moving {
    /// Stores a message in the first of the `places` that takes it, otherwise in that of
    /// `parked`, otherwise at the end of a queue of orders as it `was`.
    ///
    /// # Errors
    /// The first place's, when nothing takes it: it is to be given back, after a pause.
    pub(super) async fn store(
        &self,
        body: &Bytes,
        places: Vec<Place>,
        parked: Option<Place>,
        was: BasicProperties,
    ) -> Result<Moved, BrokerError> {
        let mut why = None;
        for place in places {
            match self.store_in(body, place).await {
                Ok(()) => return Ok(Moved::There),
                Err(error) => drop(why.get_or_insert(error)),
            }
        }
        let why = why.unwrap_or(BrokerError::Closed);
        if !concerns_a_queue(&why) {
            return Err(why);
        }
        if let Some(place) = parked
            && self.store_in(body, place).await.is_ok()
        {
            return Ok(Moved::Parked(why));
        }
        self.pause().await;
        if self.cancel.is_cancelled() {
            return Err(why);
        }
        match self.publisher.store_orders(vec![outgoing(body, was)]).await {
            Ok(()) => Ok(Moved::Parked(why)),
            Err(_) => Err(why),
        }
    }

    /// Stores a message in a queue, unless that has refused a moment ago.
    async fn store_in(&self, body: &Bytes, place: Place) -> Result<(), BrokerError> {
        let Place { queue, properties } = place;
        if let Some(said) = self.refusing.leave_alone(queue, self.parked_for) {
            return Err(BrokerError::refused(said.to_string()));
        }
        let stored = self.publisher.lanes.store(queue, vec![outgoing(body, properties)]).await;
        match &stored {
            Ok(()) => {
                if self.refusing.has_taken(queue) {
                    info!(?queue, "messages can be moved there again");
                }
            }
            Err(error) if concerns_a_queue(error) => {
                if let Some(said) = self.refusing.has_refused(queue, error, self.parked_for) {
                    warn!(?queue, error = %said, "messages cannot be moved there, they are parked");
                }
            }
            Err(_) => {}
        }
        stored
    }

    /// Waits before a message is given back, unless the broker is closed.
    pub(super) async fn pause(&self) {
        self.cancel.run_until_cancelled(sleep(BEFORE_GIVING_BACK)).await;
    }
}

fn outgoing(body: &Bytes, properties: BasicProperties) -> Outgoing {
    Outgoing { body: body.clone(), properties }
}
