use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::{
    Handled, OrderWorker,
    going_down::{GoingDown, pause},
    judgement::Judgement,
};
use crate::{
    domain::{OrderDetails, OrderStatus},
    ports::{Decision, Delivery, Saved, SettleError, Transition},
    resilience::RetryDelays,
    services::group_commit::GroupError,
};

impl<D: OrderDetails> OrderWorker<D> {
    /// Saves a decision, however long the store is unavailable or refuses.
    ///
    /// An order that is valid can be stored, so a refusal (a full disk, a missing
    /// table) is about the store and not about this order: giving the order up
    /// would turn an operator's problem into a loss.
    pub(super) async fn save(
        &self,
        decision: &Decision,
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

/// Settles a delivery as it was judged. What ends leaves the queue only with the
/// proof that its end is saved; without it, the delivery is given back.
///
/// The message of a failed order is dead-lettered even if another worker recorded
/// the failure: that worker may have died before moving its copy. A duplicate dead
/// letter is harmless; a failed order without one could never be redriven.
pub(super) async fn settle(
    delivery: Delivery,
    judgement: Judgement,
    saved: Option<(Transition, Saved)>,
) -> Handled {
    let attempts = delivery.attempt();
    let (settlement, handled) = match (judgement, saved) {
        (Judgement::Malformed(reason), _) => {
            tracing::warn!(%reason, "message is no order, it goes to the dead letters");
            (delivery.dead_letter(reason).await, Handled::Poison)
        }
        (Judgement::Again(delay, reason), _) => {
            (delivery.retry_after(delay, reason).await, Handled::Retry)
        }
        (Judgement::Postponed(delay, reason), _) => {
            (delivery.postpone(delay, reason).await, Handled::Postponed)
        }
        (Judgement::GivenUp(decision, reason), Some((transition, saved))) => {
            if let Transition::Superseded(OrderStatus::Success(_) | OrderStatus::Rejected(_)) =
                transition
            {
                (delivery.ack(saved).await, Handled::Duplicate)
            } else {
                tracing::error!(order.id = %decision.order.id, order.attempts = attempts, %reason,
                    "order given up, its message goes to the dead letters");
                (delivery.dead_letter(reason).await, Handled::GivenUp)
            }
        }
        (Judgement::Ended(decision), Some((transition, saved))) => {
            let (status, handled) = match transition {
                Transition::Applied => (decision.outcome.into(), Handled::Decided),
                Transition::Superseded(stays) => (stays, Handled::Duplicate),
            };
            tracing::debug!(order.id = %decision.order.id, order.status = status.as_str(),
                "order {}", handled.as_str());
            match status {
                OrderStatus::Failed(reason) => {
                    (delivery.dead_letter(reason).await, Handled::Duplicate)
                }
                _ => (delivery.ack(saved).await, handled),
            }
        }
        (Judgement::ShuttingDown | Judgement::Ended(_) | Judgement::GivenUp(..), _) => {
            (delivery.release().await, Handled::Released)
        }
    };
    match settlement {
        Ok(()) => handled,
        Err(error) => report_unsettled(&error, handled),
    }
}

/// A settlement that did not reach the broker lets the message come again.
fn report_unsettled(error: &SettleError, handled: Handled) -> Handled {
    tracing::info!(
        error = error as &dyn std::error::Error,
        handled = handled.as_str(),
        "a delivery could not be settled, it comes again"
    );
    Handled::Released
}
