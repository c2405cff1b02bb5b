use std::time::Duration;

use super::{handled::Handled, judgement::Judgement};
use crate::{
    domain::{OrderStatus, Outcome, Reason},
    ports::{Delivery, Saved, SettleError, Transition},
    services::lines::log_ended,
};

/// How a delivery leaves this worker: a [`Settlement`](crate::ports::Settlement), where what is done has its proof.
pub(super) enum Exit {
    Done(Saved),
    Again(Duration, Reason),
    Postponed(Duration, Reason),
    Dead(Reason),
    GivenBack,
}

/// Returns how a delivery that was judged leaves. What ends leaves the queue only with the
/// proof that its end is saved; without it, the delivery is given back.
///
/// The message of a failed order is dead-lettered even if another worker recorded
/// the failure: that worker may have died before moving its copy. A duplicate dead
/// letter is harmless; a failed order without one could never be redriven.
pub(super) fn conclude(
    judgement: Judgement,
    saved: Option<(Transition, Saved)>,
    attempts: u32,
) -> (Exit, Handled) {
    match (judgement, saved) {
        (Judgement::Malformed(reason), _) => {
            tracing::warn!(%reason, "message is no order, it goes to the dead letters");
            (Exit::Dead(reason), Handled::Poison)
        }
        (Judgement::Again(delay, attempt), _) => {
            (Exit::Again(delay, attempt.reason), Handled::Retry)
        }
        (Judgement::Postponed(delay, attempt), _) => {
            (Exit::Postponed(delay, attempt.reason), Handled::Postponed)
        }
        (Judgement::GivenUp(decision, reason), Some((transition, saved))) => {
            if let Transition::Superseded(OrderStatus::Ended(
                Outcome::Success(_) | Outcome::Rejected(_) | Outcome::Cancelled(_),
            )) = transition
            {
                (Exit::Done(saved), Handled::Duplicate)
            } else {
                if transition == Transition::Applied {
                    log_ended(decision.order.id, &decision.outcome.into(), Some(attempts));
                }
                tracing::error!(order.id = %decision.order.id, order.attempts = attempts, %reason,
                    "order given up, its message goes to the dead letters");
                (Exit::Dead(reason), Handled::GivenUp)
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
                    (Exit::Dead(reason), Handled::Duplicate)
                }
                _ => (Exit::Done(saved), handled),
            }
        }
        (Judgement::ShuttingDown | Judgement::Ended(_) | Judgement::GivenUp(..), _) => {
            (Exit::GivenBack, Handled::Released)
        }
    }
}

/// Settles a delivery; returns how it was handled, which is `handled` if the broker took that.
pub(super) async fn settle(delivery: Delivery, exit: Exit, handled: Handled) -> Handled {
    let settlement = match exit {
        Exit::Done(saved) => delivery.ack(saved).await,
        Exit::Again(delay, reason) => delivery.retry_after(delay, reason).await,
        Exit::Postponed(delay, reason) => delivery.postpone(delay, reason).await,
        Exit::Dead(reason) => delivery.dead_letter(reason).await,
        Exit::GivenBack => delivery.release().await,
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
