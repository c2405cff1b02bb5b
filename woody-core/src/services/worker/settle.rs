use super::{handled::Handled, judgement::Judgement};
use crate::{
    domain::{OrderStatus, Outcome},
    ports::{Delivery, Saved, SettleError, Transition},
    services::lines::log_ended,
};

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
        (Judgement::Again(delay, attempt), _) => {
            (delivery.retry_after(delay, attempt.reason).await, Handled::Retry)
        }
        (Judgement::Postponed(delay, attempt), _) => {
            (delivery.postpone(delay, attempt.reason).await, Handled::Postponed)
        }
        (Judgement::GivenUp(decision, reason), Some((transition, saved))) => {
            if let Transition::Superseded(OrderStatus::Ended(
                Outcome::Success(_) | Outcome::Rejected(_) | Outcome::Cancelled(_),
            )) = transition
            {
                (delivery.ack(saved).await, Handled::Duplicate)
            } else {
                if transition == Transition::Applied {
                    log_ended(decision.order.id, &decision.outcome.into(), Some(attempts));
                }
                tracing::error!(order.id = %decision.order.id, order.attempts = attempts, %reason,
                    "order given up, its message goes to the dead letters");
                (delivery.dead_letter(reason).await, Handled::GivenUp)
            }
        }
        (Judgement::Ended(decision), Some((transition, saved))) => {
            let (status, handled) = match transition {
                Transition::Applied => {
                    let status = decision.outcome.into();
                    log_ended(decision.order.id, &status, Some(attempts));
                    (status, Handled::Decided)
                }
                Transition::Superseded(stays) => {
                    tracing::debug!(order.id = %decision.order.id, order.status = stays.as_str(),
                        "order had ended before");
                    (stays, Handled::Duplicate)
                }
            };
            match status {
                OrderStatus::Ended(Outcome::Failed(reason)) => {
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
