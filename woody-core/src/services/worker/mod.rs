mod attempt_keeper;
mod going_down;
mod handled;
mod hands;
mod judge;
mod judgement;
mod received;
mod saver;
mod settings;
mod settle;
mod trials;
mod waits;

use std::{fmt, sync::Arc};

use tokio::task::JoinSet;
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tracing::{Instrument, Span, field};

use self::{
    attempt_keeper::AttemptKeeper,
    hands::{Hands, Held},
    judge::{Judge, TakenUp},
    judgement::Judgement,
    received::Received,
    saver::Saver,
    settle::{Exit, conclude, settle},
    trials::Trials,
};
pub use self::{
    handled::Handled,
    settings::WorkerSettings,
    waits::{Wait, Waits},
};
use crate::{
    domain::{MalformedMessage, OrderDetails, OrderStatus, Reason, ToyOrder},
    ports::{Consumer, Delivery, OrderEvents, OrderStore, Validator},
    services::{looks::Looks, spans::part_of},
    step,
};

/// Validates the orders of the queue, saves how they end, and only then
/// acknowledges them.
///
/// [`handle`](Self::handle) is one delivery from beginning to end;
/// [`run`](Self::run) is the loop over it. Every delivery ends in exactly one
/// way, which [`Handled`] names.
///
/// While the store is unavailable, or refuses, the worker takes no new deliveries, keeps
/// the verdicts it has, and counts no attempts.
///
/// A validation may end the whole process. So the validation of an order that comes
/// again is counted in the store before it begins, and no longer when it has ended: what
/// is left was begun by a worker that died. An order with such a count is validated alone
/// in its worker, and is `Failed` when there are as many as attempts.
///
/// ```
/// # use std::{num::NonZeroU16, sync::Arc};
/// # use tokio_util::{sync::CancellationToken, task::TaskTracker};
/// # use woody_core::{domain::ToyOrder, ports::{Broker, OrderStore, Validator}, services::{OrderWorker, WorkerSettings}};
/// # async fn example(
/// #     store: Arc<dyn OrderStore>, broker: Arc<dyn Broker>, validator: Arc<dyn Validator>,
/// # ) -> Result<(), Box<dyn std::error::Error>> {
/// let (tasks, shutdown) = (TaskTracker::new(), CancellationToken::new());
/// let worker: OrderWorker<ToyOrder> =
///     OrderWorker::start(store, validator, broker.events(), WorkerSettings::default(), &tasks);
/// let consumer = broker.consumer(NonZeroU16::MIN).await?;
/// Arc::new(worker).run(consumer, shutdown).await;
/// # Ok(())
/// # }
/// ```
pub struct OrderWorker<D: OrderDetails = ToyOrder> {
    store: Arc<dyn OrderStore>,
    judge: Judge<D>,
    saver: Saver,
    attempts: AttemptKeeper,
    waits: Arc<Waits>,
    hands: Arc<Hands>,
    settings: WorkerSettings,
}

impl<D: OrderDetails> fmt::Debug for OrderWorker<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OrderWorker")
            .field("of", &D::NAME)
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}

impl<D: OrderDetails> OrderWorker<D> {
    /// Starts a worker whose background work runs on `tasks`.
    pub fn start(
        store: Arc<dyn OrderStore>,
        validator: Arc<dyn Validator<D>>,
        events: Arc<dyn OrderEvents>,
        settings: WorkerSettings,
        tasks: &TaskTracker,
    ) -> Self {
        let waits = Arc::<Waits>::default();
        let saver = Saver::start(Arc::clone(&store), events, settings.wait_base, tasks);
        let attempts = AttemptKeeper::start(Arc::clone(&store), tasks);
        let looks = Looks::start(Arc::clone(&store), tasks);
        let trials =
            Trials::new(Arc::clone(&store), validator, Arc::clone(&waits), settings.clone());
        let judge = Judge::new(looks, trials, Arc::clone(&waits), settings.clone());
        Self { store, judge, saver, attempts, waits, hands: Arc::default(), settings }
    }

    /// Handles the deliveries of `consumer` until `shutdown` or until the broker
    /// is closed, as many at once as its prefetch allows; then finishes those
    /// under way. Dropping the future gives those back.
    pub async fn run(
        self: Arc<Self>,
        mut consumer: Box<dyn Consumer>,
        shutdown: CancellationToken,
    ) {
        // Of a counter that begins with what it counts, Prometheus sees no increase.
        for handled in Handled::ALL {
            handled.count(0);
        }
        let done = CancellationToken::new();
        let handling = async {
            let mut under_way = JoinSet::new();
            while let Some(delivery) = self.next(&mut *consumer, &shutdown, &mut under_way).await {
                let (worker, shutdown) = (Arc::clone(&self), shutdown.clone());
                under_way.spawn(async move { worker.handle(delivery, &shutdown).await });
            }
            consumer.stop().await;
            while under_way.join_next().await.is_some() {}
            done.cancel();
        };
        let every = self.settings.mark_held_every;
        tokio::join!(handling, self.hands.mark_regularly(self.store.as_ref(), every, &done));
    }

    /// Returns the next delivery, once the store is there to save its order.
    async fn next(
        &self,
        consumer: &mut dyn Consumer,
        shutdown: &CancellationToken,
        under_way: &mut JoinSet<Handled>,
    ) -> Option<Delivery> {
        let mut store_is_up = self.saver.store_is_up();
        loop {
            tokio::select! {
                biased;
                () = shutdown.cancelled() => return None,
                Some(_) = under_way.join_next() => {}
                delivery = async {
                    // The sender lives in self, so this only ends when it is true.
                    let _ = store_is_up.wait_for(|up| *up).await;
                    consumer.next().await
                } => return delivery,
            }
        }
    }

    /// Handles one delivery, to its end: parses it, judges it, saves how its order
    /// ends, or keeps that the attempt failed, and settles it.
    pub async fn handle(&self, delivery: Delivery, shutdown: &CancellationToken) -> Handled {
        step!("worker.received");
        let taken_up = TakenUp::now();
        let order = Received::read(&delivery);
        let held = order.as_ref().ok().map(|order| self.hands.hold(order.asked.id));
        if let (Some(held), true) = (&held, delivery.redelivered()) {
            held.came_again();
        }
        let known = match &order {
            Ok(order) => self.judge.look(order.asked.id).await,
            Err(_) => None,
        };
        let (known, kept_trace) =
            known.map_or((None, None), |order| (Some(order.status), order.trace));
        // A queue that keeps no headers delivers none, but the store has it.
        let trace = delivery.trace().or(kept_trace);
        // A span costs each order something, and most belong to no trace.
        let logged = trace.map_or_else(Span::none, |trace| {
            tracing::info_span!("order", trace.id = trace.trace_id())
        });
        let (span, trace) = part_of!(
            trace,
            "process",
            "consumer",
            messaging.operation.type = "process",
            woody.order.id = order.as_ref().ok().map(|order| display(order.asked.id)),
            woody.attempt = delivery.attempt(),
            woody.queue.wait_ms =
                order.as_ref().ok().map(|order| taken_up.after_ms(order.asked.accepted_at)),
            woody.handled = field::Empty,
        );
        let order = order.map(|order| order.traced(trace));
        let ending = self.end(&delivery, taken_up, order, known, held.as_ref(), shutdown);
        let (exit, handled) = ending.instrument(logged.clone()).await;
        let handled = settle(delivery, exit, handled).instrument(logged).await;
        drop(held);
        step!("worker.settled");
        handled.count(1);
        span.record("woody.handled", handled.as_str());
        handled
    }

    /// Has the order of a delivery end, or its failed attempt kept; returns how the delivery is
    /// to be settled.
    async fn end(
        &self,
        delivery: &Delivery,
        taken_up: TakenUp,
        order: Result<Box<Received<D>>, MalformedMessage>,
        known: Option<OrderStatus>,
        held: Option<&Held>,
        shutdown: &CancellationToken,
    ) -> (Exit, Handled) {
        let judgement = match order {
            Ok(order) => self.judge.judge(delivery, taken_up, order, known, shutdown).await,
            Err(error) => Judgement::Malformed(Reason::new(error.to_string())),
        };
        if let (Some(held), Some(attempt)) = (held, judgement.failed_attempt()) {
            held.sent_to_wait();
            self.attempts.keep(attempt).await;
        }
        let saved = match judgement.decision() {
            Some(decision) => {
                let _span = part_of!(
                    decision.order.trace,
                    "save",
                    "internal",
                    woody.order.status = decision.outcome.name().as_str()
                );
                self.saver.save(decision, shutdown).await.ok()
            }
            None => None,
        };
        if saved.is_some() {
            step!("worker.saved");
        }
        conclude(judgement, saved, delivery.attempt())
    }

    /// Whether the store took the last order that was saved.
    pub fn store_is_up(&self) -> bool {
        *self.saver.store_is_up().borrow()
    }

    /// Returns what validations wait for, if they do.
    pub fn waits(&self) -> Arc<Waits> {
        Arc::clone(&self.waits)
    }

    /// Returns the store that this worker saves to.
    pub fn store(&self) -> &Arc<dyn OrderStore> {
        &self.store
    }
}
