use std::{
    collections::HashSet,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::{
    sync::Notify,
    time::{Instant, sleep, timeout},
};

use crate::{
    domain::{OrderId, OrderStatus},
    ports::{OrderEvents, OrderStore, StatusChange},
};

/// How often the store is asked when nothing else has been heard of it.
const ASK_EVERY: Duration = Duration::from_secs(1);
/// How soon it is asked again while it may have gone.
const ASK_AGAIN: Duration = Duration::from_millis(150);
/// How long the store may take to reply; the broker too, for an echo.
const ANSWERS_WITHIN: Duration = Duration::from_millis(300);
/// After so many calls in a row without a reply there is an outage.
const UNANSWERED: u32 = 4;
/// How long an echo proves that announcements are heard.
const ECHO_LASTS: Duration = Duration::from_secs(3);
/// Orders that can be remembered as taken during an outage.
const MOST_TAKEN: usize = 65_536;
/// Announced by a process that was sure of an outage and has had a response: the store may
/// be back too shortly for others to notice.
const RETURNED: &str = "store-returned";

/// Whether the store is unavailable to all processes, as far as this process can tell,
/// and since when.
///
/// No worker can save a final status while it is. So an order that was given after this
/// process was sure of an outage is still pending, for as long as nothing has been heard
/// of the store since: neither a response to this process, nor the announcement of a final
/// status, which a worker must have saved. Hearing nothing proves something only to
/// a process that can hear, so this process announces its own mark and wants its echo.
pub(in crate::services) struct StoreOutage {
    /// Names no order: what is announced to hear the echo.
    mark: OrderId,
    /// How far the clocks of the replicas that give ids may be apart.
    clocks_differ_by: Duration,
    /// The store has replied after an outage, and this was not announced yet.
    returned: Notify,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// When the store replied last, here or to a process that announced something.
    alive: Option<Instant>,
    /// Calls without a reply since.
    unanswered: u32,
    /// When the echo was heard last.
    echo: Option<Instant>,
    certain: Option<Certain>,
    /// Outages so far.
    outages: u64,
}

struct Certain {
    /// Ids with a time that were given since sort after it.
    since: OrderId,
    /// Ids that this process has given since, for the broker took their orders.
    taken: HashSet<OrderId>,
}

/// The outage in which an order began to be taken, if there was one.
#[derive(Debug, Clone, Copy)]
pub(in crate::services) struct Began(Option<u64>);

impl State {
    /// Returns whether an outage had been certain.
    fn over(&mut self) -> bool {
        self.alive = Some(Instant::now());
        self.unanswered = 0;
        self.certain.take().is_some()
    }

    fn hears(&self) -> bool {
        self.echo.is_some_and(|echo| echo.elapsed() <= ECHO_LASTS)
    }
}

impl StoreOutage {
    pub(super) fn new(clocks_differ_by: Duration) -> Self {
        let (mark, returned) = (OrderId::fresh(), Notify::new());
        Self { mark, clocks_differ_by, returned, state: Mutex::default() }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing panics while it is held; if it did, the value would still be whole.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes that the store has replied to this process, whatever it said.
    pub(in crate::services) fn store_answered(&self) {
        let was_certain = self.lock().over();
        if was_certain {
            self.returned.notify_one();
        }
    }

    /// Notes what was announced: a final status ends the outage, since a worker saved it,
    /// and so does another's word that the store has returned.
    pub(super) fn heard(&self, change: &StatusChange) {
        if change.order_id == self.mark {
            self.lock().echo = Some(Instant::now());
        } else if change.status != OrderStatus::Pending.as_str() {
            let _ = self.lock().over();
        }
    }

    /// Notes that announcements may be missed from now on.
    pub(super) fn hears_nothing(&self) {
        let mut state = self.lock();
        let _ = state.over();
        state.echo = None;
    }

    /// Notes that an order begins to be taken.
    pub(in crate::services) fn begin(&self) -> Began {
        let state = self.lock();
        Began(state.certain.as_ref().map(|_| state.outages))
    }

    /// Notes that the broker took the order of `id`, which began to be taken at `began`.
    pub(in crate::services) fn taken(&self, id: OrderId, began: Began) {
        let mut state = self.lock();
        let same = began.0 == Some(state.outages);
        if let Some(certain) = &mut state.certain
            && same
            && certain.taken.len() < MOST_TAKEN
        {
            certain.taken.insert(id);
        }
    }

    /// Whether the order of `id` was given during the outage that lasts, so that no worker
    /// can have ended it.
    pub(super) fn covers(&self, id: OrderId) -> bool {
        let state = self.lock();
        let given = |certain: &Certain| id.is_after(certain.since) || certain.taken.contains(&id);
        id.is_ours() && state.hears() && state.certain.as_ref().is_some_and(given)
    }

    /// Asks `store` now and then whether it is there, and `events` for the echo while
    /// it is not; tells others when it has returned.
    pub(super) async fn watch(&self, store: &dyn OrderStore, events: &dyn OrderEvents) {
        loop {
            tokio::select! {
                biased;
                () = self.returned.notified() => {
                    self.say(events, RETURNED).await;
                    continue;
                }
                () = sleep(self.pause()) => {}
            }
            let quiet = self.lock().alive.is_none_or(|alive| alive.elapsed() >= ASK_EVERY);
            if !quiet {
                continue;
            }
            match timeout(ANSWERS_WITHIN, store.ping()).await {
                Ok(Err(error)) if error.is_transient() => self.unanswered(),
                Ok(_) => self.store_answered(),
                Err(_elapsed) => self.unanswered(),
            }
            if self.lock().unanswered > 0 {
                self.say(events, OrderStatus::Pending.as_str()).await;
            }
        }
    }

    async fn say(&self, events: &dyn OrderEvents, status: &str) {
        let mark = StatusChange { order_id: self.mark, status: status.to_owned(), reason: None };
        // Unheard or refused, there is no echo, and others find out by themselves.
        let _ = timeout(ANSWERS_WITHIN, events.announce(&[mark])).await;
    }

    fn pause(&self) -> Duration {
        let state = self.lock();
        let is_asked_again = state.unanswered > 0 && state.certain.is_none();
        if is_asked_again { ASK_AGAIN } else { ASK_EVERY }
    }

    fn unanswered(&self) {
        let mut state = self.lock();
        if !state.hears() {
            // Deaf, it cannot tell: the outage begins anew with the next echo.
            (state.unanswered, state.certain) = (1, None);
            return;
        }
        state.unanswered = state.unanswered.saturating_add(1);
        if state.unanswered >= UNANSWERED && state.certain.is_none() {
            state.outages += 1;
            let since = OrderId::fresh_in(self.clocks_differ_by);
            state.certain = Some(Certain { since, taken: HashSet::new() });
        }
    }
}
