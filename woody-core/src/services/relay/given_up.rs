use super::error::RelayError;
use crate::{
    domain::{Details, OrderMessage, Outcome, Reason},
    ports::{BrokerAdmin, DeadLetter, Decision, OrderStore, Transition},
};

/// Dead letters that one look reads at most.
const MOST: usize = 10_000;

/// Ends the pending orders whose messages the broker itself has given up: it delivered
/// them too often, or a client rejected them. Published again they would end the same way. A redrive gives such an order another chance, as any that has failed.
///
/// Returns how many orders it ended. Dead letters that a worker made are left alone:
/// their orders have ended before. So are those that are no order by `is_order`.
///
/// # Errors
/// [`RelayError`]; ending them again is right.
pub(super) async fn end_given_up(
    store: &dyn OrderStore,
    admin: &dyn BrokerAdmin,
    is_order: fn(&Details) -> bool,
) -> Result<u64, RelayError> {
    let letters = admin.dead_letters(MOST).await?;
    let decisions: Vec<Decision> = letters
        .iter()
        .filter_map(decision)
        .filter(|decision| is_order(&decision.order.details))
        .collect();
    if decisions.is_empty() {
        return Ok(0);
    }
    let mut ended = 0;
    for (transition, decision) in store.finish(&decisions).await?.iter().zip(&decisions) {
        if *transition == Transition::Applied {
            ended += 1;
            tracing::error!(
                order.id = %decision.order.id,
                "the broker made the message of a pending order a dead letter: the order has failed"
            );
        }
    }
    metrics::counter!("woody_orders_given_up_by_broker_total").increment(ended);
    Ok(ended)
}

/// Returns how the order of a dead letter ends that the broker has made; `None` for
/// those that a worker has made, and for those that are no orders.
fn decision(letter: &DeadLetter) -> Option<Decision> {
    if letter.died_at.is_some() {
        return None;
    }
    let order = OrderMessage::parse(&letter.body).ok()?.into_order();
    let reason = Reason::new(format!("its message became a dead letter: {}", letter.reason));
    Some(Decision { order, outcome: Outcome::Failed(reason), redriven: false, validation: None })
}
