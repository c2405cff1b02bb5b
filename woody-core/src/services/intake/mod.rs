mod accepted;
mod admission;
mod batch;
mod cancellation;
mod error;
mod guarded_sink;
mod lately;
mod order_request;
mod promises;
mod settings;
mod sinks;

use std::{fmt, marker::PhantomData, sync::Arc, time::Duration};

use tokio::time::{Instant, timeout_at};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

pub use self::{
    accepted::{Accepted, Kept},
    cancellation::Cancellation,
    error::IntakeError,
    guarded_sink::Outage,
    order_request::OrderRequest,
    settings::IntakeSettings,
};
use self::{
    admission::Admission,
    guarded_sink::{CallError, GuardedSink, NotTaken},
    promises::Promises,
    sinks::{BrokerSink, StoreSink},
};
use super::{
    announcer::Announcer,
    forecasts::{Coming, OrderForecasts, Ready},
    group_commit::{GroupCommit, GroupLimits, Underway},
    relay::RelayFeed,
    tracker::{Began, StoreOutage},
};
use crate::{
    domain::{Details, NewOrder, OrderDetails, OrderId, OrderMessage, ToyOrder, now},
    ports::{BrokerError, Insert, OrderEvents, OrderStore, Publisher, StoreError},
    step,
};

/// Accepts orders that ask for a `D`: whatever it has returned as `Ok` is kept.
///
/// An order is durable in one of two places before its client hears of it: in the store,
/// together with its outbox entry, or, while the store is unavailable, in the broker. The
/// id is chosen before either is called, so an order that is in both is still one.
///
/// What it has accepted can be taken back while it is pending: [`cancel`](Self::cancel).
///
/// # Cancel safety
/// A dropped future may leave the order accepted though its client got no response.
///
/// ```
/// # use woody_core::{domain::{IdempotencyKey, ToyOrder}, services::{IntakeError, OrderIntake, OrderRequest}};
/// # async fn example(intake: &OrderIntake) -> Result<(), Box<dyn std::error::Error>> {
/// let request = OrderRequest::keyed(ToyOrder::parse("Train", 2)?, IdempotencyKey::parse("cart-42")?);
/// match intake.accept(request).await {
///     Ok(accepted) => println!("{} is kept from now on", accepted.order.id),
///     Err(IntakeError::KeyReused) => println!("this key was another order's"),
///     Err(error) => return Err(error.into()), // Nothing was accepted.
/// }
/// # Ok(())
/// # }
/// ```
pub struct OrderIntake<D = ToyOrder> {
    orders: Arc<dyn OrderStore>,
    store: GuardedSink<NewOrder<Details>, Insert, StoreError>,
    broker: GuardedSink<OrderMessage, (), BrokerError>,
    /// Notes for the tracker of this process what this intake does.
    outage: Option<Arc<StoreOutage>>,
    /// Says when orders will be ready, and which would wait too long.
    admission: Option<Admission>,
    /// Tells others which orders were cancelled.
    announcer: Option<Announcer>,
    promises: Arc<Promises>,
    details_bytes: usize,
    max_wait: Option<Duration>,
    takes: PhantomData<fn(D)>,
}

impl<D> fmt::Debug for OrderIntake<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OrderIntake")
            .field("details_bytes", &self.details_bytes)
            .finish_non_exhaustive()
    }
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
        // Of a counter that begins with what it counts, Prometheus sees no increase.
        for rare in ["broker", "overloaded", "unavailable"] {
            count_orders(rare, 0);
        }
        let details_bytes = settings.details_bytes.min(Details::LARGEST);
        let limits = GroupLimits {
            waiting: settings.waiting,
            // An order as large as it may be fits when nothing else waits.
            bytes: settings.waiting_bytes.max(details_bytes),
            batch: settings.batch,
            lanes: settings.lanes,
        };
        let orders = Arc::clone(&store);
        let promises = Arc::new(Promises::new(Arc::clone(&store), settings.promises_bytes));
        let store = StoreSink { store, feed, lease: settings.outbox_lease };
        let inserts = GroupCommit::start(tasks, limits, move |orders| store.clone().commit(orders));
        let broker = BrokerSink { publisher };
        let direct =
            GroupCommit::start(tasks, limits, move |messages| broker.clone().commit(messages));
        Self {
            orders,
            store: GuardedSink::new("store", inserts, settings.store_deadline),
            broker: GuardedSink::new("broker", direct, settings.broker_deadline),
            outage: None,
            admission: None,
            max_wait: settings.max_wait,
            announcer: None,
            promises,
            details_bytes,
            takes: PhantomData,
        }
    }

    /// Tells `outage` whenever the store replies, and which orders the broker took.
    pub(super) fn telling(mut self, outage: Arc<StoreOutage>) -> Self {
        self.outage = Some(outage);
        self
    }

    /// Says of each order when it will be ready, and refuses those that would wait too long; looks
    /// on `tasks` for those that were accepted before.
    pub(super) fn forecasting(
        mut self,
        forecasts: Arc<OrderForecasts>,
        tasks: &TaskTracker,
    ) -> Self {
        let (store, most) = (Arc::clone(&self.orders), self.max_wait);
        self.admission = Some(Admission::start(forecasts, store, most, tasks));
        self
    }

    /// Announces through `events` which orders were cancelled, on `tasks`.
    pub(super) fn announcing(mut self, events: Arc<dyn OrderEvents>, tasks: &TaskTracker) -> Self {
        self.announcer = Some(Announcer::start(events, tasks));
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
        let OrderRequest { details, key, trace, client } = request.into();
        let id = key.as_ref().map_or_else(OrderId::fresh, OrderId::from_key);
        let order = NewOrder { id, details, accepted_at: now(), trace, client, found_by: None };
        let kept = match order.encode(self.details_bytes) {
            Ok(carried) => match self.admit(id, key.is_some()).await {
                Ok(()) => self.keep(carried).await,
                Err(error) => Err(error),
            },
            Err(error) => Err(error.into()),
        };
        step!("intake.accepted");
        count(&kept);
        kept.map(|(kept, ready)| Accepted { order, kept, ready })
    }

    async fn admit(&self, id: OrderId, is_keyed: bool) -> Result<(), IntakeError> {
        match &self.admission {
            Some(admission) => admission.admit(id, is_keyed).await,
            None => Ok(()),
        }
    }

    fn coming(&self, order: &NewOrder<Details>) -> Option<Coming> {
        self.admission.as_ref().map(|admission| admission.coming(order))
    }

    /// Returns when an order that came will be ready, if it is a new one.
    fn came(&self, kept: Result<Kept, IntakeError>, coming: Option<Coming>) -> Taken {
        let ready = self.admission.as_ref().zip(coming).and_then(|(admission, coming)| {
            let is_new = matches!(kept, Ok(Kept::InStore | Kept::InBroker));
            admission.came(&coming, is_new)
        });
        kept.map(|kept| (kept, ready))
    }

    async fn keep(&self, order: NewOrder<Details>) -> Taken {
        let began = self.outage.as_ref().map(|outage| outage.begin());
        // Counted before: it may have ended before it is known to be kept.
        let coming = self.coming(&order);
        let taken = self.store.take(order.clone()).await;
        self.came(self.kept(&order, taken, began).await, coming)
    }

    /// Returns where `order` is kept, given what the store did with it since `began`.
    async fn kept(
        &self,
        order: &NewOrder<Details>,
        taken: Result<Insert, NotTaken<Insert, StoreError>>,
        began: Option<Began>,
    ) -> Result<Kept, IntakeError> {
        let kept = match taken {
            Ok(insert) => inserted::<D>(order, &insert),
            Err(NotTaken::Overloaded) => Err(IntakeError::Overloaded),
            Err(NotTaken::Closing) => Err(IntakeError::ShuttingDown),
            // Seldom, and large: the future of every order would have room for it.
            Err(NotTaken::Unavailable(store)) => Box::pin(self.keep_in_broker(order, store)).await,
            Err(NotTaken::Late(store, late)) => {
                Box::pin(self.keep_in_either(order, store, late)).await
            }
        };
        // While the store is away, what the broker takes stays there.
        if kept.is_ok() && self.store.is_there() {
            self.promises.kept(order);
        }
        match (self.outage.as_ref().zip(began), &kept) {
            (Some((outage, began)), Ok(Kept::InBroker)) => outage.taken(order.id, began),
            (Some((outage, _)), Ok(_) | Err(IntakeError::KeyReused)) => outage.store_answered(),
            _ => {}
        }
        kept
    }

    /// Looks until `shutdown`, at the latest when `every` has passed, whether the store is on
    /// another [`Timeline`](crate::ports::Timeline): one that is continued from a copy may lack what
    /// was promised last. Orders that this intake has accepted lately, and their cancellations, are
    /// written again then, as many as
    /// [`promises_bytes`](IntakeSettings::promises_bytes) hold.
    ///
    /// Nothing is remembered before that, and where the store has no other timeline. The future
    /// does not keep the intake, which ends when it is dropped.
    pub fn keep_promises(
        &self,
        every: Duration,
        shutdown: CancellationToken,
    ) -> impl Future<Output = ()> + Send + use<D> {
        let promises = Arc::clone(&self.promises);
        async move { promises.run(every.max(Duration::from_millis(1)), shutdown).await }
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
            Err(NotTaken::Unavailable(broker) | NotTaken::Late(broker, _)) => {
                match broker.cause() {
                    Some(BrokerError::Closed) => Err(IntakeError::ShuttingDown),
                    _ => Err(IntakeError::Unavailable { store, broker }),
                }
            }
        }
    }

    /// Keeps the order in the broker or, where that is away, in a store that is only slow:
    /// such an order waits no longer than for a slow broker.
    async fn keep_in_either(
        &self,
        order: &NewOrder<Details>,
        store: Outage<StoreError>,
        mut late: Underway<Insert, StoreError>,
    ) -> Result<Kept, IntakeError> {
        let until = Instant::now() + self.broker.deadline();
        match self.keep_in_broker(order, store).await {
            Err(refused @ IntakeError::Unavailable { .. }) => {
                match timeout_at(until, late.result()).await {
                    Ok(Ok(insert)) => inserted::<D>(order, &insert),
                    Ok(Err(_)) | Err(_) => Err(refused),
                }
            }
            kept => kept,
        }
    }
}

/// What the store has done with `order`.
fn inserted<D: OrderDetails>(
    order: &NewOrder<Details>,
    insert: &Insert,
) -> Result<Kept, IntakeError> {
    match insert {
        Insert::Created => Ok(Kept::InStore),
        Insert::AlreadyPresent => Ok(Kept::Already),
        // Another client, or another version of `D`, may have written it differently.
        Insert::Conflict(there) if there.mean_the_same::<D>(&order.details) => Ok(Kept::Already),
        Insert::Conflict(_) => Err(IntakeError::KeyReused),
    }
}

/// Where an order is kept, and when it will be ready.
type Taken = Result<(Kept, Option<Ready>), IntakeError>;

fn count(accepted: &Taken) {
    let outcome = match accepted {
        Ok((Kept::InStore, _)) => "store",
        Ok((Kept::Already, _)) => "already",
        Ok((Kept::InBroker, _)) => "broker",
        Err(IntakeError::Details(_)) => "invalid",
        Err(IntakeError::KeyReused) => "key_reused",
        Err(IntakeError::Overloaded) => "overloaded",
        Err(IntakeError::Backlogged { .. }) => "backlogged",
        Err(IntakeError::ShuttingDown) => "shutting_down",
        Err(IntakeError::Unavailable { .. }) => "unavailable",
    };
    count_orders(outcome, 1);
}

fn count_orders(outcome: &'static str, orders: u64) {
    metrics::counter!("woody_orders_intake_total", "outcome" => outcome).increment(orders);
}
