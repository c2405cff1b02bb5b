use std::{fmt, marker::PhantomData, sync::Arc, time::Duration};

use tokio_util::task::TaskTracker;

use super::{
    group_commit::{GroupCommit, GroupLimits},
    relay::RelayFeed,
    sink::{NotTaken, Outage, Sink},
    tracker::StoreOutage,
};
use crate::{
    domain::{
        Details, DetailsError, IdempotencyKey, NewOrder, OrderDetails, OrderId, OrderMessage,
        ToyOrder, now,
    },
    ports::{BrokerError, Insert, OrderStore, Publisher, StoreError},
    step,
};

/// Accepts orders that ask for a `D`: whatever it has returned as `Ok` is kept.
///
/// An order is durable in one of two places before its client hears of it: in the store,
/// together with its outbox entry, or, while the store is unavailable, in the broker. The
/// id is chosen before either is called, so an order that is in both is still one.
///
/// # Cancel safety
/// A dropped future may leave the order accepted though its client was not told.
pub struct OrderIntake<D = ToyOrder> {
    store: Sink<NewOrder<Details>, Insert, StoreError>,
    broker: Sink<OrderMessage, (), BrokerError>,
    /// Tells the tracker of this process what this intake does.
    outage: Option<Arc<StoreOutage>>,
    details_bytes: usize,
    takes: PhantomData<fn(D)>,
}

impl<D> fmt::Debug for OrderIntake<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OrderIntake")
            .field("details_bytes", &self.details_bytes)
            .finish_non_exhaustive()
    }
}

/// What an intake waits for, and how long.
#[non_exhaustive]
#[derive(Debug, Clone, Copy)]
pub struct IntakeSettings {
    /// How long the store may take before the broker is used instead.
    pub store_deadline: Duration,
    /// How long the broker may take when it is used instead.
    pub broker_deadline: Duration,
    /// How long a new outbox entry belongs to this process, which publishes it
    /// at once; afterwards any relay may take it.
    pub outbox_lease: Duration,
    /// Orders that may wait for a commit; past that they are refused at once.
    pub waiting: usize,
    /// How large the details of all orders that wait may be together, in bytes; past
    /// that they are refused at once.
    pub waiting_bytes: usize,
    /// How large the details of one order may be as JSON, in bytes: at most
    /// [`Details::LARGEST`].
    pub details_bytes: usize,
    /// Orders in one commit.
    pub batch: usize,
    /// Commits under way at once.
    pub lanes: usize,
}

impl IntakeSettings {
    crate::__setters! {
        store_deadline: Duration,
        broker_deadline: Duration,
        outbox_lease: Duration,
        waiting: usize,
        waiting_bytes: usize,
        details_bytes: usize,
        batch: usize,
        lanes: usize,
    }
}

impl Default for IntakeSettings {
    fn default() -> Self {
        Self {
            store_deadline: Duration::from_millis(500),
            broker_deadline: Duration::from_secs(2),
            outbox_lease: Duration::from_secs(15),
            waiting: 4_096,
            waiting_bytes: 32 * 1024 * 1024,
            details_bytes: Details::MAX_BYTES,
            batch: 512,
            lanes: 2,
        }
    }
}

/// What a client asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderRequest<D = ToyOrder> {
    /// What it asks for.
    pub details: D,
    /// What the client calls this submit, if it may send it twice.
    pub key: Option<IdempotencyKey>,
}

impl<D> OrderRequest<D> {
    /// Makes a request that its client calls `key`: sent twice, it is one order.
    #[must_use]
    pub fn keyed(details: D, key: IdempotencyKey) -> Self {
        Self { details, key: Some(key) }
    }
}

/// A request without a key: each is an order of its own.
impl<D: OrderDetails> From<D> for OrderRequest<D> {
    fn from(details: D) -> Self {
        Self { details, key: None }
    }
}

/// An order that is kept from now on.
#[must_use]
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Accepted<D = ToyOrder> {
    /// The order as it was accepted.
    pub order: NewOrder<D>,
    /// Where it is kept.
    pub kept: Kept,
}

/// Where an accepted order is durable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kept {
    /// In the store, new.
    InStore,
    /// In the store since an earlier submit under the same key.
    Already,
    /// In the broker alone: the store is unavailable, a worker writes it later.
    InBroker,
}

/// An order was not accepted.
#[non_exhaustive]
#[derive(Debug, thiserror::Error)]
pub enum IntakeError {
    /// What it asks for cannot be an order's.
    #[error(transparent)]
    Details(#[from] DetailsError),
    /// The key was used for another order before.
    #[error("this Idempotency-Key was used for another order")]
    KeyReused,
    /// Too many orders are waiting: try again soon.
    #[error("too many orders are waiting to be stored")]
    Overloaded,
    /// Neither the store nor the broker could take it: try again later.
    #[error("no order can be kept: the store {store}; the broker {broker}")]
    Unavailable {
        /// Why the store did not take it.
        store: Outage<StoreError>,
        /// Why the broker did not take it.
        broker: Outage<BrokerError>,
    },
    /// The process is shutting down: try another replica.
    #[error("this replica is shutting down")]
    ShuttingDown,
}

impl<D: OrderDetails> OrderIntake<D> {
    /// Starts an intake whose background work runs on `tasks`.
    ///
    /// `feed` leads to the relay of this process, which publishes new orders
    /// right after their commit.
    pub fn start(
        store: Arc<dyn OrderStore>,
        publisher: Arc<dyn Publisher>,
        feed: RelayFeed,
        settings: IntakeSettings,
        tasks: &TaskTracker,
    ) -> Self {
        let details_bytes = settings.details_bytes.min(Details::LARGEST);
        let limits = GroupLimits {
            waiting: settings.waiting,
            // An order as large as it may be fits when nothing else waits.
            bytes: settings.waiting_bytes.max(details_bytes),
            batch: settings.batch,
            lanes: settings.lanes,
        };
        let lease = settings.outbox_lease;
        let inserts =
            GroupCommit::start(tasks, limits, move |orders: Vec<NewOrder<Details>>| {
                let (store, feed) = (Arc::clone(&store), feed.clone());
                async move {
                    let inserted = store.insert(&orders, lease).await?;
                    step!("intake.stored");
                    feed.offer(orders.into_iter().zip(&inserted).filter_map(|(order, insert)| {
                        (*insert == Insert::Created).then_some(order)
                    }));
                    Ok(inserted)
                }
            });
        let direct = GroupCommit::start(tasks, limits, move |messages: Vec<OrderMessage>| {
            let publisher = Arc::clone(&publisher);
            async move {
                publisher.publish(&messages).await?;
                step!("intake.sent");
                Ok(vec![(); messages.len()])
            }
        });
        Self {
            store: Sink::new("store", inserts, settings.store_deadline),
            broker: Sink::new("broker", direct, settings.broker_deadline),
            outage: None,
            details_bytes,
            takes: PhantomData,
        }
    }

    /// Tells `outage` whenever the store replies, and which orders the broker took.
    pub(super) fn telling(mut self, outage: Arc<StoreOutage>) -> Self {
        self.outage = Some(outage);
        self
    }

    /// Accepts an order, durably.
    ///
    /// # Errors
    /// [`IntakeError`]; the order is not accepted then. After `Unavailable` it may turn up
    /// all the same, if a dependency took it and could not confirm it in time: for a client
    /// that uses a key this is harmless.
    pub async fn accept(
        &self,
        request: impl Into<OrderRequest<D>>,
    ) -> Result<Accepted<D>, IntakeError> {
        let OrderRequest { details, key } = request.into();
        let id = key.as_ref().map_or_else(OrderId::fresh, OrderId::from_key);
        let order = NewOrder { id, details, accepted_at: now() };
        let kept = match order.encode(self.details_bytes) {
            Ok(carried) => self.keep(carried).await,
            Err(error) => Err(error.into()),
        };
        step!("intake.accepted");
        count(&kept);
        kept.map(|kept| Accepted { order, kept })
    }

    async fn keep(&self, order: NewOrder<Details>) -> Result<Kept, IntakeError> {
        let id = order.id;
        let began = self.outage.as_ref().map(|outage| (outage, outage.begin()));
        let kept = match self.store.take(order.clone()).await {
            Ok(Insert::Created) => Ok(Kept::InStore),
            Ok(Insert::AlreadyPresent) => Ok(Kept::Already),
            // Another client, or another version of `D`, may have written it differently.
            Ok(Insert::Conflict(there)) if there.mean_the_same::<D>(&order.details) => {
                Ok(Kept::Already)
            }
            Ok(Insert::Conflict(_)) => Err(IntakeError::KeyReused),
            Err(NotTaken::Overloaded) => Err(IntakeError::Overloaded),
            Err(NotTaken::Closing) => Err(IntakeError::ShuttingDown),
            Err(NotTaken::Unavailable(store)) => self.keep_in_broker(&order, store).await,
        };
        match (began, &kept) {
            (Some((outage, began)), Ok(Kept::InBroker)) => outage.taken(id, began),
            (Some((outage, _)), Ok(_) | Err(IntakeError::KeyReused)) => outage.store_answered(),
            _ => {}
        }
        kept
    }

    /// Whether orders are being accepted by at least one of the two ways.
    pub fn can_accept(&self) -> bool {
        self.store.is_there() || self.broker.is_there()
    }

    async fn keep_in_broker(
        &self,
        order: &NewOrder<Details>,
        store: Outage<StoreError>,
    ) -> Result<Kept, IntakeError> {
        match self.broker.take(OrderMessage::from(order)).await {
            Ok(()) => Ok(Kept::InBroker),
            Err(NotTaken::Overloaded) => Err(IntakeError::Overloaded),
            Err(NotTaken::Closing) => Err(IntakeError::ShuttingDown),
            Err(NotTaken::Unavailable(broker)) => match broker.cause() {
                Some(BrokerError::Closed) => Err(IntakeError::ShuttingDown),
                _ => Err(IntakeError::Unavailable { store, broker }),
            },
        }
    }
}

fn count(accepted: &Result<Kept, IntakeError>) {
    let outcome = match accepted {
        Ok(Kept::InStore) => "store",
        Ok(Kept::Already) => "already",
        Ok(Kept::InBroker) => "broker",
        Err(IntakeError::Details(_)) => "invalid",
        Err(IntakeError::KeyReused) => "key_reused",
        Err(IntakeError::Overloaded) => "overloaded",
        Err(IntakeError::ShuttingDown) => "shutting_down",
        Err(IntakeError::Unavailable { .. }) => "unavailable",
    };
    metrics::counter!("woody_orders_intake_total", "outcome" => outcome).increment(1);
}
