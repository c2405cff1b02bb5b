//! Moves a delivered message to another queue, or parks it where that queue does not take it.
//!
//! A queue may be full, without a leader, or not to be made by this user, while the queue
//! of orders is well. A message that waited there for its place would come again and again
//! ahead of all others, and hold a place of the prefetch for the length of a timeout each
//! time. So it is stored elsewhere, behind those that wait, and moving is tried again when
//! it comes back.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use bytes::Bytes;
use lapin::BasicProperties;
use tokio::time::{Instant, sleep};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tracing::{info, warn};
use woody_core::ports::BrokerError;

use super::{
    error::Fault,
    publisher::{Outgoing, RabbitMqPublisher},
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
    /// `parked`, otherwise at the end of the queue of orders as it `was`.
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
        match self.publisher.store(Queue::Orders, vec![outgoing(body, was)]).await {
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
        let stored = self.publisher.store(queue, vec![outgoing(body, properties)]).await;
        match &stored {
            Ok(()) => self.refusing.has_taken(queue),
            Err(error) if concerns_a_queue(error) => {
                self.refusing.has_refused(queue, error, self.parked_for);
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

/// Whether it is one queue that does not take messages, and another may. A queue without a
/// leader says nothing at all.
fn concerns_a_queue(error: &BrokerError) -> bool {
    match error {
        BrokerError::Refused(_) => true,
        BrokerError::Unavailable(why) => {
            matches!(why.downcast_ref(), Some(Fault::TimedOut { .. }))
        }
        _ => false,
    }
}

/// The queues that did not take a message, what they said, and until when they are left alone.
#[derive(Default)]
pub(super) struct Refusing(Mutex<HashMap<Queue, (Arc<str>, Instant)>>);

impl Refusing {
    /// Returns what the queue said, if it is to be left alone. Once its time is over, one
    /// message tries it, and the others leave it alone for as long again.
    fn leave_alone(&self, queue: Queue, again_after: Duration) -> Option<Arc<str>> {
        let mut refusing = self.lock();
        let (said, until) = refusing.get_mut(&queue)?;
        let now = Instant::now();
        if *until > now {
            return Some(Arc::clone(said));
        }
        *until = now + again_after;
        None
    }

    fn has_refused(&self, queue: Queue, error: &BrokerError, again_after: Duration) {
        let said: Arc<str> = match error {
            BrokerError::Unavailable(why) | BrokerError::Refused(why) => why.to_string().into(),
            other => other.to_string().into(),
        };
        let until = Instant::now() + again_after;
        if self.lock().insert(queue, (Arc::clone(&said), until)).is_none() {
            warn!(?queue, error = %said, "messages cannot be moved there, they are parked");
        }
    }

    fn has_taken(&self, queue: Queue) {
        if self.lock().remove(&queue).is_some() {
            info!(?queue, "messages can be moved there again");
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Queue, (Arc<str>, Instant)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_queue_that_refused_is_left_alone_and_then_tried_by_one() {
        let (refusing, pause) = (Refusing::default(), Duration::from_secs(30));
        assert!(refusing.leave_alone(Queue::Dead, pause).is_none());
        refusing.has_refused(Queue::Dead, &Fault::Nacked("q".into()).into(), pause);
        assert!(refusing.leave_alone(Queue::Dead, pause).is_some());
        assert!(refusing.leave_alone(Queue::Orders, pause).is_none(), "it is another queue");
        tokio::time::advance(pause).await;
        assert!(refusing.leave_alone(Queue::Dead, pause).is_none(), "one tries it");
        assert!(refusing.leave_alone(Queue::Dead, pause).is_some(), "and the others do not");
        refusing.has_taken(Queue::Dead);
        assert!(refusing.leave_alone(Queue::Dead, pause).is_none());
    }

    #[test]
    fn a_connection_that_ended_is_no_queues_fault() {
        let timed_out = Fault::TimedOut { what: "publishing", limit: Duration::ZERO };
        for fault in [timed_out, Fault::Nacked("q".into()), Fault::NoQueue("q".into())] {
            assert!(concerns_a_queue(&fault.clone().into()), "{fault}");
        }
        for fault in [Fault::Blocked, Fault::ConnectionEnded] {
            assert!(!concerns_a_queue(&fault.clone().into()), "{fault}");
        }
        assert!(!concerns_a_queue(&BrokerError::Closed));
    }
}
