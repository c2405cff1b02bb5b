use std::{sync::Arc, time::Duration};

use time::OffsetDateTime;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::{
    going_down::{GoingDown, pause},
    judgement::Judgement,
    received::Received,
    settings::WorkerSettings,
    trials::{History, Trials},
    waits::Waits,
};
use crate::{
    domain::{
        AfterFailure, Details, FailedAttempt, NewOrder, Order, OrderDetails, OrderId, OrderStatus,
        Outcome, Reason, Validation, now,
    },
    ports::{Begun, Decision, Delivery, ValidateError},
    resilience::{RetryDelays, pause_after},
    services::looks::Looks,
    step,
};

/// The longest pause of an order that is not to blame for its failure.
const LONGEST_POSTPONEMENT: Duration = Duration::from_secs(30);

/// Judges orders: looks how they ended, or has them validated.
pub(super) struct Judge<D: OrderDetails> {
    looks: Looks,
    trials: Trials<D>,
    waits: Arc<Waits>,
    settings: WorkerSettings,
}

impl<D: OrderDetails> Judge<D> {
    pub(super) fn new(
        looks: Looks,
        trials: Trials<D>,
        waits: Arc<Waits>,
        settings: WorkerSettings,
    ) -> Self {
        Self { looks, trials, waits, settings }
    }

    /// Returns the order as the store has it: one that was cancelled, or whose delivery comes
    /// again, need not be validated. Where the store does not say, it is.
    pub(super) async fn look(&self, id: OrderId) -> Option<Order<Details>> {
        self.looks.look(id).await.ok()?
    }

    /// Judges an order: as it ended, if it has, otherwise by validating it.
    pub(super) async fn judge(
        &self,
        delivery: &Delivery,
        taken_up: TakenUp,
        received: Box<Received<D>>,
        known: Option<OrderStatus>,
        shutdown: &CancellationToken,
    ) -> Judgement {
        let redriven = delivery.redriven();
        if let Some(outcome) = known.and_then(|status| known_outcome(status, redriven)) {
            // The order is final already: saving the same outcome again is a no-op
            // that returns the `Saved` needed to acknowledge.
            return Judgement::Ended(Decision {
                order: received.carried,
                outcome,
                redriven: false,
                validation: None,
            });
        }
        let history = if delivery.redelivered() {
            // Few orders come again: the others need no room for this.
            match Box::pin(self.trials.history(received.asked.id, shutdown)).await {
                Ok(record) => record,
                Err(GoingDown) => return Judgement::ShuttingDown,
            }
        } else {
            History::Fresh
        };
        if let History::Suspect(begun) = history
            && delivery.attempt().saturating_add(begun.times) > self.settings.max_attempts
        {
            return self.judge_suspect(
                begun,
                received.carried,
                self.validation(delivery, taken_up),
            );
        }
        let Ok(verdict) = self.validate(&received.asked, history, redriven, shutdown).await else {
            return Judgement::ShuttingDown;
        };
        let order = received.carried;
        step!("worker.validated");
        let validation = self.validation(delivery, taken_up);
        let error = match verdict {
            Ok(outcome) => {
                let validation = Some(validation);
                return Judgement::Ended(Decision { order, outcome, redriven, validation });
            }
            Err(error) => error,
        };
        let attempt = delivery.attempt();
        let reason = Reason::new(error.to_string());
        let is_last = attempt >= self.settings.max_attempts;
        let delay = pause_after(attempt, self.settings.retry_base);
        let failed = |then| failed_attempt(order.id, validation.clone(), reason.clone(), then);
        match error {
            ValidateError::Transient(_) if !is_last => {
                log_retry(order.id, attempt, delay, &reason);
                Judgement::Again(delay, failed(AfterFailure::Again))
            }
            ValidateError::Undecided(_) if !is_last => {
                log_retry(order.id, attempt, delay, &reason);
                Judgement::Again(delay.min(LONGEST_POSTPONEMENT), failed(AfterFailure::Again))
            }
            ValidateError::Undecided(_)
            | ValidateError::Unavailable(_)
            | ValidateError::Refused(_) => {
                let delay = delay.min(LONGEST_POSTPONEMENT);
                Judgement::Postponed(delay, failed(AfterFailure::Postponed))
            }
            ValidateError::Transient(_) | ValidateError::Permanent(_) => {
                let outcome = Outcome::Failed(reason.clone());
                let validation = Some(validation);
                Judgement::GivenUp(Decision { order, outcome, redriven, validation }, reason)
            }
        }
    }

    /// Returns what is kept of the validation of this delivery, which has ended now.
    fn validation(&self, delivery: &Delivery, taken_up: TakenUp) -> Validation {
        Validation {
            worker: self.settings.name.clone(),
            attempt: delivery.attempt(),
            redriven: delivery.redriven(),
            taken_up_at: taken_up.at,
            took: taken_up.since.elapsed(),
        }
    }

    /// Judges an order whose attempts are used up by workers that died of it. A
    /// validation that began a moment ago may still be under way somewhere: a
    /// connection that is lost gives its message to another worker.
    fn judge_suspect(
        &self,
        begun: Begun,
        order: NewOrder<Details>,
        validation: Validation,
    ) -> Judgement {
        let (times, redriven) = (begun.times, validation.redriven);
        if begun.last_ago < self.settings.validation_timeout {
            let reason = format!("{times} validations of it have begun and not ended");
            let attempt =
                failed_attempt(order.id, validation, reason.into(), AfterFailure::Postponed);
            return Judgement::Postponed(self.settings.validation_timeout, attempt);
        }
        let times = if times == 1 { "once".to_owned() } else { format!("{times} times") };
        let reason = Reason::new(format!("its worker died {times} while validating it"));
        let outcome = Outcome::Failed(reason.clone());
        let validation = Some(validation);
        Judgement::GivenUp(Decision { order, outcome, redriven, validation }, reason)
    }

    /// Returns a verdict within the time allowed. A panic is an error like another.
    ///
    /// What is unavailable or refuses is waited for, about as long as a validation may
    /// take; then the error is returned, so that another order has its turn: it may
    /// need less.
    async fn validate(
        &self,
        order: &NewOrder<D>,
        history: History,
        redriven: bool,
        shutdown: &CancellationToken,
    ) -> Result<Result<Outcome, ValidateError>, GoingDown> {
        let mut delays = RetryDelays::new(self.settings.wait_base, Duration::from_secs(5));
        let began = Instant::now();
        loop {
            let asked_at = std::time::Instant::now();
            let verdict = self.trials.try_order(order, history, redriven, shutdown).await?;
            let (reason, refused, is_waited_for) = match &verdict {
                Err(ValidateError::Unavailable(reason)) => (reason, false, true),
                Err(ValidateError::Refused(reason)) => (reason, true, true),
                Err(ValidateError::Undecided(reason)) => (reason, false, false),
                verdict => {
                    // A validation that waited for a dependency only is not counted.
                    let seconds = asked_at.elapsed().as_secs_f64();
                    metrics::histogram!("woody_validation_seconds").record(seconds);
                    if verdict.is_ok() {
                        self.waits.over();
                    }
                    return Ok(verdict.clone());
                }
            };
            self.waits.note(reason, refused);
            let delay = delays.next_delay();
            if !is_waited_for || began.elapsed() + delay > self.settings.validation_timeout {
                return Ok(verdict);
            }
            pause(delay, shutdown).await?;
        }
    }
}

/// When a delivery was taken up.
#[derive(Debug, Clone, Copy)]
pub(super) struct TakenUp {
    at: OffsetDateTime,
    /// The same, for measuring.
    since: Instant,
}

impl TakenUp {
    pub(super) fn now() -> Self {
        Self { at: now(), since: Instant::now() }
    }

    /// Returns how long after this time it was; 0 if a clock says before.
    pub(super) fn after_ms(self, accepted_at: OffsetDateTime) -> u64 {
        u64::try_from((self.at - accepted_at).whole_milliseconds()).unwrap_or(0)
    }
}

/// Returns how the order ended, if it has and nothing is to change that.
fn known_outcome(status: OrderStatus, redriven: bool) -> Option<Outcome> {
    match status {
        OrderStatus::Pending => None,
        OrderStatus::Ended(Outcome::Failed(_)) if redriven => None,
        OrderStatus::Ended(outcome) => Some(outcome),
    }
}

fn failed_attempt(
    order: OrderId,
    validation: Validation,
    reason: Reason,
    then: AfterFailure,
) -> FailedAttempt {
    FailedAttempt { order, validation, reason, then }
}

fn log_retry(id: OrderId, attempt: u32, delay: Duration, reason: &Reason) {
    tracing::warn!(order.id = %id, order.attempt = attempt, %reason,
        delay_ms = u64::try_from(delay.as_millis()).unwrap_or(u64::MAX),
        "validation failed, the order comes again");
}
