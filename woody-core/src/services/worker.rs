use std::{panic::AssertUnwindSafe, sync::Arc, time::Duration};

use futures::FutureExt;
use tokio::{sync::watch, task::JoinSet};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::{
    announcer::Announcer,
    group_commit::{GroupCommit, GroupError, GroupLimits},
};
use crate::{
    domain::{NewOrder, OrderMessage, OrderStatus, Outcome, Reason},
    ports::{
        Consumer, Decision, Delivery, OrderEvents, OrderStore, Saved, SettleError, StatusChange,
        Transition, ValidateError, Validator, record,
    },
    resilience::{RetryDelays, pause_after},
    step,
};

/// Validates the orders of the queue, saves how they end, and only then
/// acknowledges them.
///
/// [`handle`](Self::handle) is one delivery from beginning to end;
/// [`run`](Self::run) is the loop over it. Every delivery ends in exactly one
/// way, which [`Handled`] names.
///
/// While the store is away, or refuses, the worker takes no new deliveries, keeps the
/// verdicts it has, and burns no attempts.
pub struct OrderWorker {
    store: Arc<dyn OrderStore>,
    validator: Arc<dyn Validator>,
    saves: GroupCommit<Decision, (Transition, Saved)>,
    store_is_up: watch::Sender<bool>,
    settings: WorkerSettings,
}

/// How a worker tries and gives up.
#[derive(Debug, Clone)]
pub struct WorkerSettings {
    /// After this many attempts an order is `Failed` and its message a dead letter.
    pub max_attempts: u32,
    /// The pause before the second attempt; it doubles with each further one.
    pub retry_base: Duration,
    /// The longest one validation may take.
    pub validation_timeout: Duration,
    /// The first pause of a worker that waits for something that is away; it
    /// grows to 5 s.
    pub wait_base: Duration,
}

impl Default for WorkerSettings {
    fn default() -> Self {
        Self {
            max_attempts: 5,
            retry_base: Duration::from_secs(1),
            validation_timeout: Duration::from_secs(10),
            wait_base: Duration::from_millis(100),
        }
    }
}

/// What became of one delivery.
#[must_use]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Handled {
    /// Its order has a final state, given by this delivery.
    Decided,
    /// Its order had ended before, and stays as it was.
    Duplicate,
    /// It comes again later, its attempt counted.
    Retry,
    /// Its last attempt failed: the order is `Failed`, the message a dead letter.
    GivenUp,
    /// It was no order message: it is a dead letter.
    Poison,
    /// It went back to the queue, or will by itself, no attempt counted.
    Released,
}

impl Handled {
    /// The outcome as a word for logs and metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Decided => "decided",
            Self::Duplicate => "duplicate",
            Self::Retry => "retry",
            Self::GivenUp => "given_up",
            Self::Poison => "poison",
            Self::Released => "released",
        }
    }
}

/// The process goes down, so what was being waited for is left to another.
struct GoingDown;

impl OrderWorker {
    /// Starts a worker whose background work runs on `tasks`.
    pub fn start(
        store: Arc<dyn OrderStore>,
        validator: Arc<dyn Validator>,
        events: Arc<dyn OrderEvents>,
        settings: WorkerSettings,
        tasks: &TaskTracker,
    ) -> Self {
        let announcer = Announcer::start(events, tasks);
        let limits = GroupLimits { waiting: 65_536, batch: 512, lanes: 2 };
        let saves = GroupCommit::start(tasks, limits, {
            let store = Arc::clone(&store);
            move |decisions: Vec<Decision>| {
                let (store, announcer) = (Arc::clone(&store), announcer.clone());
                async move {
                    let saved = record(store.as_ref(), &decisions).await?;
                    for (decision, (transition, _)) in decisions.into_iter().zip(&saved) {
                        if *transition == Transition::Applied {
                            let status = decision.outcome.into();
                            announcer.offer(StatusChange::new(decision.order.id, &status));
                        }
                    }
                    Ok(saved)
                }
            }
        });
        Self { store, validator, saves, store_is_up: watch::Sender::new(true), settings }
    }

    /// Handles the deliveries of `consumer` until `shutdown` or until the broker
    /// is closed, as many at once as its prefetch allows; then finishes those
    /// under way. Dropping the future gives those back.
    pub async fn run(
        self: Arc<Self>,
        mut consumer: Box<dyn Consumer>,
        shutdown: CancellationToken,
    ) {
        let mut under_way = JoinSet::new();
        while let Some(delivery) = self.next(consumer.as_mut(), &shutdown, &mut under_way).await {
            let (worker, shutdown) = (Arc::clone(&self), shutdown.clone());
            under_way.spawn(async move { worker.handle(delivery, &shutdown).await });
        }
        consumer.stop().await;
        while under_way.join_next().await.is_some() {}
    }

    /// The next delivery, once the store is there to save its order.
    async fn next(
        &self,
        consumer: &mut dyn Consumer,
        shutdown: &CancellationToken,
        under_way: &mut JoinSet<Handled>,
    ) -> Option<Delivery> {
        let mut store_is_up = self.store_is_up.subscribe();
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

    /// Handles one delivery, to its end.
    pub async fn handle(&self, delivery: Delivery, shutdown: &CancellationToken) -> Handled {
        step!("worker.received");
        let handled = match OrderMessage::parse(delivery.body()) {
            Ok(message) => self.decide(delivery, message.into_order(), shutdown).await,
            Err(error) => {
                tracing::warn!(%error, "message is no order, it goes to the dead letters");
                settled(delivery.dead_letter(Reason::new(error.to_string())).await, Handled::Poison)
            }
        };
        step!("worker.settled");
        metrics::counter!("woody_deliveries_total", "handled" => handled.as_str()).increment(1);
        handled
    }

    async fn decide(
        &self,
        delivery: Delivery,
        order: NewOrder,
        shutdown: &CancellationToken,
    ) -> Handled {
        let redriven = delivery.redriven();
        if delivery.redelivered()
            && let Some(outcome) = self.known_outcome(&order, redriven).await
        {
            // Saving what is saved changes nothing and yields the proof.
            let decision = Decision { order, outcome, redriven: false };
            return self.conclude(delivery, decision, None, shutdown).await;
        }
        let verdict = match self.validate(&order, shutdown).await {
            Ok(verdict) => verdict,
            Err(GoingDown) => return settled(delivery.release().await, Handled::Released),
        };
        step!("worker.validated");
        let (outcome, given_up) = match verdict {
            Ok(outcome) => (outcome, None),
            Err(error)
                if error.is_transient() && delivery.attempt() < self.settings.max_attempts =>
            {
                return self.retry(delivery, &order, &error).await;
            }
            Err(error) => {
                let reason = Reason::new(error.to_string());
                (Outcome::Failed(reason.clone()), Some(reason))
            }
        };
        let decision = Decision { order, outcome, redriven };
        self.conclude(delivery, decision, given_up, shutdown).await
    }

    /// Saves how an order ends, and only then takes its message off the queue.
    ///
    /// The message of a failed order becomes a dead letter, whoever made it fail:
    /// of the one who did, nobody knows whether he lived long enough to move a
    /// message. A letter too many does no harm, an order that has failed and
    /// cannot be redriven is lost.
    async fn conclude(
        &self,
        delivery: Delivery,
        decision: Decision,
        given_up: Option<Reason>,
        shutdown: &CancellationToken,
    ) -> Handled {
        let id = decision.order.id;
        let ends_as = OrderStatus::from(decision.outcome.clone());
        let (transition, saved) = match self.save(decision, shutdown).await {
            Ok(saved) => saved,
            Err(GoingDown) => return settled(delivery.release().await, Handled::Released),
        };
        step!("worker.saved");
        let (is_ours, status) = match transition {
            Transition::Applied => (true, ends_as),
            Transition::Superseded(stays) => (false, stays),
        };
        let OrderStatus::Failed(failed_for) = status else {
            let handled = if is_ours { Handled::Decided } else { Handled::Duplicate };
            tracing::debug!(order.id = %id, order.status = status.as_str(), "order {}", handled.as_str());
            return settled(delivery.ack(saved).await, handled);
        };
        let handled = if given_up.is_some() { Handled::GivenUp } else { Handled::Duplicate };
        let reason = given_up.unwrap_or(failed_for);
        if handled == Handled::GivenUp {
            tracing::error!(order.id = %id, order.attempts = delivery.attempt(), %reason,
                "order given up, its message goes to the dead letters");
        }
        settled(delivery.dead_letter(reason).await, handled)
    }

    /// How the order ended, if it has: a delivery that comes again need not be
    /// validated again. When in doubt it is.
    async fn known_outcome(&self, order: &NewOrder, redriven: bool) -> Option<Outcome> {
        match self.store.order(order.id).await.ok()??.status {
            OrderStatus::Pending => None,
            OrderStatus::Failed(_) if redriven => None,
            OrderStatus::Success(reason) => Some(Outcome::Success(reason)),
            OrderStatus::Rejected(reason) => Some(Outcome::Rejected(reason)),
            OrderStatus::Failed(reason) => Some(Outcome::Failed(reason)),
        }
    }

    async fn retry(&self, delivery: Delivery, order: &NewOrder, error: &ValidateError) -> Handled {
        let delay = pause_after(delivery.attempt(), self.settings.retry_base);
        tracing::warn!(order.id = %order.id, order.attempt = delivery.attempt(), %error,
            delay_ms = u64::try_from(delay.as_millis()).unwrap_or(u64::MAX),
            "validation failed, the order comes again");
        settled(delivery.retry_after(delay, Reason::new(error.to_string())).await, Handled::Retry)
    }

    /// A verdict within the time allowed. A panic is an error like another; a
    /// dependency that is away is waited for.
    async fn validate(
        &self,
        order: &NewOrder,
        shutdown: &CancellationToken,
    ) -> Result<Result<Outcome, ValidateError>, GoingDown> {
        let mut delays = RetryDelays::new(self.settings.wait_base, Duration::from_secs(5));
        loop {
            let started = std::time::Instant::now();
            let validation = AssertUnwindSafe(async {
                step!("worker.validating");
                self.validator.validate(order).await
            })
            .catch_unwind();
            let limit = self.settings.validation_timeout;
            let verdict = match tokio::time::timeout(limit, validation).await {
                Ok(Ok(verdict)) => verdict.map(Outcome::from),
                Ok(Err(panic)) => Err(ValidateError::Transient(panic_reason(panic.as_ref()))),
                Err(_elapsed) => Err(ValidateError::Transient(Reason::new(format!(
                    "no verdict within {limit:?}"
                )))),
            };
            metrics::histogram!("woody_validation_seconds").record(started.elapsed().as_secs_f64());
            match verdict {
                Err(ValidateError::Unavailable(reason)) => {
                    if delays.is_clear() {
                        tracing::warn!(%reason, "validation waits");
                    }
                    pause(delays.next_delay(), shutdown).await?;
                }
                verdict => return Ok(verdict),
            }
        }
    }

    /// Saves a decision, however long the store is away or refuses.
    ///
    /// An order that is valid can be stored, so a refusal (a full disk, a missing
    /// table) is about the store and not about this order: giving the order up
    /// would turn an operator's problem into a loss.
    async fn save(
        &self,
        decision: Decision,
        shutdown: &CancellationToken,
    ) -> Result<(Transition, Saved), GoingDown> {
        let mut delays = RetryDelays::new(self.settings.wait_base, Duration::from_secs(5));
        loop {
            let error = match self.saves.submit(decision.clone()).await {
                Ok(saved) => {
                    self.store_is_up.send_if_modified(|up| !std::mem::replace(up, true));
                    return Ok(saved);
                }
                Err(GroupError::Closed) => return Err(GoingDown),
                Err(error) => error,
            };
            if self.store_is_up.send_if_modified(|up| std::mem::replace(up, false)) {
                tracing::error!(
                    error = &error as &dyn std::error::Error,
                    "orders cannot be saved: the worker waits and keeps its verdicts"
                );
            }
            pause(delays.next_delay(), shutdown).await?;
        }
    }

    /// Whether the store took the last order that was saved.
    pub fn store_is_up(&self) -> bool {
        *self.store_is_up.borrow()
    }

    /// The store that this worker saves to.
    pub fn store(&self) -> &Arc<dyn OrderStore> {
        &self.store
    }
}

async fn pause(delay: Duration, shutdown: &CancellationToken) -> Result<(), GoingDown> {
    tokio::select! {
        biased;
        () = shutdown.cancelled() => Err(GoingDown),
        () = tokio::time::sleep(delay) => Ok(()),
    }
}

/// A settlement that did not reach the broker lets the message come again.
fn settled(settlement: Result<(), SettleError>, handled: Handled) -> Handled {
    match settlement {
        Ok(()) => handled,
        Err(error) => {
            tracing::info!(
                error = &error as &dyn std::error::Error,
                handled = handled.as_str(),
                "a delivery could not be settled, it comes again"
            );
            Handled::Released
        }
    }
}

fn panic_reason(panic: &(dyn std::any::Any + Send)) -> Reason {
    let said = panic
        .downcast_ref::<&str>()
        .map(|text| (*text).to_owned())
        .or_else(|| panic.downcast_ref::<String>().cloned());
    Reason::new(match said {
        Some(text) => format!("the validator panicked: {text}"),
        None => "the validator panicked".to_owned(),
    })
}
