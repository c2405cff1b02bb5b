//! Queues that do not take messages are left alone for a while.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::time::Instant;
use woody_core::ports::BrokerError;

use super::{error::Fault, topology::Queue};

/// Whether it is one queue that does not take messages, and another may. A queue without a
/// leader says nothing at all.
pub(super) fn concerns_a_queue(error: &BrokerError) -> bool {
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
    pub(super) fn leave_alone(&self, queue: Queue, again_after: Duration) -> Option<Arc<str>> {
        let mut refusing = self.lock();
        let (said, until) = refusing.get_mut(&queue)?;
        let now = Instant::now();
        if *until > now {
            return Some(Arc::clone(said));
        }
        *until = now + again_after;
        None
    }

    /// Notes that the queue refused; returns what it said, if that is news.
    pub(super) fn has_refused(
        &self,
        queue: Queue,
        error: &BrokerError,
        again_after: Duration,
    ) -> Option<Arc<str>> {
        let said: Arc<str> = match error {
            BrokerError::Unavailable(why) | BrokerError::Refused(why) => why.to_string().into(),
            other => other.to_string().into(),
        };
        let until = Instant::now() + again_after;
        self.lock().insert(queue, (Arc::clone(&said), until)).is_none().then_some(said)
    }

    /// Notes that the queue took a message; returns whether that is news.
    pub(super) fn has_taken(&self, queue: Queue) -> bool {
        self.lock().remove(&queue).is_some()
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
        let nacked = Fault::Nacked("q".into()).into();
        assert!(refusing.has_refused(Queue::Dead, &nacked, pause).is_some());
        assert!(refusing.has_refused(Queue::Dead, &nacked, pause).is_none(), "it is no news");
        assert!(refusing.leave_alone(Queue::Dead, pause).is_some());
        assert!(refusing.leave_alone(Queue::Orders(0), pause).is_none(), "it is another queue");
        tokio::time::advance(pause).await;
        assert!(refusing.leave_alone(Queue::Dead, pause).is_none(), "one tries it");
        assert!(refusing.leave_alone(Queue::Dead, pause).is_some(), "and the others do not");
        assert!(refusing.has_taken(Queue::Dead));
        assert!(!refusing.has_taken(Queue::Dead), "it is no news");
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
