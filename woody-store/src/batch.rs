//! What the SQL backends share: a batch may name an order twice, a statement may not
//! touch a row twice.
//!
//! So a statement gets the first item of each id, and the results of the others follow
//! from what that statement found. The items are bound by ascending id: two batches that
//! share orders then lock them in the same order and cannot deadlock.

use std::collections::{HashMap, HashSet};

use woody_core::domain::{Details, NewOrder, OrderId, OrderStatus};
use woody_core::ports::{Decision, Insert, StoreError, Transition};

/// Returns the first order of each id, by ascending id.
pub(crate) fn first_orders(orders: &[NewOrder<Details>]) -> Vec<&NewOrder<Details>> {
    firsts(orders, |order| order.id)
}

/// Returns the first decision on each order, by ascending id.
pub(crate) fn first_decisions(decisions: &[Decision]) -> Vec<&Decision> {
    firsts(decisions, |decision| decision.order.id)
}

fn firsts<T>(items: &[T], id: impl Fn(&T) -> OrderId) -> Vec<&T> {
    let mut firsts: Vec<_> = items.iter().collect();
    // The sort is stable: the first of an id stays the first.
    firsts.sort_by_key(|item| id(item));
    firsts.dedup_by_key(|item| id(item));
    firsts
}

/// Returns the results of an insert, given which ids were `created` and what the store
/// holds under the others.
pub(crate) fn inserts(
    orders: &[NewOrder<Details>],
    created: &HashSet<OrderId>,
    known: &[NewOrder<Details>],
) -> Result<Vec<Insert>, StoreError> {
    let mut there: HashMap<_, _> = known.iter().map(|order| (order.id, order)).collect();
    orders
        .iter()
        .map(|order| match there.get(&order.id) {
            Some(first) if first.asks_the_same_as(order) || first.details.are_archived() => {
                Ok(Insert::AlreadyPresent)
            }
            Some(first) => Ok(Insert::Conflict(first.details.clone())),
            None if created.contains(&order.id) => {
                there.insert(order.id, order);
                Ok(Insert::Created)
            }
            None => Err(lost(order.id)),
        })
        .collect()
}

/// The results of a batch of decisions once the first on each order has been written.
pub(crate) struct Settled<'a> {
    /// One result for each decision, in their order.
    pub(crate) transitions: Vec<Transition>,
    /// Decisions that apply but are not written yet: redriven ones on an order that failed
    /// in the same batch or was found failed. At most one for each order.
    pub(crate) unwritten: Vec<&'a Decision>,
}

/// Returns the results of decisions as if they were written one by one, given to which
/// orders the first decisions `applied` and how the others had `ended`.
pub(crate) fn settle<'a>(
    decisions: &'a [Decision],
    applied: &HashSet<OrderId>,
    mut ended: HashMap<OrderId, OrderStatus>,
) -> Result<Settled<'a>, StoreError> {
    let mut settled =
        Settled { transitions: Vec::with_capacity(decisions.len()), unwritten: vec![] };
    for decision in decisions {
        let Decision { order, outcome, redriven, .. } = decision;
        let transition = match ended.get(&order.id) {
            None if applied.contains(&order.id) => {
                ended.insert(order.id, outcome.clone().into());
                Transition::Applied
            }
            None => return Err(lost(order.id)),
            Some(status) => match status.clone().settle(outcome.clone(), *redriven) {
                Ok(status) => {
                    settled.unwritten.push(decision);
                    ended.insert(order.id, status);
                    Transition::Applied
                }
                Err(stays) => Transition::Superseded(stays.into_status()),
            },
        };
        settled.transitions.push(transition);
    }
    settled.unwritten.sort_by_key(|decision| decision.order.id);
    Ok(settled)
}

/// Returns the error for an order that must be there and is not: orders are never deleted.
pub(crate) fn lost(id: OrderId) -> StoreError {
    StoreError::Corrupt(format!("order {id} is neither new nor there"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use woody_core::domain::{Outcome, Reason};

    fn order() -> NewOrder<Details> {
        NewOrder::new(Details::parse(r#"{"product":"train"}"#).unwrap())
    }

    #[test]
    fn the_first_of_an_id_is_taken_and_ids_ascend() {
        let (a, b) = (order(), order());
        let other = NewOrder { details: Details::parse("{}").unwrap(), ..a.clone() };
        let batch = [b.clone(), a.clone(), other, b.clone()];
        assert_eq!(first_orders(&batch), [&a, &b]);
    }

    #[test]
    fn an_order_that_vanished_is_corruption_not_a_wrong_answer() {
        let order = order();
        let answer = inserts(std::slice::from_ref(&order), &HashSet::new(), &[]);
        assert!(matches!(answer, Err(StoreError::Corrupt(_))));
        let decision =
            Decision { order, outcome: Outcome::Success(None), redriven: false, validation: None };
        let answer = settle(std::slice::from_ref(&decision), &HashSet::new(), HashMap::new());
        assert!(matches!(answer, Err(StoreError::Corrupt(_))));
    }

    #[test]
    fn only_a_redrive_is_left_to_write() {
        let order = order();
        let decision = |outcome: Outcome, redriven| Decision {
            order: order.clone(),
            outcome,
            redriven,
            validation: None,
        };
        let failed = || Outcome::Failed(Reason::new("why"));
        let batch = [
            decision(failed(), false),
            decision(Outcome::Success(None), false),
            decision(Outcome::Success(None), true),
            decision(failed(), true),
        ];
        let settled = settle(&batch, &HashSet::from([order.id]), HashMap::new()).unwrap();
        assert_eq!(settled.unwritten, [&batch[2]]);
        assert_eq!(
            settled.transitions,
            [
                Transition::Applied,
                Transition::Superseded(failed().into()),
                Transition::Applied,
                Transition::Superseded(OrderStatus::Ended(Outcome::Success(None))),
            ]
        );
    }
}
