use std::{panic::AssertUnwindSafe, time::Duration};

use futures::FutureExt;
use tokio_util::sync::CancellationToken;

use super::{
    GoingDown, Handled, OrderWorker,
    settle::{pause, settled},
};
use crate::{
    domain::{NewOrder, OrderStatus, Outcome, Reason},
    ports::{Decision, Delivery, ValidateError},
    resilience::RetryDelays,
    step,
};

impl OrderWorker {
    pub(super) async fn decide(
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
