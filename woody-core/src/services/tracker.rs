mod moments;
mod outage;

use std::{
    collections::HashMap,
    fmt,
    marker::PhantomData,
    sync::{Arc, Mutex, OnceLock, PoisonError},
    time::Duration,
};

use futures::{Stream, StreamExt, stream};
use tokio::sync::watch;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use self::moments::Moments;
pub(super) use self::outage::{Began, StoreOutage};
use crate::{
    domain::{Details, Order, OrderDetails, OrderId, OrderStatus, ToyOrder},
    ports::{
        BrokerError, OrderEvents, OrderPage, OrderQuery, OrderStore, StatusChange, StoreError,
    },
    resilience::Comeback,
    services::{
        forecasts::{OrderForecasts, Ready},
        looks::Looks,
    },
};

/// Follows orders until they end, in whichever process that happens.
///
/// An announcement only makes it look: what it shows is always what the store
/// holds. Announcements may be lost, so it also looks by itself now and then. All who look
/// at the same time share a statement.
///
/// While the store is unavailable, orders that were given since are pending; it says so
/// as long as it has [run](Self::run) and has heard announcements since then.
///
/// ```
/// # use futures::StreamExt;
/// # use woody_core::{domain::OrderId, services::OrderTracker};
/// # async fn example(tracker: &OrderTracker, id: OrderId) -> Result<(), Box<dyn std::error::Error>> {
/// let Some(changes) = tracker.watch(id).await? else { return Ok(()) };
/// let mut changes = std::pin::pin!(changes);
/// while let Some(order) = changes.next().await {
///     println!("{id} is {}", order.status.as_str()); // The last one is final.
/// }
/// # Ok(())
/// # }
/// ```
pub struct OrderTracker<D = ToyOrder> {
    store: Arc<dyn OrderStore>,
    events: Arc<dyn OrderEvents>,
    watched: Arc<Watched>,
    /// Begun with the first look: a tracker is made outside of any runtime too.
    looks: Arc<OnceLock<Looks>>,
    outage: Arc<StoreOutage>,
    forecasts: Arc<OrderForecasts>,
    moments: Moments,
    shows: PhantomData<fn() -> D>,
}

impl<D> fmt::Debug for OrderTracker<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OrderTracker")
            .field("look_every", &self.moments.pause())
            .finish_non_exhaustive()
    }
}

/// An order as it can be shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrackedOrder<D = ToyOrder> {
    /// Its id.
    pub id: OrderId,
    /// Its status.
    pub status: OrderStatus,
    /// All of it; `None` while only the broker has it, because the store was
    /// unavailable when it was accepted and no worker has written it yet, and once it was
    /// archived, which only an order that has ended is.
    pub stored: Option<Order<D>>,
}

impl<D> TrackedOrder<D> {
    /// Returns the order as the store has it, or as pending when the store does not have
    /// it and its id is [ours](OrderId::is_ours): it is in the broker then.
    pub fn of(id: OrderId, stored: Option<Order<D>>) -> Option<Self> {
        match stored {
            Some(order) => Some(order.into()),
            None => id.is_ours().then(|| Self::unwritten(id)),
        }
    }

    fn unwritten(id: OrderId) -> Self {
        Self { id, status: OrderStatus::Pending, stored: None }
    }
}

impl<D> From<Order<D>> for TrackedOrder<D> {
    fn from(order: Order<D>) -> Self {
        Self { id: order.id, status: order.status.clone(), stored: Some(order) }
    }
}

/// More than clocks that are kept by NTP are apart.
const CLOCKS_DIFFER_BY: Duration = Duration::from_secs(1);

/// The orders that are watched, each with its bell.
#[derive(Default)]
struct Watched(Mutex<HashMap<OrderId, watch::Sender<()>>>);

impl Watched {
    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<OrderId, watch::Sender<()>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn ring(&self, change: &StatusChange) {
        if let Some(bell) = self.lock().get(&change.order_id) {
            bell.send_replace(());
        }
    }
}

/// One watcher of an order in [`Watched`]; the last one removes the bell.
struct Watcher {
    watched: Arc<Watched>,
    id: OrderId,
    bell: watch::Receiver<()>,
}

impl Watcher {
    fn take(watched: &Arc<Watched>, id: OrderId) -> Self {
        let bell = watched.lock().entry(id).or_default().subscribe();
        Self { watched: Arc::clone(watched), id, bell }
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        let mut watched = self.watched.lock();
        // This watcher's own receiver is still counted.
        if watched.get(&self.id).is_some_and(|bell| bell.receiver_count() <= 1) {
            watched.remove(&self.id);
        }
    }
}

impl<D: OrderDetails> OrderTracker<D> {
    /// Makes a tracker that looks into `store` when `events` announce a change, and
    /// every `look_every`.
    pub fn new(
        store: Arc<dyn OrderStore>,
        events: Arc<dyn OrderEvents>,
        look_every: Duration,
    ) -> Self {
        let (watched, looks) = (Arc::default(), Arc::default());
        let outage = Arc::new(StoreOutage::new(CLOCKS_DIFFER_BY));
        let moments = Moments::new(look_every);
        let forecasts = Arc::default();
        Self { store, events, watched, looks, outage, forecasts, moments, shows: PhantomData }
    }

    /// Sets how far the clocks of the replicas may be apart; 1 s by default. An order that was
    /// given less than that after an outage began is not shown as pending elsewhere.
    #[must_use]
    pub fn clocks_differ_by(mut self, difference: Duration) -> Self {
        self.outage = Arc::new(StoreOutage::new(difference));
        self
    }

    /// Returns what is foretold of the orders of this queue. It hears of their ends for as long as
    /// the tracker has [run](Self::run), and has to be [run](OrderForecasts::run) itself.
    pub fn forecasts(&self) -> Arc<OrderForecasts> {
        Arc::clone(&self.forecasts)
    }

    /// Returns when an order that is pending will be ready, as far as that can be
    /// [foretold](OrderForecasts::ready); `None` for one that only the broker has.
    pub fn ready(&self, order: &TrackedOrder<D>) -> Option<Ready> {
        let pending = order.stored.as_ref().filter(|_| !order.status.is_final())?;
        self.forecasts.ready(pending.accepted_at)
    }

    /// Returns what the intake of this process notes of the store.
    pub(super) fn outage(&self) -> Arc<StoreOutage> {
        Arc::clone(&self.outage)
    }

    /// Listens to announcements, and looks whether the store is there, until `shutdown`.
    pub async fn run(&self, shutdown: CancellationToken) {
        let listen = async {
            let mut comeback = Comeback::new(Duration::from_millis(100), Duration::from_secs(5));
            loop {
                let error = match self.events.subscribe().await {
                    Ok(mut changes) => {
                        comeback.back();
                        while let Some(change) = changes.next().await {
                            self.outage.heard(&change);
                            self.forecasts.heard(&change);
                            self.watched.ring(&change);
                        }
                        self.outage.hears_nothing();
                        None
                    }
                    Err(error) => Some(error),
                };
                let lost = comeback.lost();
                match error {
                    None => {}
                    // An operator has to act, and watchers wait longer until then.
                    Some(error @ BrokerError::Refused(_)) if lost.is_news => {
                        tracing::warn!(
                            error = &error as &dyn std::error::Error,
                            "the broker refuses to announce changes, watchers read the store"
                        );
                    }
                    Some(error) => {
                        tracing::debug!(
                            error = &error as &dyn std::error::Error,
                            "no announcements, watchers read the store"
                        );
                    }
                }
                tokio::time::sleep(lost.pause).await;
            }
        };
        tokio::select! {
            biased;
            () = shutdown.cancelled() => {}
            () = listen => {}
            () = self.outage.watch(self.store.as_ref(), self.events.as_ref()) => {}
        }
    }

    /// Returns a page of orders as the store has them: what only the broker has is in none.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn list(&self, query: &OrderQuery) -> Result<OrderPage, StoreError> {
        self.store.list(query).await
    }

    /// Returns the order as it stands now; `None` for an id that was never given out.
    ///
    /// # Errors
    /// [`StoreError`]: while the store is unavailable an order that is pending cannot be
    /// told from one that has ended, and a status never goes back. One that was given
    /// during the outage cannot have ended: it is pending.
    pub async fn order(&self, id: OrderId) -> Result<Option<TrackedOrder<D>>, StoreError> {
        match self.looks().look_soon(id).await {
            Err(error) if error.is_transient() => {
                let pending = self.outage.covers(id).then(|| TrackedOrder::unwritten(id));
                pending.map(Some).ok_or(error)
            }
            answer => {
                self.outage.store_answered();
                Ok(match answer? {
                    Some(order) => Some(read(order)?),
                    None => TrackedOrder::of(id, None),
                })
            }
        }
    }

    fn looks(&self) -> &Looks {
        // Nothing has to be waited for: it only reads, and ends with the tracker and its watchers.
        self.looks.get_or_init(|| Looks::start(Arc::clone(&self.store), &TaskTracker::new()))
    }

    /// Returns how many orders are being watched.
    pub fn watching(&self) -> usize {
        self.watched.lock().len()
    }

    /// Returns the order now and each time its status changes; ends after a final
    /// status. `None` when there is no such order.
    ///
    /// While the store is unavailable the stream waits; it never shows a status twice, and
    /// never one that is older than what it showed before.
    ///
    /// # Errors
    /// [`StoreError`] when the first look fails.
    pub async fn watch(
        &self,
        id: OrderId,
    ) -> Result<Option<impl Stream<Item = TrackedOrder<D>> + Send + use<D>>, StoreError> {
        // Registers before it looks: a change in between rings the bell.
        let watcher = Watcher::take(&self.watched, id);
        let Some(now) = self.order(id).await? else { return Ok(None) };
        let following = Following {
            watcher,
            looks: Arc::clone(&self.looks),
            outage: self.outage(),
            moments: self.moments,
            shown: now.status.clone(),
            shows: PhantomData,
        };
        let changes = stream::unfold(following, Following::next);
        Ok(Some(stream::iter([now]).chain(changes)))
    }
}

struct Following<D> {
    watcher: Watcher,
    looks: Arc<OnceLock<Looks>>,
    outage: Arc<StoreOutage>,
    moments: Moments,
    shown: OrderStatus,
    shows: PhantomData<fn() -> D>,
}

impl<D: OrderDetails> Following<D> {
    async fn next(mut self) -> Option<(TrackedOrder<D>, Self)> {
        while !self.shown.is_final() {
            let wait = self.moments.until_next();
            let _ = tokio::time::timeout(wait, self.watcher.bell.changed()).await;
            let Some(looks) = self.looks.get() else { continue };
            let Ok(stored) = looks.look(self.watcher.id).await else { continue };
            self.outage.store_answered();
            if let Some(order) = stored
                && order.status != self.shown
                && let Ok(order) = read(order)
            {
                self.shown = order.status.clone();
                return Some((order, self));
            }
        }
        None
    }
}

/// A row that is no `D` is damaged, or is read by a version of `D` that it was not written for.
/// Of one that was archived the end is left.
fn read<D: OrderDetails>(order: Order<Details>) -> Result<TrackedOrder<D>, StoreError> {
    let id = order.id;
    if order.details.are_archived() {
        return Ok(TrackedOrder { id, status: order.status, stored: None });
    }
    order.decode().map(TrackedOrder::from).map_err(|error| {
        StoreError::Corrupt(format!("order {id} cannot be read as a {}: {error}", D::NAME))
    })
}
