//! The orders of a memory store, and what becomes of them.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::Duration;

use time::OffsetDateTime;
use tokio::time::Instant;
use woody_core::domain::{
    Details, NewOrder, Order, OrderId, OrderStatus, Outcome, StatusName, now,
};
use woody_core::ports::{Decision, Insert, QueueReading, Transition, Watermark};

use super::by_age::{ByAge, by_age};
use super::notice_table::NoticeTable;
use super::own_lists::OwnLists;
use super::trail_table::TrailTable;
use crate::stamp::whole_micros;

#[derive(Debug, Default)]
pub(super) struct OrderTable {
    pub(super) all: HashMap<OrderId, Order<Details>>,
    pub(super) pending: BTreeSet<ByAge>,
    pub(super) ended: BTreeMap<StatusName, BTreeSet<ByAge>>,
    pub(super) own_lists: OwnLists,
    /// When the lease of each entry expires; `None` is never.
    pub(super) outbox: BTreeMap<ByAge, Option<Instant>>,
    /// How many validations have begun and not ended, and when the last one began.
    pub(super) begun: HashMap<OrderId, (u32, Instant)>,
    /// Marked orders, and when they were marked.
    pub(super) held: HashMap<OrderId, OffsetDateTime>,
    /// Beside the orders, so that both change together.
    pub(super) notices: NoticeTable,
    /// The queues that carry these orders, and when each was noted last.
    pub(super) queues: BTreeMap<String, (OffsetDateTime, Option<QueueReading>)>,
    pub(super) trails: TrailTable,
}

impl OrderTable {
    /// Marks an order at this time, unless it is marked at a later one.
    pub(super) fn mark(&mut self, id: OrderId, at: OffsetDateTime) {
        let held = self.held.entry(id).or_insert(at);
        *held = at.max(*held);
    }

    /// Returns the orders that had been published before `watermark` and were not marked
    /// since, oldest first.
    pub(super) fn unaccounted(&self, watermark: &Watermark) -> impl Iterator<Item = ByAge> {
        let Watermark { accepted_before, unmarked_since } = *watermark;
        let is_marked = move |id| self.held.get(id).is_some_and(|at| *at >= unmarked_since);
        let old = self.pending.iter().take_while(move |(at, _)| *at < accepted_before);
        old.filter(move |key| !self.outbox.contains_key(key) && !is_marked(&key.1)).copied()
    }

    pub(super) fn insert(
        &mut self,
        order: &NewOrder<Details>,
        lease_until: Option<Instant>,
    ) -> Insert {
        match self.all.get(&order.id) {
            Some(there) if asked(there).asks_the_same_as(order) => Insert::AlreadyPresent,
            Some(there) if there.details.are_archived() => Insert::AlreadyPresent,
            Some(there) => Insert::Conflict(there.details.clone()),
            None => {
                let found_by = order.found_by.as_ref();
                let order = pending(order);
                if order.accepted_at < before_now(Watermark::LATE) {
                    self.held.insert(order.id, now());
                }
                self.pending.insert(by_age(&order));
                self.outbox.insert(by_age(&order), lease_until);
                self.own_lists.begin(&order, found_by);
                self.all.insert(order.id, order);
                Insert::Created
            }
        }
    }

    pub(super) fn finish(
        &mut self,
        decision: &Decision,
        finished_at: OffsetDateTime,
    ) -> Transition {
        let Decision { order, outcome, redriven, .. } = decision;
        let is_new = !self.all.contains_key(&order.id);
        if is_new {
            let new = pending(order);
            self.own_lists.begin(&new, order.found_by.as_ref());
            self.all.insert(order.id, new);
        }
        let settled = self.settle(order.id, outcome.clone(), *redriven, finished_at);
        // It was just put there if it was not there before.
        let transition = settled.unwrap_or(Transition::Applied);
        if transition == Transition::Applied {
            self.trails.ended(decision, is_new);
        }
        transition
    }

    /// Ends an order that is there, if it may; whatever it waited for is over.
    pub(super) fn settle(
        &mut self,
        id: OrderId,
        outcome: Outcome,
        redriven: bool,
        finished_at: OffsetDateTime,
    ) -> Option<Transition> {
        let order = self.all.get_mut(&id)?;
        self.begun.remove(&id);
        self.pending.remove(&by_age(order));
        self.outbox.remove(&by_age(order));
        self.held.remove(&id);
        Some(match order.status.clone().settle(outcome, redriven) {
            Ok(status) => {
                self.own_lists.remove(order);
                if let Some(before) = self.ended.get_mut(&order.status.name()) {
                    before.remove(&by_age(order));
                }
                self.ended.entry(status.name()).or_default().insert(by_age(order));
                if let Some(outcome) = status.outcome() {
                    self.notices.ended(id, outcome, finished_at);
                }
                order.status = status;
                order.finished_at = Some(finished_at);
                self.own_lists.add(order);
                Transition::Applied
            }
            Err(superseded) => Transition::Superseded(superseded.into_status()),
        })
    }
}

fn pending(order: &NewOrder<Details>) -> Order<Details> {
    Order {
        id: order.id,
        details: order.details.clone(),
        status: OrderStatus::Pending,
        accepted_at: whole_micros(order.accepted_at),
        finished_at: None,
        trace: order.trace,
        client: order.client.clone(),
    }
}

pub(super) fn asked(order: &Order<Details>) -> NewOrder<Details> {
    NewOrder {
        id: order.id,
        details: order.details.clone(),
        accepted_at: order.accepted_at,
        trace: order.trace,
        client: order.client.clone(),
        found_by: None,
    }
}

/// Returns the orders that were accepted longer than `age` ago.
pub(super) fn older_than(pending: &BTreeSet<ByAge>, age: Duration) -> impl Iterator<Item = ByAge> {
    let before = before_now(age);
    pending.iter().copied().take_while(move |(at, _)| *at < before)
}

/// Returns the time so long ago, or the earliest there is.
pub(super) fn before_now(age: Duration) -> OffsetDateTime {
    let age = time::Duration::try_from(age).unwrap_or(time::Duration::MAX);
    now().checked_sub(age).unwrap_or(OffsetDateTime::UNIX_EPOCH)
}
