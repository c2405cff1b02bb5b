//! The messages of the queue, behind one lock that is never held across an await.

use std::{
    collections::BTreeMap,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use tokio::{sync::Notify, time::Instant};
use tokio_util::sync::CancellationToken;
use woody_core::{
    domain::{ClientName, OrderMessage, Reason, TraceContext, now},
    ports::{BrokerError, DeadLetter, DeadLetterId, QueueDepth, Settlement},
};

/// Longer than any process runs, and added to an instant without overflow.
const LONGEST_DELAY: Duration = Duration::from_hours(10 * 365 * 24);

/// How long a message waits for which the dead letters have no room.
const PARKED_FOR: Duration = Duration::from_secs(1);

/// One message and its history.
#[derive(Debug, Clone)]
pub(super) struct Message {
    pub(super) body: Bytes,
    /// Its position in the queue; the lowest is next.
    position: u64,
    /// How many attempts were counted.
    pub(super) attempts: u32,
    /// Whether it was delivered before.
    pub(super) seen: bool,
    /// Whether an operator redrove it.
    pub(super) redriven: bool,
    pub(super) origin: Origin,
}

/// Where the order of a message comes from, which its body does not say.
#[derive(Debug, Clone, Default)]
pub(super) struct Origin {
    /// The trace that it belongs to.
    pub(super) trace: Option<TraceContext>,
    /// Who has placed it.
    pub(super) client: Option<ClientName>,
}

impl From<&OrderMessage> for Origin {
    fn from(message: &OrderMessage) -> Self {
        Self { trace: message.trace, client: message.client.clone() }
    }
}

/// The result of looking for a message.
#[derive(Debug)]
pub(super) enum Look {
    /// The next message, now held by the caller.
    Taken(Message),
    /// There is none before this instant, unless the queue changes.
    NothingBefore(Option<Instant>),
}

/// The queue with all its messages.
#[derive(Debug)]
pub(super) struct Queue {
    state: Mutex<State>,
    capacity: usize,
    /// How many dead letters there may be.
    pub(super) most_dead: AtomicUsize,
    /// Wakes consumers: there may be something to take.
    pub(super) changed: Notify,
    /// Ends consumers: the broker was closed.
    pub(super) closed: CancellationToken,
}

#[derive(Debug, Default)]
struct State {
    next_position: u64,
    ready: BTreeMap<u64, Message>,
    delayed: BTreeMap<(Instant, u64), Message>,
    dead: BTreeMap<u64, (DeadLetter, Origin)>,
    in_flight: usize,
    consumers: u64,
}

impl Queue {
    pub(super) fn new(capacity: usize, closed: CancellationToken) -> Self {
        let most_dead = AtomicUsize::new(usize::MAX);
        Self { state: Mutex::default(), capacity, most_dead, changed: Notify::new(), closed }
    }

    pub(super) fn ensure_open(&self) -> Result<(), BrokerError> {
        if self.closed.is_cancelled() { Err(BrokerError::Closed) } else { Ok(()) }
    }

    pub(super) fn close(&self) {
        self.closed.cancel();
    }

    /// Stores all of `messages` or, when they do not fit, none.
    pub(super) fn push(
        &self,
        messages: impl ExactSizeIterator<Item = (Bytes, Origin)>,
        redriven: bool,
    ) -> Result<(), BrokerError> {
        self.ensure_open()?;
        let mut state = self.lock();
        if state.stored() + messages.len() > self.capacity {
            return Err(BrokerError::refused(format!(
                "the queue in memory is full: it has room for {} messages",
                self.capacity
            )));
        }
        for (body, origin) in messages {
            state.append(Message { body, position: 0, attempts: 0, seen: false, redriven, origin });
        }
        drop(state);
        self.changed.notify_waiters();
        Ok(())
    }

    /// Takes the next message, or returns when to look again.
    pub(super) fn take(&self) -> Look {
        let mut state = self.lock();
        state.bring_back_what_is_due(Instant::now());
        if let Some((_, message)) = state.ready.pop_first() {
            state.in_flight += 1;
            return Look::Taken(message);
        }
        Look::NothingBefore(state.delayed.first_key_value().map(|((due, _), _)| *due))
    }

    /// Settles a delivered message as its consumer decided; returns whether it could be: one for
    /// which the dead letters have no room comes again later.
    pub(super) fn settle(&self, mut message: Message, settlement: Settlement) -> bool {
        let mut state = self.lock();
        let is_full = state.dead.len() >= self.most_dead.load(Ordering::Relaxed);
        let is_parked = is_full && matches!(settlement, Settlement::DeadLetter { .. });
        state.in_flight -= 1;
        message.seen = true;
        match settlement {
            Settlement::Ack => {}
            // Back to its old position: those behind it stay behind it.
            Settlement::Release => drop(state.ready.insert(message.position, message)),
            Settlement::RetryAfter { delay, reason: _ } => {
                message.attempts += 1;
                state.delay(message, delay);
            }
            Settlement::Postpone { delay, reason: _ } => state.delay(message, delay),
            Settlement::DeadLetter { .. } if is_parked => state.delay(message, PARKED_FOR),
            Settlement::DeadLetter { reason } => state.bury(&message, reason),
        }
        drop(state);
        self.changed.notify_waiters();
        !is_parked
    }

    pub(super) fn join(&self) {
        self.lock().consumers += 1;
    }

    pub(super) fn leave(&self) {
        self.lock().consumers -= 1;
    }

    pub(super) fn depth(&self) -> QueueDepth {
        let mut state = self.lock();
        state.bring_back_what_is_due(Instant::now());
        QueueDepth {
            ready: state.ready.len() as u64,
            in_flight: Some(state.in_flight as u64),
            delayed: state.delayed.len() as u64,
            dead: state.dead.len() as u64,
            consumers: Some(state.consumers),
        }
    }

    pub(super) fn dead_letters(&self, limit: usize) -> Vec<DeadLetter> {
        self.lock().dead.values().take(limit).map(|(letter, _)| letter.clone()).collect()
    }

    pub(super) fn redrive(&self, ids: &[DeadLetterId]) -> u64 {
        let mut state = self.lock();
        let mut moved = 0;
        for (letter, origin) in state.exhume(ids) {
            moved += 1;
            state.append(Message {
                body: letter.body,
                position: 0,
                attempts: 0,
                seen: false,
                redriven: true,
                origin,
            });
        }
        drop(state);
        self.changed.notify_waiters();
        moved
    }

    pub(super) fn purge(&self, ids: &[DeadLetterId]) -> u64 {
        self.lock().exhume(ids).len() as u64
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // No code under the lock can panic half way through a change.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn stored(&self) -> usize {
        self.ready.len() + self.delayed.len() + self.dead.len() + self.in_flight
    }

    fn new_position(&mut self) -> u64 {
        self.next_position += 1;
        self.next_position
    }

    fn append(&mut self, mut message: Message) {
        message.position = self.new_position();
        self.ready.insert(message.position, message);
    }

    fn delay(&mut self, message: Message, delay: Duration) {
        let key = (Instant::now() + delay.min(LONGEST_DELAY), self.new_position());
        self.delayed.insert(key, message);
    }

    fn bring_back_what_is_due(&mut self, now: Instant) {
        while let Some(first) = self.delayed.first_entry()
            && first.key().0 <= now
        {
            let message = first.remove();
            self.append(message);
        }
    }

    fn bury(&mut self, message: &Message, reason: Reason) {
        let position = self.new_position();
        let letter = DeadLetter {
            id: DeadLetterId::new(position.to_string()),
            body: message.body.clone(),
            reason,
            attempts: message.attempts + 1,
            died_at: Some(now()),
        };
        self.dead.insert(position, (letter, message.origin.clone()));
    }

    fn exhume(&mut self, ids: &[DeadLetterId]) -> Vec<(DeadLetter, Origin)> {
        let positions = ids.iter().filter_map(|id| id.as_str().parse::<u64>().ok());
        positions.filter_map(|position| self.dead.remove(&position)).collect()
    }
}
