//! What an order's story is told from: how the stores keep it alike.

use std::collections::HashMap;

use woody_core::domain::{
    Details, FailedAttempt, Order, OrderId, OrderStatus, Outcome, Validation,
};
#[cfg(any(feature = "sqlite", feature = "postgres"))]
use woody_core::ports::StoreError;
use woody_core::ports::{Decision, KeptAttempt, KeptIn, OrderTrail, Transition};

/// Returns what is kept with the final state of a decision: the first letter of the state, and the
/// validation. The statement puts before it where the order was kept.
#[cfg(any(feature = "sqlite", feature = "postgres"))]
pub(crate) fn column(decision: &Decision) -> String {
    let letter = letter(&decision.outcome);
    decision.validation.as_ref().map_or_else(|| letter.to_owned(), |made| format!("{letter}{made}"))
}

/// No two states that a decision can give have the same.
#[cfg(any(feature = "sqlite", feature = "postgres"))]
fn letter(outcome: &Outcome) -> &'static str {
    match outcome {
        Outcome::Success(_) => "s",
        Outcome::Rejected(_) => "r",
        Outcome::Failed(_) => "f",
        Outcome::Cancelled(_) => "c",
    }
}

/// Returns where the order was kept, and the validation that ended it, as its row says.
///
/// A program that knows of no trails may have ended the order anew: the validation that is there
/// is of another state then, and not told.
#[cfg(any(feature = "sqlite", feature = "postgres"))]
pub(crate) fn read(
    column: Option<&str>,
    status: &OrderStatus,
) -> Result<(Option<KeptIn>, Option<Validation>), StoreError> {
    let Some(column) = column else { return Ok((kept_without(status), None)) };
    let kept = match column.get(..1) {
        Some("s") => Some(KeptIn::Store),
        Some("b") => Some(KeptIn::Broker),
        _ => None,
    };
    let of_state = column.get(1..2).zip(status.outcome());
    let made = column.get(2..).unwrap_or_default();
    if made.is_empty() || of_state.is_none_or(|(there, outcome)| there != letter(outcome)) {
        return Ok((kept, None));
    }
    let made = made.parse().map_err(|_| StoreError::Corrupt(format!("trail {column:?}")))?;
    Ok((kept, Some(made)))
}

/// An order that is pending, or was when it was cancelled, has been inserted.
pub(crate) fn kept_without(status: &OrderStatus) -> Option<KeptIn> {
    match status {
        OrderStatus::Pending | OrderStatus::Ended(Outcome::Cancelled(_)) => Some(KeptIn::Store),
        OrderStatus::Ended(_) => None,
    }
}

/// Returns the last attempts of orders that decisions have ended as failed.
pub(crate) fn given_up(decisions: &[Decision], transitions: &[Transition]) -> Vec<FailedAttempt> {
    let applied = decisions.iter().zip(transitions).filter(|(_, how)| **how == Transition::Applied);
    let given_up = |(decision, _): (&Decision, _)| match (&decision.outcome, &decision.validation) {
        (Outcome::Failed(reason), Some(validation)) => Some(FailedAttempt {
            order: decision.order.id,
            validation: validation.clone(),
            reason: reason.clone(),
            then: woody_core::domain::AfterFailure::GivenUp,
        }),
        _ => None,
    };
    applied.filter_map(given_up).collect()
}

/// The attempts of one order that are there: how many, and the last of them.
pub(crate) type There = (usize, KeptAttempt);

/// Returns the rows to be written for these attempts, given what is there of their orders: new
/// ones, and those that count one more. By order and time, so that two batches that share orders
/// lock their rows in the same order.
pub(crate) fn to_write(
    attempts: &[FailedAttempt],
    mut there: HashMap<OrderId, There>,
) -> Vec<KeptAttempt> {
    let mut rows: Vec<KeptAttempt> = Vec::with_capacity(attempts.len());
    for failed in attempts {
        let entry = there.get_mut(&failed.order);
        let (count, row) = match entry {
            Some((_, last))
                if last.failed.validation.ended_at() == failed.validation.ended_at() =>
            {
                continue;
            }
            Some((count, last)) if last.is_repeated_by(failed) => {
                let times = last.times.saturating_add(1);
                (*count, KeptAttempt { failed: failed.clone(), first_at: last.first_at, times })
            }
            Some((count, _)) if *count >= OrderTrail::MOST_ATTEMPTS => continue,
            Some((count, _)) => (*count + 1, KeptAttempt::first(failed.clone())),
            None => (1, KeptAttempt::first(failed.clone())),
        };
        there.insert(failed.order, (count, row.clone()));
        rows.push(row);
    }
    // Of rows with one name, the last counts the others.
    rows.reverse();
    rows.sort_by_key(|row| (row.order(), row.first_at));
    rows.dedup_by_key(|row| (row.order(), row.first_at));
    rows
}

/// An order with what is kept of its way.
pub(crate) fn trail(
    order: Order<Details>,
    (kept, ended_by): (Option<KeptIn>, Option<Validation>),
    publishing: woody_core::ports::Publishing,
    attempts: Vec<KeptAttempt>,
) -> OrderTrail {
    OrderTrail { order, kept, publishing, ended_by, attempts }
}
