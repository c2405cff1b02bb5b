use std::{fmt, num::NonZeroU16, sync::Arc, time::Duration};

use tokio::{sync::watch, time::timeout};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::{
    Cancellation, IntakeSettings, NoticeBell, NoticeDelivery, NoticeSettings, OrderIntake,
    OrderRetry, OrderTracker, OrderWorker, OutboxRelay, PauseWatch, RelaySettings, Retried,
    RetryError, Waits, WorkerSettings,
};
use crate::domain::{OrderDetails, OrderId, Reason, SubscriptionName, ToyOrder};
use crate::ports::{
    Broker, BrokerError, ConsumerState, NoticeStore, Notifier, OrderStore, Pauses, Prefetch,
    StoreError, Validator,
};

/// The whole way of orders that ask for a `D`, in one process: intake, relay, tracker
/// and, with a validator, a worker; with notifiers, who tells of their ends.
///
/// ```
/// # use std::sync::Arc;
/// # use woody_core::{domain::ToyOrder, ports::{Broker, OrderStore, Validator}, services::Pipeline};
/// # async fn example(
/// #     store: Arc<dyn OrderStore>, broker: Arc<dyn Broker>, validator: Arc<dyn Validator>,
/// # ) -> Result<(), Box<dyn std::error::Error>> {
/// let pipeline = Pipeline::builder(store, broker).validator(validator).start().await?;
/// let accepted = pipeline.intake().accept(ToyOrder::parse("Train", 2)?).await?;
/// println!("{} is kept from now on", accepted.order.id);
/// pipeline.stop().await;
/// # Ok(())
/// # }
/// ```
pub struct Pipeline<D: OrderDetails = ToyOrder> {
    intake: Arc<OrderIntake<D>>,
    tracker: Arc<OrderTracker<D>>,
    retry: OrderRetry,
    consumer: Option<watch::Receiver<ConsumerState>>,
    waits: Option<Arc<Waits>>,
    pauses: Option<Arc<PauseWatch>>,
    stopping: CancellationToken,
    background: CancellationToken,
    commits: TaskTracker,
    tasks: TaskTracker,
    grace: Duration,
}

impl<D: OrderDetails> fmt::Debug for Pipeline<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pipeline")
            .field("of", &D::NAME)
            .field("has_worker", &self.consumer.is_some())
            .field("is_stopping", &self.stopping.is_cancelled())
            .field("grace", &self.grace)
            .finish_non_exhaustive()
    }
}

/// A pipeline that has not begun; [`Pipeline::builder`] makes one.
///
/// ```
/// # use std::{sync::Arc, time::Duration};
/// # use woody_core::{domain::ToyOrder, ports::{Broker, OrderStore}, services::Pipeline};
/// # use woody_core::validation::AcceptAll;
/// # async fn example(
/// #     store: Arc<dyn OrderStore>, broker: Arc<dyn Broker>,
/// # ) -> Result<(), Box<dyn std::error::Error>> {
/// let builder = Pipeline::<ToyOrder>::builder(store, broker).validator(Arc::new(AcceptAll));
/// let pipeline = builder.start().await?;
/// pipeline.stop_within(Duration::from_secs(5)).await;
/// # Ok(())
/// # }
/// ```
#[must_use = "a pipeline does nothing until it is started"]
pub struct PipelineBuilder<D: OrderDetails = ToyOrder> {
    store: Arc<dyn OrderStore>,
    broker: Arc<dyn Broker>,
    validator: Option<Arc<dyn Validator<D>>>,
    notifiers: Vec<Told<D>>,
    notice_settings: NoticeSettings,
    prefetch: Prefetch,
    stopping: CancellationToken,
    intake: IntakeSettings,
    relay: RelaySettings,
    worker: WorkerSettings,
    pauses: Option<(Arc<dyn Pauses>, Duration)>,
    look_every: Duration,
    clocks_differ_by: Duration,
    grace: Duration,
}

/// Who is told of the ends of orders, and from where.
type Told<D> = (Arc<dyn NoticeStore>, SubscriptionName, Arc<dyn Notifier<D>>);

/// How long a start waits for a subscription: it goes on beside what has started.
const SUBSCRIBED_WITHIN: Duration = Duration::from_secs(1);
/// How often an intake looks whether the store is continued from a copy.
const TIMELINE_EVERY: Duration = Duration::from_secs(1);

impl<D: OrderDetails> fmt::Debug for PipelineBuilder<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PipelineBuilder")
            .field("of", &D::NAME)
            .field("has_validator", &self.validator.is_some())
            .field("notifiers", &self.notifiers.len())
            .field("prefetch", &self.prefetch)
            .field("intake", &self.intake)
            .field("relay", &self.relay)
            .field("worker", &self.worker)
            .field("grace", &self.grace)
            .finish_non_exhaustive()
    }
}

impl<D: OrderDetails> Pipeline<D> {
    /// Returns a builder of a pipeline over these backends, with default settings and no worker.
    pub fn builder(store: Arc<dyn OrderStore>, broker: Arc<dyn Broker>) -> PipelineBuilder<D> {
        PipelineBuilder {
            store,
            broker,
            validator: None,
            notifiers: vec![],
            notice_settings: NoticeSettings::default(),
            prefetch: NonZeroU16::MIN,
            stopping: CancellationToken::new(),
            intake: IntakeSettings::default(),
            relay: RelaySettings::default(),
            worker: WorkerSettings::default(),
            pauses: None,
            look_every: Duration::from_secs(2),
            clocks_differ_by: Duration::from_secs(1),
            grace: Duration::from_secs(25),
        }
    }

    /// Accepts orders.
    pub fn intake(&self) -> Arc<OrderIntake<D>> {
        Arc::clone(&self.intake)
    }

    /// Cancels an order that is pending: [`OrderIntake::cancel`].
    ///
    /// # Errors
    /// [`StoreError`]; cancelling again is right.
    pub async fn cancel(
        &self,
        id: OrderId,
        reason: Option<Reason>,
    ) -> Result<Cancellation, StoreError> {
        self.intake.cancel(id, reason).await
    }

    /// Has an order validated once more that has failed, or whose message may be gone:
    /// [`OrderRetry::retry`].
    ///
    /// # Errors
    /// [`RetryError`]; retrying again is right.
    pub async fn retry(&self, id: OrderId) -> Result<Retried, RetryError> {
        self.retry.retry(id).await
    }

    /// Shows orders and follows them.
    pub fn tracker(&self) -> Arc<OrderTracker<D>> {
        Arc::clone(&self.tracker)
    }

    /// Whether the worker's consumer can receive; `None` without a worker.
    pub fn consumer(&self) -> Option<watch::Receiver<ConsumerState>> {
        self.consumer.clone()
    }

    /// Returns what the worker's validations wait for; `None` without a worker.
    pub fn waits(&self) -> Option<Arc<Waits>> {
        self.waits.clone()
    }

    /// Returns whether the worker is paused; `None` without a worker, or where it cannot be.
    pub fn pauses(&self) -> Option<Arc<PauseWatch>> {
        self.pauses.clone()
    }

    /// Ends it, losing nothing: the worker takes no more deliveries and finishes those
    /// it holds, and so do those who deliver notices; beside it the intake's last commits end, and then the relay publishes
    /// what they accepted. Neither waits for the other, so a long validation holds up no
    /// order that was just accepted. Returns whether all was done within the grace; what
    /// was not is in the outbox or goes back to the queue.
    ///
    /// Drop your own handles to the intake first: it is waited for.
    pub async fn stop(self) -> bool {
        let grace = self.grace;
        self.stop_within(grace).await
    }

    /// Like [`stop`](Self::stop), with another grace.
    pub async fn stop_within(self, grace: Duration) -> bool {
        let Self { intake, tracker, stopping, background, commits, tasks, .. } = self;
        stopping.cancel();
        drop((intake, tracker));
        commits.close();
        tasks.close();
        timeout(grace, async {
            commits.wait().await;
            background.cancel();
            tasks.wait().await;
        })
        .await
        .is_ok()
    }
}

impl<D: OrderDetails> PipelineBuilder<D> {
    /// Validates orders here, with `validator`.
    pub fn validator(mut self, validator: Arc<dyn Validator<D>>) -> Self {
        self.validator = Some(validator);
        self
    }

    /// Tells `notifier` of each end of an order, from now on and in whichever process it ends, until
    /// it was told or that is given up: [`NoticeDelivery`]. `notices` are those of the same store.
    ///
    /// Several processes may tell the same `subscription`; several of one process are told each.
    pub fn notifier(
        mut self,
        notices: Arc<dyn NoticeStore>,
        subscription: SubscriptionName,
        notifier: Arc<dyn Notifier<D>>,
    ) -> Self {
        self.notifiers.push((notices, subscription, notifier));
        self
    }

    /// How notices are delivered.
    pub fn notice_settings(mut self, settings: NoticeSettings) -> Self {
        self.notice_settings = settings;
        self
    }

    /// Sets how many orders the worker validates at once; 1 by default.
    pub fn prefetch(mut self, prefetch: Prefetch) -> Self {
        self.prefetch = prefetch;
        self
    }

    /// Takes no new deliveries once `stopping` is cancelled.
    pub fn stopping(mut self, stopping: CancellationToken) -> Self {
        self.stopping = stopping;
        self
    }

    /// How the intake waits and batches.
    pub fn intake_settings(mut self, settings: IntakeSettings) -> Self {
        self.intake = settings;
        self
    }

    /// How the relay paces itself.
    pub fn relay_settings(mut self, settings: RelaySettings) -> Self {
        self.relay = settings;
        self
    }

    /// How the worker tries and gives up.
    pub fn worker_settings(mut self, settings: WorkerSettings) -> Self {
        self.worker = settings;
        self
    }

    /// Has the worker take no new orders while it is paused there; it looks at the latest
    /// when `every` has passed. Accepting orders goes on.
    pub fn pauses(mut self, pauses: Arc<dyn Pauses>, every: Duration) -> Self {
        self.pauses = Some((pauses, every));
        self
    }

    /// Sets how often a watcher looks into the store when nothing is announced.
    pub fn look_every(mut self, pause: Duration) -> Self {
        self.look_every = pause;
        self
    }

    /// Sets how far the clocks of the replicas may be apart; 1 s by default. See
    /// [`OrderTracker::clocks_differ_by`].
    pub fn clocks_differ_by(mut self, difference: Duration) -> Self {
        self.clocks_differ_by = difference;
        self
    }

    /// Sets how long [`Pipeline::stop`] may take.
    pub fn grace(mut self, grace: Duration) -> Self {
        self.grace = grace;
        self
    }

    /// Begins.
    ///
    /// # Errors
    /// [`BrokerError`] when the broker was closed. An unavailable store or broker is no
    /// error: it is waited for.
    pub async fn start(self) -> Result<Pipeline<D>, BrokerError> {
        let (commits, tasks) = (TaskTracker::new(), TaskTracker::new());
        let background = CancellationToken::new();
        let bell = NoticeBell::new();
        let events = bell.rung_by(self.broker.events());
        for (notices, subscription, notifier) in self.notifiers {
            let (orders, settings) = (Arc::clone(&self.store), self.notice_settings.clone());
            let delivery = NoticeDelivery::new(orders, notices, subscription, notifier, settings);
            let delivery = delivery.woken_by(&bell);
            // Before anything can end here. What fails is logged, and tried again, by its run.
            let _ = timeout(SUBSCRIBED_WITHIN, delivery.subscribe()).await;
            tasks.spawn(delivery.run(self.stopping.clone()));
        }
        let relay = OutboxRelay::new(
            Arc::clone(&self.store),
            self.broker.publisher(),
            self.broker.admin(),
            self.relay,
        );
        let relay = Arc::new(relay.of_orders::<D>());
        let tracker =
            OrderTracker::new(Arc::clone(&self.store), self.broker.events(), self.look_every)
                .clocks_differ_by(self.clocks_differ_by);
        let intake = OrderIntake::start(
            Arc::clone(&self.store),
            self.broker.publisher(),
            relay.feed(),
            self.intake,
            &commits,
        );
        let intake = intake
            .telling(tracker.outage())
            .forecasting(tracker.forecasts(), &commits)
            .announcing(Arc::clone(&events), &tasks);
        let (intake, tracker) = (Arc::new(intake), Arc::new(tracker));
        let (consumer, waits, pauses) = match self.validator {
            None => (None, None, None),
            Some(validator) => {
                let (consumer, pauses) = match self.pauses {
                    None => (self.broker.consumer(self.prefetch).await?, None),
                    Some((pauses, every)) => {
                        let watch = Arc::new(PauseWatch::new(pauses));
                        let consumer = watch.consumer(Arc::clone(&self.broker), self.prefetch);
                        let (watching, until) = (Arc::clone(&watch), self.stopping.clone());
                        tasks.spawn(async move { watching.run(every, until).await });
                        (consumer, Some(watch))
                    }
                };
                let state = consumer.state();
                let worker = Arc::new(OrderWorker::start(
                    Arc::clone(&self.store),
                    validator,
                    events,
                    self.worker,
                    &tasks,
                ));
                let waits = worker.waits();
                tasks.spawn(worker.run(consumer, self.stopping.clone()));
                (Some(state), Some(waits), pauses)
            }
        };
        let until = background.clone();
        tasks.spawn(async move { relay.run(until).await });
        let (forecasts, admin) = (tracker.forecasts(), self.broker.admin());
        let until = background.clone();
        tasks.spawn(async move { forecasts.run(admin, until).await });
        tasks.spawn(intake.keep_promises(TIMELINE_EVERY, background.clone()));
        let (following, until) = (Arc::clone(&tracker), background.clone());
        tasks.spawn(async move { following.run(until).await });
        Ok(Pipeline {
            intake,
            tracker,
            retry: OrderRetry::new(self.store, self.broker.admin()),
            consumer,
            waits,
            pauses,
            stopping: self.stopping,
            background,
            commits,
            tasks,
            grace: self.grace,
        })
    }
}
