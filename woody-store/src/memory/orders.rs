use std::time::Duration;

use async_trait::async_trait;
use tokio::time::Instant;
use woody_core::domain::{
    Details, FailedAttempt, NewOrder, Order, OrderId, OrderStatus, Outcome, Reason, now,
};
use woody_core::ports::{
    Archivable, Backlog, Begun, Decision, FoundOrder, Insert, OrderCounts, OrderCursor, OrderPage,
    OrderQuery, OrderStore, OrderTrail, PageSize, Publishing, QueueNote, QueueReading, StoreError,
    Transition, Watermark,
};

use super::MemoryStore;
use super::by_age::{ByAge, by_age};
use super::order_table::{OrderTable, asked, before_now, older_than};

#[async_trait]
impl OrderStore for MemoryStore {
    async fn insert(
        &self,
        orders: &[NewOrder<Details>],
        lease: Duration,
    ) -> Result<Vec<Insert>, StoreError> {
        let mut stored = self.order_table()?;
        let lease_until = Instant::now().checked_add(lease);
        let insert = |order| stored.insert(order, lease_until);
        Ok(orders.iter().map(insert).collect())
    }

    async fn order(&self, id: OrderId) -> Result<Option<Order<Details>>, StoreError> {
        Ok(self.order_table()?.all.get(&id).cloned())
    }

    async fn orders_by_id(&self, ids: &[OrderId]) -> Result<Vec<FoundOrder>, StoreError> {
        let stored = self.order_table()?;
        Ok(ids.iter().map(|id| Ok(stored.all.get(id).cloned())).collect())
    }

    async fn finish(&self, decisions: &[Decision]) -> Result<Vec<Transition>, StoreError> {
        let mut stored = self.order_table()?;
        let finished_at = now();
        let finish = |decision| stored.finish(decision, finished_at);
        Ok(decisions.iter().map(finish).collect())
    }

    async fn cancel(
        &self,
        id: OrderId,
        reason: Option<Reason>,
    ) -> Result<Option<Transition>, StoreError> {
        let mut stored = self.order_table()?;
        Ok(match stored.all.get(&id).map(|order| &order.status) {
            Some(ended @ OrderStatus::Ended(_)) => Some(Transition::Superseded(ended.clone())),
            None | Some(OrderStatus::Pending) => {
                stored.settle(id, Outcome::Cancelled(reason), false, now())
            }
        })
    }

    async fn keep_attempts(&self, attempts: &[FailedAttempt]) -> Result<(), StoreError> {
        self.order_table()?.trails.keep(attempts);
        Ok(())
    }

    async fn trail(&self, id: OrderId) -> Result<Option<OrderTrail>, StoreError> {
        let stored = self.order_table()?;
        let trail = |order: &Order<Details>| {
            let waits = stored.outbox.contains_key(&by_age(order));
            let publishing = if waits { Publishing::Waits } else { Publishing::Done };
            stored.trails.of(order, publishing)
        };
        Ok(stored.all.get(&id).map(trail))
    }

    async fn begin(&self, id: OrderId, redriven: bool) -> Result<(), StoreError> {
        let mut stored = self.order_table()?;
        match stored.all.get(&id).map(|order| &order.status) {
            None | Some(OrderStatus::Pending) => {}
            Some(OrderStatus::Ended(Outcome::Failed(_))) if redriven => {}
            Some(_) => return Ok(()),
        }
        let dying = now() + Watermark::DYING;
        stored.mark(id, dying);
        let (times, last) = stored.begun.entry(id).or_insert((0, Instant::now()));
        (*times, *last) = (times.saturating_add(1), Instant::now());
        Ok(())
    }

    async fn end(&self, id: OrderId) -> Result<(), StoreError> {
        if let Some((times, _)) = self.order_table()?.begun.get_mut(&id) {
            *times = times.saturating_sub(1);
        }
        Ok(())
    }

    async fn begun(&self, id: OrderId) -> Result<Begun, StoreError> {
        let begun = self.order_table()?.begun.get(&id).copied();
        let counted = |(times, last): (u32, Instant)| Begun { times, last_ago: last.elapsed() };
        Ok(begun.filter(|(times, _)| *times > 0).map(counted).unwrap_or_default())
    }

    async fn claim_outbox(
        &self,
        limit: usize,
        lease: Duration,
    ) -> Result<Vec<NewOrder<Details>>, StoreError> {
        let mut stored = self.order_table()?;
        let OrderTable { all, outbox, .. } = &mut *stored;
        let now = Instant::now();
        let free = outbox.iter_mut().filter(|(_, until)| until.is_some_and(|until| until <= now));
        let claim = |((_, id), until): (&ByAge, &mut Option<Instant>)| {
            *until = now.checked_add(lease);
            all.get(id).map(asked)
        };
        Ok(free.take(limit).filter_map(claim).collect())
    }

    async fn clear_outbox(&self, published: &[OrderId]) -> Result<(), StoreError> {
        let mut stored = self.order_table()?;
        for id in published {
            if let Some(key) = stored.all.get(id).map(by_age) {
                stored.outbox.remove(&key);
            }
        }
        Ok(())
    }

    async fn watermark(&self, age: Duration) -> Result<Watermark, StoreError> {
        let mut stored = self.order_table()?;
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
        Ok(self.order_table()?.unaccounted(watermark).take(most).count() as u64)
    }

    async fn mark_held(&self, ids: &[OrderId]) -> Result<(), StoreError> {
        let mut stored = self.order_table()?;
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
        let mut stored = self.order_table()?;
        let messages = usize::try_from(messages).unwrap_or(usize::MAX);
        let missing = stored.unaccounted(watermark).count().saturating_sub(messages);
        let forgotten: Vec<_> = stored.unaccounted(watermark).take(missing.min(limit)).collect();
        let (at, unleased) = (now(), Some(Instant::now()));
        stored.held.extend(forgotten.iter().map(|(_, id)| (*id, at)));
        stored.outbox.extend(forgotten.iter().map(|key| (*key, unleased)));
        Ok(forgotten.len() as u64)
    }

    async fn note_queue(
        &self,
        queue: &str,
        reading: Option<QueueReading>,
    ) -> Result<Vec<QueueNote>, StoreError> {
        let mut stored = self.order_table()?;
        let kept = before_now(QueueNote::KEPT);
        stored.queues.retain(|_, (noted, _)| *noted >= kept);
        let last = stored.queues.get(queue).and_then(|(_, last)| *last);
        stored.queues.insert(queue.to_owned(), (now(), reading.or(last)));
        let others = stored.queues.iter().filter(|(other, _)| *other != queue);
        let note = |(queue, (_, last)): (&String, &(_, _))| QueueNote {
            queue: queue.clone(),
            last: *last,
        };
        Ok(others.map(note).collect())
    }

    async fn stuck(
        &self,
        pending_for: Duration,
        limit: usize,
    ) -> Result<Vec<Order<Details>>, StoreError> {
        let stored = self.order_table()?;
        let order = |(_, id): ByAge| stored.all.get(&id).cloned();
        Ok(older_than(&stored.pending, pending_for).take(limit).filter_map(order).collect())
    }

    async fn list(&self, query: &OrderQuery) -> Result<OrderPage, StoreError> {
        Ok(self.order_table()?.list(query))
    }

    async fn archivable(
        &self,
        accepted_for: Duration,
        after: Option<OrderCursor>,
        limit: PageSize,
    ) -> Result<Archivable, StoreError> {
        Ok(self.order_table()?.archivable(accepted_for, after, limit))
    }

    async fn archive(&self, ids: &[OrderId]) -> Result<u64, StoreError> {
        let mut stored = self.order_table()?;
        Ok(ids.iter().filter(|id| stored.archive(**id)).count() as u64)
    }

    async fn counts(&self) -> Result<OrderCounts, StoreError> {
        let stored = self.order_table()?;
        let mut counts =
            OrderCounts { outbox: stored.outbox.len() as u64, ..OrderCounts::default() };
        for order in stored.all.values() {
            *match order.status {
                OrderStatus::Pending => &mut counts.pending,
                OrderStatus::Ended(Outcome::Success(_)) => &mut counts.success,
                OrderStatus::Ended(Outcome::Rejected(_)) => &mut counts.rejected,
                OrderStatus::Ended(Outcome::Failed(_)) => &mut counts.failed,
                OrderStatus::Ended(Outcome::Cancelled(_)) => &mut counts.cancelled,
            } += 1;
        }
        Ok(counts)
    }

    async fn backlog(&self, most: u64) -> Result<Backlog, StoreError> {
        let stored = self.order_table()?;
        let up_to = |counted: usize| (counted as u64).min(most);
        let accepted_at = |(at, _): &ByAge| *at;
        Ok(Backlog {
            pending: up_to(stored.pending.len()),
            oldest_pending: stored.pending.first().map(accepted_at),
            unpublished: up_to(stored.outbox.len()),
            oldest_unpublished: stored.outbox.keys().next().map(accepted_at),
        })
    }

    async fn ping(&self) -> Result<(), StoreError> {
        self.order_table().map(drop)
    }
}
