use std::{panic::AssertUnwindSafe, time::Duration};

use futures::FutureExt;
use tokio_util::sync::CancellationToken;

use super::{GoingDown, OrderWorker, pause};
use crate::{
    domain::{NewOrder, OrderStatus, Outcome, Reason},
    ports::{Decision, Delivery, ValidateError},
    resilience::{RetryDelays, pause_after},
    step,
};

/// What is to become of a delivery and of its order.
#[derive(Debug)]
pub(super) enum Judgement {
    /// Its order ends, or has ended, like this.
    Ended(Decision),
    /// Its last attempt failed: its order ends as `Failed`, for this reason.
    GivenUp(Decision, Reason),
    /// It comes again after this pause, its attempt counted.
    Again(Duration, Reason),
    /// It is no order message.
    Malformed(Reason),
    /// Shutdown was requested before there was a judgement.
    ShuttingDown,
}

impl Judgement {
    /// What has to be saved before the delivery may leave the queue.
    pub(super) fn decision(&self) -> Option<&Decision> {
        match self {
            Self::Ended(decision) | Self::GivenUp(decision, _) => Some(decision),
            Self::Again(..) | Self::Malformed(_) | Self::ShuttingDown => None,
        }
    }
}

impl OrderWorker {
    /// Judges an order: as it ended, if it has, otherwise by validating it.
    pub(super) async fn judge(
        &self,
        delivery: &Delivery,
        order: NewOrder,
        shutdown: &CancellationToken,
    ) -> Judgement {
        let redriven = delivery.redriven();
        if delivery.redelivered()
            && let Some(outcome) = self.known_outcome(&order, redriven).await
        {
            // The order is final already: saving the same outcome again is a no-op
            // that returns the `Saved` needed to acknowledge.
            return Judgement::Ended(Decision { order, outcome, redriven: false });
        }
        let Ok(verdict) = self.validate(&order, shutdown).await else {
            return Judgement::ShuttingDown;
        };
        step!("worker.validated");
        match verdict {
            Ok(outcome) => Judgement::Ended(Decision { order, outcome, redriven }),
            Err(error)
                if error.is_transient() && delivery.attempt() < self.settings.max_attempts =>
            {
                let delay = pause_after(delivery.attempt(), self.settings.retry_base);
                tracing::warn!(order.id = %order.id, order.attempt = delivery.attempt(), %error,
                    delay_ms = u64::try_from(delay.as_millis()).unwrap_or(u64::MAX),
                    "validation failed, the order comes again");
                Judgement::Again(delay, Reason::new(error.to_string()))
            }
            Err(error) => {
                let reason = Reason::new(error.to_string());
                let outcome = Outcome::Failed(reason.clone());
                Judgement::GivenUp(Decision { order, outcome, redriven }, reason)
            }
        }
    }

    /// Returns how the order ended, if it has: a delivery that comes again need not
    /// be validated again. When in doubt it is.
    async fn known_outcome(&self, order: &NewOrder, redriven: bool) -> Option<Outcome> {
        match self.store.order(order.id).await.ok()??.status {
            OrderStatus::Pending => None,
            OrderStatus::Failed(_) if redriven => None,
            OrderStatus::Success(reason) => Some(Outcome::Success(reason)),
            OrderStatus::Rejected(reason) => Some(Outcome::Rejected(reason)),
            OrderStatus::Failed(reason) => Some(Outcome::Failed(reason)),
        }
    }

    /// Returns a verdict within the time allowed. A panic is an error like another; an
    /// unavailable dependency is waited for.
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
