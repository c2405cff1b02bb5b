//! What a memory store keeps for the stories of its orders.

use std::collections::{BTreeMap, HashMap};

use time::OffsetDateTime;
use woody_core::domain::{Details, FailedAttempt, Order, OrderId, Validation};
use woody_core::ports::{Decision, KeptAttempt, KeptIn, OrderTrail, Publishing, Transition};

use crate::trail;

#[derive(Debug, Default)]
pub(super) struct TrailTable {
    /// Of orders that have ended by a decision.
    ended: HashMap<OrderId, (KeptIn, Option<Validation>)>,
    attempts: HashMap<OrderId, BTreeMap<OffsetDateTime, KeptAttempt>>,
}

impl TrailTable {
    /// Keeps what a decision that applied tells; `is_new` is whether the store had not known of
    /// the order.
    pub(super) fn ended(&mut self, decision: &Decision, is_new: bool) {
        let kept = if is_new { KeptIn::Broker } else { KeptIn::Store };
        let made = decision.validation.as_ref().map(as_kept);
        let ended = self.ended.entry(decision.order.id).or_insert((kept, None));
        ended.1 = made;
        let given_up = trail::given_up(std::slice::from_ref(decision), &[Transition::Applied]);
        self.keep(&given_up);
    }

    pub(super) fn keep(&mut self, attempts: &[FailedAttempt]) {
        let last = |id: &OrderId| {
            let there = self.attempts.get(id)?;
            let (_, last) = there.last_key_value()?;
            Some((*id, (there.len(), last.clone())))
        };
        let there = attempts.iter().filter_map(|attempt| last(&attempt.order)).collect();
        for mut row in trail::to_write(attempts, there) {
            row.failed.validation = as_kept(&row.failed.validation);
            let rows = self.attempts.entry(row.order()).or_default();
            match rows.get_mut(&row.first_at) {
                Some(there) if row.times <= there.times => {}
                Some(there) => *there = row,
                None => drop(rows.insert(row.first_at, row)),
            }
        }
    }

    pub(super) fn of(&self, order: &Order<Details>, publishing: Publishing) -> OrderTrail {
        let ended = self.ended.get(&order.id);
        let kept = ended.map_or_else(|| trail::kept_without(&order.status), |ended| Some(ended.0));
        let made = ended.and_then(|ended| ended.1.clone());
        let attempts = self.attempts.get(&order.id);
        let attempts = attempts.map(|rows| rows.values().cloned().collect()).unwrap_or_default();
        trail::trail(order.clone(), (kept, made), publishing, attempts)
    }
}

/// A validation as the other stores write it: in whole microseconds, its worker's name cut.
fn as_kept(made: &Validation) -> Validation {
    made.to_string().parse().unwrap_or_else(|_| made.clone())
}
