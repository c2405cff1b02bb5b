use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::{GoingDown, Handled, OrderWorker};
use crate::{
    domain::{NewOrder, OrderStatus, Reason},
    ports::{Decision, Delivery, Saved, SettleError, Transition, ValidateError},
    resilience::{RetryDelays, pause_after},
    services::group_commit::GroupError,
    step,
};

impl OrderWorker {
    /// Saves how an order ends, and only then takes its message off the queue.
    ///
    /// The message of a failed order becomes a dead letter, whoever made it fail:
    /// of the one who did, nobody knows whether he lived long enough to move a
    /// message. A letter too many does no harm, an order that has failed and
    /// cannot be redriven is lost.
    pub(super) async fn conclude(
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

    pub(super) async fn retry(
        &self,
        delivery: Delivery,
        order: &NewOrder,
        error: &ValidateError,
    ) -> Handled {
        let delay = pause_after(delivery.attempt(), self.settings.retry_base);
        tracing::warn!(order.id = %order.id, order.attempt = delivery.attempt(), %error,
            delay_ms = u64::try_from(delay.as_millis()).unwrap_or(u64::MAX),
            "validation failed, the order comes again");
        settled(delivery.retry_after(delay, Reason::new(error.to_string())).await, Handled::Retry)
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
}

/// A settlement that did not reach the broker lets the message come again.
pub(super) fn settled(settlement: Result<(), SettleError>, handled: Handled) -> Handled {
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

pub(super) async fn pause(delay: Duration, shutdown: &CancellationToken) -> Result<(), GoingDown> {
    tokio::select! {
        biased;
        () = shutdown.cancelled() => Err(GoingDown),
        () = tokio::time::sleep(delay) => Ok(()),
    }
}
