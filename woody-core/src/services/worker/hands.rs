use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::{
    sync::Notify,
    time::{Instant, MissedTickBehavior, interval},
};
use tokio_util::sync::CancellationToken;

use crate::{domain::OrderId, ports::OrderStore};

/// The orders whose messages this worker holds.
///
/// What is held for long, or was sent to wait, is marked in the store from time to
/// time: no broker tells how many messages its consumers hold, and an order whose message
/// cannot be seen would be taken for lost. What is settled soon costs nothing.
#[derive(Debug, Default)]
pub(super) struct Hands {
    state: Mutex<State>,
    /// Rung when something is to be marked at once.
    at_once: Notify,
}

#[derive(Debug, Default)]
struct State {
    /// How many deliveries of each order there are, and since when.
    held: HashMap<OrderId, (usize, Instant)>,
    /// To be marked next, however short they are held: sent to wait since the last
    /// mark, or delivered once more.
    due: HashSet<OrderId>,
}

/// Orders to be marked that can be remembered; of those beyond, a look at the queue
/// may see too few messages, which one look alone does not act on.
const MOST_DUE: usize = 65_536;

/// One delivery of an order, which is held until this is dropped.
#[derive(Debug)]
pub(super) struct Held {
    hands: Arc<Hands>,
    id: OrderId,
}

impl Hands {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn hold(self: &Arc<Self>, id: OrderId) -> Held {
        let mut state = self.lock();
        state.held.entry(id).or_insert_with(|| (0, Instant::now())).0 += 1;
        Held { hands: Arc::clone(self), id }
    }

    /// Marks in `store`, every `pause`, what has been held for that long, until `done`.
    pub(super) async fn mark_regularly(
        &self,
        store: &dyn OrderStore,
        pause: Duration,
        done: &CancellationToken,
    ) {
        let mut ticks = interval(pause.max(Duration::from_millis(1)));
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut next = async || {
            tokio::select! {
                biased;
                _ = ticks.tick() => {}
                () = self.at_once.notified() => {}
            }
        };
        while done.run_until_cancelled(next()).await.is_some() {
            self.mark(store, pause).await;
        }
        self.mark(store, pause).await;
    }

    async fn mark(&self, store: &dyn OrderStore, pause: Duration) {
        let (ids, due) = self.take_due(pause);
        if ids.is_empty() {
            return;
        }
        if let Err(error) = store.mark_held(&ids).await {
            // It is tried again with the next; an unavailable store counts nothing either.
            tracing::debug!(
                error = &error as &dyn std::error::Error,
                "orders in hand are not marked"
            );
            self.lock().due.extend(due);
        }
    }

    /// Returns what is to be marked, and which of it whenever it was taken in hand.
    fn take_due(&self, held_for: Duration) -> (Vec<OrderId>, HashSet<OrderId>) {
        let mut state = self.lock();
        let due = std::mem::take(&mut state.due);
        let old = state.held.iter().filter(|(_, (_, since))| since.elapsed() >= held_for);
        let ids: HashSet<OrderId> = old.map(|(id, _)| *id).chain(due.iter().copied()).collect();
        (ids.into_iter().collect(), due)
    }
}

impl Held {
    /// Notes that the message is being sent to wait for its next attempt.
    pub(super) fn sent_to_wait(&self) {
        let mut state = self.hands.lock();
        if state.due.len() < MOST_DUE {
            state.due.insert(self.id);
        }
    }

    /// Notes that the message was delivered before. Workers may be dying one after the
    /// other, each with it in hand for a moment only: it is marked at once.
    pub(super) fn came_again(&self) {
        self.sent_to_wait();
        self.hands.at_once.notify_one();
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let mut state = self.hands.lock();
        if let Some((count, _)) = state.held.get_mut(&self.id) {
            *count -= 1;
            if *count == 0 {
                state.held.remove(&self.id);
            }
        }
    }
}
