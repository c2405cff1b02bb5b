//! How the subscriptions of one consumer stand.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, Weak,
        atomic::{AtomicBool, Ordering},
    },
};

use tokio::sync::watch;
use woody_core::ports::ConsumerState;

use super::deliveries::Deliveries;

/// Whether each queue is consumed, and so whether deliveries can arrive.
pub(super) struct States {
    queues: Mutex<BTreeMap<u16, bool>>,
    state: watch::Sender<ConsumerState>,
}

impl States {
    pub(super) fn new(state: watch::Sender<ConsumerState>) -> Self {
        Self { queues: Mutex::default(), state }
    }

    /// Notes of a queue whether it is consumed; `None` when it is not to be.
    pub(super) fn note(&self, number: u16, is_consumed: Option<bool>) {
        let mut queues = self.queues.lock().unwrap_or_else(PoisonError::into_inner);
        match is_consumed {
            Some(is_consumed) => queues.insert(number, is_consumed),
            None => queues.remove(&number),
        };
        if queues.is_empty() {
            // The share is on its way to another queue.
            return;
        }
        let is_consuming = queues.values().any(|is_consumed| *is_consumed);
        let now = if is_consuming { ConsumerState::Consuming } else { ConsumerState::Recovering };
        self.state.send_if_modified(|state| std::mem::replace(state, now) != now);
    }

    pub(super) fn stopped(&self) {
        self.state.send_replace(ConsumerState::Stopped);
    }
}

/// What others see of a subscription.
#[derive(Default)]
pub(super) struct Standing {
    /// The channels that have delivered.
    channels: Mutex<Vec<Weak<Deliveries>>>,
    /// The broker sends what comes.
    is_subscribed: AtomicBool,
    /// The queue is not there, and is not ours to make.
    is_gone: AtomicBool,
}

impl Standing {
    /// Returns how many deliveries of the queue nobody has settled.
    pub(super) fn held(&self) -> u16 {
        let mut channels = self.channels();
        channels.retain(|channel| channel.upgrade().is_some_and(|channel| channel.are_ours()));
        let held: usize =
            channels.iter().filter_map(Weak::upgrade).map(|channel| channel.held()).sum();
        u16::try_from(held).unwrap_or(u16::MAX)
    }

    /// Returns how many places in the prefetch are left to deliveries of the queue, beside those of its subscription.
    pub(super) fn places(&self) -> usize {
        self.channels().iter().filter_map(Weak::upgrade).map(|channel| channel.places()).sum()
    }

    pub(super) fn is_subscribed(&self) -> bool {
        self.is_subscribed.load(Ordering::Relaxed)
    }

    pub(super) fn set_subscribed(&self, is_subscribed: bool) {
        self.is_subscribed.store(is_subscribed, Ordering::Relaxed);
    }

    pub(super) fn is_gone(&self) -> bool {
        self.is_gone.load(Ordering::Relaxed)
    }

    pub(super) fn add(&self, channel: &Arc<Deliveries>) {
        self.channels().push(Arc::downgrade(channel));
    }

    pub(super) fn set_gone(&self, is_gone: bool) {
        self.is_gone.store(is_gone, Ordering::Relaxed);
    }

    fn channels(&self) -> MutexGuard<'_, Vec<Weak<Deliveries>>> {
        self.channels.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_queue_that_is_consumed_is_enough_and_a_move_to_another_is_no_loss() {
        let (state, watched) = watch::channel(ConsumerState::Recovering);
        let states = States::new(state);
        for (number, is_consumed, expected) in [
            (0, Some(true), ConsumerState::Consuming),
            (1, Some(false), ConsumerState::Consuming),
            (1, None, ConsumerState::Consuming),
            (0, None, ConsumerState::Consuming),
            (2, Some(false), ConsumerState::Recovering),
            (3, Some(true), ConsumerState::Consuming),
        ] {
            states.note(number, is_consumed);
            assert_eq!(*watched.borrow(), expected, "queue {number}: {is_consumed:?}");
        }
    }
}
