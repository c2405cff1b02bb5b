use super::{CallError, OrderIntake};
use crate::{
    domain::{OrderDetails, OrderId, OrderStatus, Outcome, Reason},
    ports::{StatusChange, StoreError, Transition},
    services::lines::log_ended,
};

/// What became of the wish to cancel an order.
#[must_use]
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cancellation {
    /// The order is cancelled, for good: by this call, or by one before it.
    Cancelled,
    /// The order had ended before, like this, and stays so.
    Ended(Outcome),
    /// No such order was given out.
    Unknown,
}

/// The order is only in the broker so far.
#[derive(Debug, thiserror::Error)]
#[error("only the broker has order {0}, and no worker has written it yet")]
struct InBrokerOnly(OrderId);

impl<D: OrderDetails> OrderIntake<D> {
    /// Cancels an order that is pending, durably: no verdict changes it any more, and it is not
    /// validated unless that is under way. The first final state wins, so one that has ended stays
    /// as it is. Who follows the order is told.
    ///
    /// It waits for a slow store as long as an order would wait for both its ways.
    ///
    /// ```
    /// # use woody_core::{domain::OrderId, services::{Cancellation, OrderIntake}};
    /// # async fn example(intake: &OrderIntake, id: OrderId) -> Result<(), Box<dyn std::error::Error>> {
    /// match intake.cancel(id, Some("changed their mind".into())).await? {
    ///     Cancellation::Cancelled => println!("it will not be made"),
    ///     Cancellation::Ended(outcome) => println!("too late, it is {}", outcome.as_str()),
    ///     Cancellation::Unknown => println!("there is no such order"),
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`StoreError`]; it is not known whether the order is cancelled, and cancelling again is
    /// right. It is `Unavailable`, too, for an order that only the broker has, because the store was
    /// unavailable when it was accepted, until a worker has written it: such an order cannot be
    /// cancelled.
    ///
    /// # Cancel safety
    /// A dropped future may leave the order cancelled.
    pub async fn cancel(
        &self,
        id: OrderId,
        reason: Option<Reason>,
    ) -> Result<Cancellation, StoreError> {
        let cancellation = self.cancel_in_store(id, reason).await;
        let outcome = match &cancellation {
            Ok(Cancellation::Cancelled) => "cancelled",
            Ok(Cancellation::Ended(_)) => "ended",
            Ok(Cancellation::Unknown) => "unknown",
            Err(_) => "unavailable",
        };
        metrics::counter!("woody_orders_cancel_total", "outcome" => outcome).increment(1);
        cancellation
    }

    async fn cancel_in_store(
        &self,
        id: OrderId,
        reason: Option<Reason>,
    ) -> Result<Cancellation, StoreError> {
        let deadline = self.store.deadline() + self.broker.deadline();
        let cancelling = self.orders.cancel(id, reason.clone());
        let transition = match self.store.call(deadline, cancelling).await {
            Ok(transition) => transition,
            Err(CallError::Refused(error)) => return Err(error),
            Err(CallError::Unavailable(outage)) => {
                return Err(StoreError::unavailable(format!("it {outage}")));
            }
        };
        if let Some(outage) = &self.outage {
            outage.store_answered();
        }
        match transition {
            Some(Transition::Applied) => {
                self.promises.cancelled(id, reason.as_ref());
                let status = OrderStatus::from(Outcome::Cancelled(reason));
                log_ended(id, &status, None);
                if let Some(announcer) = &self.announcer {
                    announcer.offer(StatusChange::new(id, &status));
                }
                Ok(Cancellation::Cancelled)
            }
            Some(Transition::Superseded(OrderStatus::Ended(Outcome::Cancelled(_)))) => {
                Ok(Cancellation::Cancelled)
            }
            Some(Transition::Superseded(OrderStatus::Ended(outcome))) => {
                Ok(Cancellation::Ended(outcome))
            }
            Some(Transition::Superseded(OrderStatus::Pending)) => {
                Err(StoreError::Corrupt(format!("order {id} is pending and cannot be cancelled")))
            }
            None if id.is_ours() => Err(StoreError::unavailable(InBrokerOnly(id))),
            None => Ok(Cancellation::Unknown),
        }
    }
}
