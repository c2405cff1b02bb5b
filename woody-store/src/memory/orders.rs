use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::Duration;

use async_trait::async_trait;
use time::OffsetDateTime;
use tokio::time::Instant;
use woody_core::domain::{NewOrder, Order, OrderId, OrderStatus, now};
use woody_core::ports::{Begun, Decision, Insert, OrderCounts, OrderStore, StoreError, Transition};

use super::{MemoryStore, locked};
use crate::stamp::whole_micros;

/// An order's place among the others: the oldest first.
type Place = (OffsetDateTime, OrderId);

#[derive(Debug, Default)]
pub(super) struct Orders {
    all: HashMap<OrderId, Order>,
    pending: BTreeSet<Place>,
    /// Until when each entry is leased; `None` is for ever.
    outbox: BTreeMap<Place, Option<Instant>>,
    /// Validations that have begun and not ended, and when the last one did.
    begun: HashMap<OrderId, (u32, Instant)>,
}

#[async_trait]
impl OrderStore for MemoryStore {
    async fn insert(
        &self,
        orders: &[NewOrder],
        lease: Duration,
    ) -> Result<Vec<Insert>, StoreError> {
        let mut stored = locked(&self.orders);
        let lease_until = Instant::now().checked_add(lease);
        let insert = |order| stored.insert(order, lease_until);
        Ok(orders.iter().map(insert).collect())
    }

    async fn order(&self, id: OrderId) -> Result<Option<Order>, StoreError> {
        Ok(locked(&self.orders).all.get(&id).cloned())
    }

    async fn finish(&self, decisions: &[Decision]) -> Result<Vec<Transition>, StoreError> {
        let mut stored = locked(&self.orders);
        let finished_at = now();
        let finish = |decision| stored.finish(decision, finished_at);
        Ok(decisions.iter().map(finish).collect())
    }

    async fn begin(&self, id: OrderId) -> Result<(), StoreError> {
        let mut stored = locked(&self.orders);
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
    ) -> Result<Vec<NewOrder>, StoreError> {
        let mut stored = locked(&self.orders);
        let Orders { all, outbox, .. } = &mut *stored;
        let now = Instant::now();
        let free = outbox.iter_mut().filter(|(_, until)| until.is_some_and(|until| until <= now));
        let claim = |((_, id), until): (&Place, &mut Option<Instant>)| {
            *until = now.checked_add(lease);
            all.get(id).map(asked)
        };
        Ok(free.take(limit).filter_map(claim).collect())
    }

    async fn clear_outbox(&self, published: &[OrderId]) -> Result<(), StoreError> {
        let mut stored = locked(&self.orders);
        for id in published {
            if let Some(place) = stored.all.get(id).map(place) {
                stored.outbox.remove(&place);
            }
        }
        Ok(())
    }

    async fn refill_outbox(&self, pending_for: Duration, limit: usize) -> Result<u64, StoreError> {
        let mut stored = locked(&self.orders);
        let Orders { pending, outbox, .. } = &mut *stored;
        let forgotten: Vec<_> = older_than(pending, pending_for)
            .filter(|place| !outbox.contains_key(place))
            .take(limit)
            .collect();
        let unleased = Some(Instant::now());
        outbox.extend(forgotten.iter().map(|place| (*place, unleased)));
        Ok(forgotten.len() as u64)
    }

    async fn stuck(&self, pending_for: Duration, limit: usize) -> Result<Vec<Order>, StoreError> {
        let stored = locked(&self.orders);
        let order = |(_, id): Place| stored.all.get(&id).cloned();
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
    fn insert(&mut self, order: &NewOrder, lease_until: Option<Instant>) -> Insert {
        match self.all.get(&order.id) {
            Some(there) if asked(there).asks_the_same_as(order) => Insert::AlreadyPresent,
            Some(_) => Insert::Conflict,
            None => {
                let order = pending(order);
                self.pending.insert(place(&order));
                self.outbox.insert(place(&order), lease_until);
                self.all.insert(order.id, order);
                Insert::Created
            }
        }
    }

    fn finish(&mut self, decision: &Decision, finished_at: OffsetDateTime) -> Transition {
        let order = self.all.entry(decision.order.id).or_insert_with(|| pending(&decision.order));
        self.begun.remove(&decision.order.id);
        self.pending.remove(&place(order));
        self.outbox.remove(&place(order));
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

fn place(order: &Order) -> Place {
    (order.accepted_at, order.id)
}

fn pending(order: &NewOrder) -> Order {
    Order {
        id: order.id,
        product: order.product.clone(),
        quantity: order.quantity,
        status: OrderStatus::Pending,
        accepted_at: whole_micros(order.accepted_at),
        finished_at: None,
    }
}

fn asked(order: &Order) -> NewOrder {
    NewOrder {
        id: order.id,
        product: order.product.clone(),
        quantity: order.quantity,
        accepted_at: order.accepted_at,
    }
}

/// The places of orders that were accepted longer than `age` ago.
fn older_than(places: &BTreeSet<Place>, age: Duration) -> impl Iterator<Item = Place> {
    let age = time::Duration::try_from(age).unwrap_or(time::Duration::MAX);
    // No order is older than time can say.
    let before = now().checked_sub(age);
    places.iter().copied().take_while(move |(at, _)| before.is_some_and(|before| *at < before))
}
