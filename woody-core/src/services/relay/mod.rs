mod clearing;
mod error;
mod feed;
mod given_up;
mod lanes;
mod reconciliation;
mod settings;

use std::{
    fmt,
    sync::{Arc, atomic::AtomicBool},
    time::Duration,
};

use tokio::sync::{Mutex, mpsc};
use tokio_util::sync::CancellationToken;

pub(crate) use self::feed::lease_end;
use self::{
    clearing::Clearing,
    feed::{Fresh, messages_of},
    reconciliation::Reconciliation,
};
pub use self::{error::RelayError, feed::RelayFeed, settings::RelaySettings};
use super::{group_commit::MOST_LANES, spans, turns::Turns};
use crate::{
    domain::{Details, NewOrder, OrderDetails, OrderId, OrderMessage},
    ports::{BrokerAdmin, OrderStore, Publisher},
    resilience::Comeback,
    step,
};

/// Carries orders from the outbox to the broker.
///
/// Three ways lead there:
/// - the *feed*: orders that this process has just stored come straight from
///   memory, their outbox entries leased to it meanwhile; while the broker is away they
///   wait there, until the lease ends;
/// - the *sweep*: entries that are not leased, left by a process that died or since the
///   feed had no room for them, are claimed in batches;
/// - the *reconciliation*: orders whose messages the broker has lost get a new entry
///   (`docs/decisions/0015-lost-messages.md`). That refills a broker that has lost its
///   data.
///
/// An entry is cleared only after the broker has confirmed its message. Several
/// relays may run: leases keep them from doing the same work, and what is
/// published twice all the same is one order by its id.
///
/// ```
/// # use std::sync::Arc;
/// # use tokio_util::sync::CancellationToken;
/// # use woody_core::{ports::{Broker, OrderStore}, services::{OutboxRelay, RelaySettings}};
/// # async fn example(store: Arc<dyn OrderStore>, broker: Arc<dyn Broker>, shutdown: CancellationToken) {
/// let relay =
///     OutboxRelay::new(store, broker.publisher(), broker.admin(), RelaySettings::default());
/// relay.run(shutdown).await; // Until then nothing in the outbox is forgotten.
/// # }
/// ```
pub struct OutboxRelay {
    store: Arc<dyn OrderStore>,
    publisher: Arc<dyn Publisher>,
    admin: Arc<dyn BrokerAdmin>,
    fresh: Mutex<mpsc::Receiver<Fresh>>,
    feed: RelayFeed,
    clearing: Clearing,
    turns: Turns,
    /// Whether the last fresh batch failed, so that an outage is logged once.
    failing: AtomicBool,
    reconciliation: Reconciliation,
    settings: RelaySettings,
}

impl fmt::Debug for OutboxRelay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OutboxRelay").field("settings", &self.settings).finish_non_exhaustive()
    }
}

/// Short, since for an order an outage lasts until its message is published.
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

const FIRST_PAUSE: Duration = Duration::from_millis(100);

const SHORTEST_PAUSE: Duration = Duration::from_millis(1);

impl OutboxRelay {
    /// Makes a relay between `store` and the broker.
    pub fn new(
        store: Arc<dyn OrderStore>,
        publisher: Arc<dyn Publisher>,
        admin: Arc<dyn BrokerAdmin>,
        mut settings: RelaySettings,
    ) -> Self {
        settings.batch = settings.batch.max(1);
        let (feed, fresh) = RelayFeed::new(settings.waiting, settings.waiting_bytes);
        Self {
            clearing: Clearing::new(Arc::clone(&store)),
            store,
            publisher,
            admin,
            fresh: Mutex::new(fresh),
            feed,
            turns: Turns::new(),
            failing: AtomicBool::new(false),
            reconciliation: Reconciliation::new(settings.pending_for),
            settings,
        }
    }

    /// Takes only what is a `D` for an order, where the broker itself has given messages
    /// up; otherwise everything that has an id is one.
    #[must_use]
    pub fn of_orders<D: OrderDetails>(mut self) -> Self {
        self.reconciliation = self.reconciliation.of_orders::<D>();
        self
    }

    /// Returns the feed, for the intake of this process.
    pub fn feed(&self) -> RelayFeed {
        self.feed.clone()
    }

    /// Relays until `shutdown`, then publishes what the feed still holds.
    ///
    /// Failures are logged and tried again with growing pauses; they never end it.
    pub async fn run(&self, shutdown: CancellationToken) {
        // Of a counter that begins with what it counts, Prometheus sees no increase.
        for rare in ["woody_outbox_refilled_total", "woody_orders_given_up_by_broker_total"] {
            metrics::counter!(rare).increment(0);
        }
        let lanes = (0..self.settings.lanes.clamp(1, MOST_LANES)).map(|_| self.lane(&shutdown));
        tokio::join!(
            futures::future::join_all(lanes),
            self.clearing.run(&shutdown),
            self.repeat("outbox sweep", self.settings.sweep_every, &shutdown, || self.sweep()),
            self.repeat("reconciliation", self.settings.reconcile_every, &shutdown, || {
                self.reconcile()
            }),
        );
        self.note(&self.flush().await.map(drop));
    }

    /// Claims entries that are not leased, publishes them and clears them, until there are
    /// none left. Returns how many.
    ///
    /// # Errors
    /// [`RelayError`]; what was claimed waits in the feed then, if it has room, and can be
    /// claimed again after its lease.
    pub async fn sweep(&self) -> Result<u64, RelayError> {
        // What is claimed while the broker is away is kept from the others for nothing.
        self.publisher.ping().await?;
        let mut moved = 0;
        loop {
            let until = lease_end(self.settings.lease);
            let claimed = self.store.claim_outbox(self.settings.batch, self.settings.lease).await?;
            if claimed.is_empty() {
                return Ok(moved);
            }
            step!("relay.claimed");
            if let Err(error) = self.publish(&mut messages(&claimed)).await {
                if let Some(room) = self.feed.reserve(&claimed) {
                    room.offer(claimed, until);
                }
                return Err(error);
            }
            self.clearing.clear_entries(&ids(&claimed)).await?;
            moved += claimed.len() as u64;
        }
    }

    /// Publishes what the feed holds now and clears its entries. Returns how many.
    ///
    /// A process that ends calls it after its last order was accepted;
    /// [`run`](Self::run) does so when it is stopped.
    ///
    /// # Errors
    /// [`RelayError`]; what was not published stays in the outbox.
    pub async fn flush(&self) -> Result<u64, RelayError> {
        let published = self.publish_waiting().await;
        let cleared = self.clearing.clear().await;
        published.and_then(|published| Ok(cleared.map(|()| published)?))
    }

    async fn publish_waiting(&self) -> Result<u64, RelayError> {
        let mut published = 0;
        loop {
            let batch = {
                let mut fresh = self.fresh.lock().await;
                let Ok(first) = fresh.try_recv() else { return Ok(published) };
                self.filled(first, &mut fresh)
            };
            let mut messages = messages_of(&batch);
            self.publish(&mut messages).await?;
            self.clearing.add(batch.into_iter().map(Fresh::confirmed));
            published += messages.len() as u64;
        }
    }

    /// Looks once for orders whose messages the broker has lost, and puts those back
    /// into the outbox that several looks in a row have missed. Returns how many.
    ///
    /// # Errors
    /// [`RelayError`]; nothing is known then, nothing is changed, and the next look is
    /// the first again.
    pub async fn reconcile(&self) -> Result<u64, RelayError> {
        self.reconciliation.look(self.store.as_ref(), self.admin.as_ref()).await
    }

    /// Publishes `messages`. Their entries are cleared after it, in this order, so that a
    /// crash between the two doubles a message and never loses one.
    async fn publish(&self, messages: &mut [OrderMessage]) -> Result<(), RelayError> {
        spans::publish(&*self.publisher, messages).await?;
        step!("relay.published");
        Ok(())
    }

    /// Runs `step` every `pause`, less often while it fails.
    async fn repeat<F, Fut>(
        &self,
        what: &'static str,
        pause: Duration,
        shutdown: &CancellationToken,
        step: F,
    ) where
        F: Fn() -> Fut,
        Fut: Future<Output = Result<u64, RelayError>>,
    {
        // Without a pause it would spin.
        let pause = pause.max(SHORTEST_PAUSE);
        let mut comeback = Comeback::new(pause, LONGEST_PAUSE.max(pause));
        let mut next = pause;
        loop {
            let round = async {
                tokio::time::sleep(next).await;
                step().await
            };
            // Every step can be dropped: what it held stays in the outbox.
            let Some(done) = shutdown.run_until_cancelled(round).await else { return };
            next = match done {
                Ok(done) => {
                    if let Some(back) = comeback.back() {
                        tracing::info!(
                            outbox.published = done,
                            after_ms = back.after_ms(),
                            "{what} works again"
                        );
                    }
                    pause
                }
                Err(error) => {
                    let lost = comeback.lost();
                    if lost.is_news {
                        tracing::warn!(
                            error = &error as &dyn std::error::Error,
                            "{what} failed, it goes on trying"
                        );
                    }
                    lost.pause
                }
            };
        }
    }
}

fn messages<'a>(orders: impl IntoIterator<Item = &'a NewOrder<Details>>) -> Vec<OrderMessage> {
    orders.into_iter().map(OrderMessage::from).collect()
}

fn ids(orders: &[NewOrder<Details>]) -> Vec<OrderId> {
    orders.iter().map(|order| order.id).collect()
}
