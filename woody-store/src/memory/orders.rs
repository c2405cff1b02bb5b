use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::Duration;

use async_trait::async_trait;
use time::OffsetDateTime;
use tokio::time::Instant;
use woody_core::domain::{Details, NewOrder, Order, OrderId, OrderStatus, now};
use woody_core::ports::{
    Begun, Decision, Insert, OrderCounts, OrderStore, StoreError, Transition, Watermark,
};

use super::{MemoryStore, locked};
use crate::stamp::whole_micros;

/// What orders are sorted by: the oldest first.
type ByAge = (OffsetDateTime, OrderId);

#[derive(Debug, Default)]
pub(super) struct Orders {
    all: HashMap<OrderId, Order<Details>>,
    pending: BTreeSet<ByAge>,
    /// When the lease of each entry expires; `None` is never.
    outbox: BTreeMap<ByAge, Option<Instant>>,
    /// How many validations have begun and not ended, and when the last one began.
    begun: HashMap<OrderId, (u32, Instant)>,
    /// Marked orders, and when they were marked.
    held: HashMap<OrderId, OffsetDateTime>,
}

#[async_trait]
impl OrderStore for MemoryStore {
    async fn insert(
        &self,
        orders: &[NewOrder<Details>],
        lease: Duration,
    ) -> Result<Vec<Insert>, StoreError> {
        let mut stored = locked(&self.orders);
        let lease_until = Instant::now().checked_add(lease);
        let insert = |order| stored.insert(order, lease_until);
        Ok(orders.iter().map(insert).collect())
    }

    async fn order(&self, id: OrderId) -> Result<Option<Order<Details>>, StoreError> {
        Ok(locked(&self.orders).all.get(&id).cloned())
    }

    async fn finish(&self, decisions: &[Decision]) -> Result<Vec<Transition>, StoreError> {
        let mut stored = locked(&self.orders);
        let finished_at = now();
        let finish = |decision| stored.finish(decision, finished_at);
        Ok(decisions.iter().map(finish).collect())
    }

    async fn begin(&self, id: OrderId, redriven: bool) -> Result<(), StoreError> {
        let mut stored = locked(&self.orders);
        match stored.all.get(&id).map(|order| &order.status) {
            None | Some(OrderStatus::Pending) => {}
            Some(OrderStatus::Failed(_)) if redriven => {}
            Some(_) => return Ok(()),
        }
        let dying = now() + Watermark::DYING;
        stored.mark(id, dying);
        let (times, last) = stored.begun.entry(id).or_insert((0, Instant::now()));
        (*times, *last) = (times.saturating_add(1), Instant::now());
        Ok(())
    }

    async fn end(&self, id: OrderId) -> Result<(), StoreError> {
        if let Some((times, _)) = locked(&self.orders).begun.get_mut(&id) {
            *times = times.saturating_sub(1);
        }
        Ok(())
    }

    async fn begun(&self, id: OrderId) -> Result<Begun, StoreError> {
        let begun = locked(&self.orders).begun.get(&id).copied();
        let counted = |(times, last): (u32, Instant)| Begun { times, last_ago: last.elapsed() };
        Ok(begun.filter(|(times, _)| *times > 0).map(counted).unwrap_or_default())
    }

    async fn claim_outbox(
        &self,
        limit: usize,
        lease: Duration,
    ) -> Result<Vec<NewOrder<Details>>, StoreError> {
        let mut stored = locked(&self.orders);
        let Orders { all, outbox, .. } = &mut *stored;
        let now = Instant::now();
        let free = outbox.iter_mut().filter(|(_, until)| until.is_some_and(|until| until <= now));
        let claim = |((_, id), until): (&ByAge, &mut Option<Instant>)| {
            *until = now.checked_add(lease);
            all.get(id).map(asked)
        };
        Ok(free.take(limit).filter_map(claim).collect())
    }

    async fn clear_outbox(&self, published: &[OrderId]) -> Result<(), StoreError> {
        let mut stored = locked(&self.orders);
        for id in published {
            if let Some(key) = stored.all.get(id).map(by_age) {
                stored.outbox.remove(&key);
            }
        }
        Ok(())
    }

    async fn watermark(&self, age: Duration) -> Result<Watermark, StoreError> {
        let mut stored = locked(&self.orders);
        let kept = before_now(Watermark::MARKS_KEPT);
        stored.held.retain(|_, at| *at >= kept);
        let oldest = stored.outbox.first_key_value().map(|((accepted_at, _), _)| *accepted_at);
        let before = before_now(age);
        Ok(Watermark {
            accepted_before: oldest.map_or(before, |oldest| oldest.min(before)),
            unmarked_since: before_now(Watermark::LONGEST_WRITE),
        })
    }

    async fn unaccounted(&self, watermark: &Watermark, most: u64) -> Result<u64, StoreError> {
        let most = usize::try_from(most).unwrap_or(usize::MAX);
        Ok(locked(&self.orders).unaccounted(watermark).take(most).count() as u64)
    }

    async fn mark_held(&self, ids: &[OrderId]) -> Result<(), StoreError> {
        let mut stored = locked(&self.orders);
        let at = now();
        for id in ids {
            if stored.all.get(id).is_some_and(|order| order.status == OrderStatus::Pending) {
                stored.mark(*id, at);
            }
        }
        Ok(())
    }

    async fn refill_outbox(
        &self,
        watermark: &Watermark,
        messages: u64,
        limit: usize,
    ) -> Result<u64, StoreError> {
        let mut stored = locked(&self.orders);
        let messages = usize::try_from(messages).unwrap_or(usize::MAX);
        let missing = stored.unaccounted(watermark).count().saturating_sub(messages);
        let forgotten: Vec<_> = stored.unaccounted(watermark).take(missing.min(limit)).collect();
        let (at, unleased) = (now(), Some(Instant::now()));
        stored.held.extend(forgotten.iter().map(|(_, id)| (*id, at)));
        stored.outbox.extend(forgotten.iter().map(|key| (*key, unleased)));
        Ok(forgotten.len() as u64)
    }

    async fn stuck(
        &self,
        pending_for: Duration,
        limit: usize,
    ) -> Result<Vec<Order<Details>>, StoreError> {
        let stored = locked(&self.orders);
        let order = |(_, id): ByAge| stored.all.get(&id).cloned();
        Ok(older_than(&stored.pending, pending_for).take(limit).filter_map(order).collect())
    }

    async fn counts(&self) -> Result<OrderCounts, StoreError> {
        let stored = locked(&self.orders);
        let mut counts =
            OrderCounts { outbox: stored.outbox.len() as u64, ..OrderCounts::default() };
        for order in stored.all.values() {
            *match order.status {
                OrderStatus::Pending => &mut counts.pending,
                OrderStatus::Success(_) => &mut counts.success,
                OrderStatus::Rejected(_) => &mut counts.rejected,
                OrderStatus::Failed(_) => &mut counts.failed,
            } += 1;
        }
        Ok(counts)
    }

    async fn ping(&self) -> Result<(), StoreError> {
        Ok(())
    }
}

impl Orders {
    /// Marks an order at this time, unless it is marked at a later one.
    fn mark(&mut self, id: OrderId, at: OffsetDateTime) {
        let held = self.held.entry(id).or_insert(at);
        *held = at.max(*held);
    }

    /// Returns the orders that had been published before `watermark` and were not marked
    /// since, oldest first.
    fn unaccounted(&self, watermark: &Watermark) -> impl Iterator<Item = ByAge> {
        let Watermark { accepted_before, unmarked_since } = *watermark;
        let is_marked = move |id| self.held.get(id).is_some_and(|at| *at >= unmarked_since);
        let old = self.pending.iter().take_while(move |(at, _)| *at < accepted_before);
        old.filter(move |key| !self.outbox.contains_key(key) && !is_marked(&key.1)).copied()
    }

    fn insert(&mut self, order: &NewOrder<Details>, lease_until: Option<Instant>) -> Insert {
        match self.all.get(&order.id) {
            Some(there) if asked(there).asks_the_same_as(order) => Insert::AlreadyPresent,
            Some(there) => Insert::Conflict(there.details.clone()),
            None => {
                let order = pending(order);
                if order.accepted_at < before_now(Watermark::LATE) {
                    self.held.insert(order.id, now());
                }
                self.pending.insert(by_age(&order));
                self.outbox.insert(by_age(&order), lease_until);
                self.all.insert(order.id, order);
                Insert::Created
            }
        }
    }

    fn finish(&mut self, decision: &Decision, finished_at: OffsetDateTime) -> Transition {
        let order = self.all.entry(decision.order.id).or_insert_with(|| pending(&decision.order));
        self.begun.remove(&decision.order.id);
        self.pending.remove(&by_age(order));
        self.outbox.remove(&by_age(order));
        self.held.remove(&order.id);
        match order.status.clone().settle(decision.outcome.clone(), decision.redriven) {
            Ok(status) => {
                order.status = status;
                order.finished_at = Some(finished_at);
                Transition::Applied
            }
            Err(superseded) => Transition::Superseded(superseded.0),
        }
    }
}

fn by_age(order: &Order<Details>) -> ByAge {
    (order.accepted_at, order.id)
}

fn pending(order: &NewOrder<Details>) -> Order<Details> {
    Order {
        id: order.id,
        details: order.details.clone(),
        status: OrderStatus::Pending,
        accepted_at: whole_micros(order.accepted_at),
        finished_at: None,
    }
}

fn asked(order: &Order<Details>) -> NewOrder<Details> {
    NewOrder { id: order.id, details: order.details.clone(), accepted_at: order.accepted_at }
}

/// Returns the orders that were accepted longer than `age` ago.
fn older_than(pending: &BTreeSet<ByAge>, age: Duration) -> impl Iterator<Item = ByAge> {
    let before = before_now(age);
    pending.iter().copied().take_while(move |(at, _)| *at < before)
}

/// Returns the time so long ago, or the earliest there is.
fn before_now(age: Duration) -> OffsetDateTime {
    let age = time::Duration::try_from(age).unwrap_or(time::Duration::MAX);
    now().checked_sub(age).unwrap_or(OffsetDateTime::UNIX_EPOCH)
}
