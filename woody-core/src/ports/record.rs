use super::{Decision, OrderStore, StoreError, Transition};
use crate::domain::OrderId;

/// Proof that the final state of an order is in the store.
///
/// Only [`record`] makes one, from what the store has returned, and
/// [`Delivery::ack`](super::Delivery::ack) requires one. So a message cannot be
/// acknowledged before its order is saved; that does not compile:
///
/// ```compile_fail,E0451
/// use woody_core::{domain::OrderId, ports::Saved};
///
/// let forged = Saved { order_id: OrderId::fresh() };
/// ```
///
/// And one proof acknowledges one delivery:
///
/// ```compile_fail,E0382
/// # use woody_core::ports::{Delivery, Saved};
/// async fn twice(one: Delivery, two: Delivery, saved: Saved) {
///     let _ = one.ack(saved).await;
///     let _ = two.ack(saved).await;
/// }
/// ```
#[must_use = "a proof is there to acknowledge the delivery with"]
#[derive(Debug)]
pub struct Saved {
    order_id: OrderId,
}

impl Saved {
    /// Returns the order that is saved.
    pub fn order_id(&self) -> OrderId {
        self.order_id
    }
}

/// Saves final states and returns for each the proof that it is saved.
///
/// This is a function and not a method of the port, so that no backend can
/// replace it.
///
/// # Errors
/// [`StoreError`] as from [`OrderStore::finish`]; there is no proof then.
pub async fn record(
    store: &dyn OrderStore,
    decisions: &[Decision],
) -> Result<Vec<(Transition, Saved)>, StoreError> {
    let transitions = store.finish(decisions).await?;
    if transitions.len() != decisions.len() {
        return Err(StoreError::Corrupt(format!(
            "{} results of {} decisions",
            transitions.len(),
            decisions.len()
        )));
    }
    let proofs = decisions.iter().map(|decision| Saved { order_id: decision.order.id });
    Ok(transitions.into_iter().zip(proofs).collect())
}
