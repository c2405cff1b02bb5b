//! A process's way to the store.

use std::time::Duration;

use async_trait::async_trait;
use woody_core::{
    domain::{Details, FailedAttempt, NewOrder, Order, OrderId, Outcome, Reason},
    ports::{
        Archivable, Backlog, Begun, Decision, FoundOrder, Insert, OrderCounts, OrderCursor,
        OrderPage, OrderQuery, OrderStore, OrderTrail, PageSize, QueueNote, QueueReading,
        StoreError, Transition, Watermark,
    },
};

use crate::{
    call::{Lost, Wire},
    world::Dep,
};

pub struct SimStore(pub Wire);

pub fn unavailable(lost: Lost) -> StoreError {
    match lost {
        Lost::Unknown => StoreError::unavailable("simulated"),
        Lost::Refused => StoreError::refused("simulated"),
    }
}

#[async_trait]
impl OrderStore for SimStore {
    async fn insert(
        &self,
        orders: &[NewOrder<Details>],
        lease: Duration,
    ) -> Result<Vec<Insert>, StoreError> {
        let orders = orders.to_vec();
        let insert = move |inner: &mut crate::world::Inner, _| inner.insert(&orders, lease);
        self.0.call(Dep::Store, "insert", insert).await.map_err(unavailable)
    }

    async fn order(&self, id: OrderId) -> Result<Option<Order<Details>>, StoreError> {
        self.0
            .call(Dep::Store, "order", move |inner, _| inner.store.order(id))
            .await
            .map_err(unavailable)
    }

    async fn orders_by_id(&self, ids: &[OrderId]) -> Result<Vec<FoundOrder>, StoreError> {
        let ids = ids.to_vec();
        let orders = move |inner: &mut crate::world::Inner, _| {
            ids.into_iter().map(|id| Ok(inner.store.order(id))).collect()
        };
        self.0.call(Dep::Store, "orders", orders).await.map_err(unavailable)
    }

    async fn finish(&self, decisions: &[Decision]) -> Result<Vec<Transition>, StoreError> {
        let decided = decisions.to_vec();
        let finish = move |inner: &mut crate::world::Inner, _| inner.finish(&decided);
        let finished = self.0.call(Dep::Store, "finish", finish).await.map_err(unavailable)?;
        let ended = decisions.iter().zip(&finished).filter(|(_, how)| **how == Transition::Applied);
        let ended = ended.map(|(decision, _)| (decision.order.id, decision.outcome.clone()));
        self.tell_afterwards(ended.collect()).await;
        Ok(finished)
    }

    async fn cancel(
        &self,
        id: OrderId,
        reason: Option<Reason>,
    ) -> Result<Option<Transition>, StoreError> {
        let outcome = Outcome::Cancelled(reason.clone());
        let cancel = move |inner: &mut crate::world::Inner, _| inner.cancel(id, reason);
        let cancelled = self.0.call(Dep::Store, "cancel", cancel).await.map_err(unavailable)?;
        if cancelled == Some(Transition::Applied) {
            self.tell_afterwards(vec![(id, outcome)]).await;
        }
        Ok(cancelled)
    }

    async fn keep_attempts(&self, attempts: &[FailedAttempt]) -> Result<(), StoreError> {
        let kept = attempts.len() as u64;
        let keep = move |inner: &mut crate::world::Inner, _| {
            inner.coverage.count("failed attempts kept", kept);
        };
        self.0.call(Dep::Store, "keep attempts", keep).await.map_err(unavailable)
    }

    /// Nobody asks for a story here.
    async fn trail(&self, _: OrderId) -> Result<Option<OrderTrail>, StoreError> {
        Ok(None)
    }

    async fn begin(&self, id: OrderId, redriven: bool) -> Result<(), StoreError> {
        let begin = move |inner: &mut crate::world::Inner, _| inner.begin(id, redriven);
        self.0.call(Dep::Store, "begin", begin).await.map_err(unavailable)
    }

    async fn end(&self, id: OrderId) -> Result<(), StoreError> {
        self.0
            .call(Dep::Store, "end", move |inner, _| inner.store.end(id))
            .await
            .map_err(unavailable)
    }

    async fn begun(&self, id: OrderId) -> Result<Begun, StoreError> {
        self.0
            .call(Dep::Store, "begun", move |inner, _| inner.store.begun(id))
            .await
            .map_err(unavailable)
    }

    async fn claim_outbox(
        &self,
        limit: usize,
        lease: Duration,
    ) -> Result<Vec<NewOrder<Details>>, StoreError> {
        let claim = move |inner: &mut crate::world::Inner, _| inner.claim(limit, lease);
        self.0.call(Dep::Store, "claim", claim).await.map_err(unavailable)
    }

    async fn clear_outbox(&self, published: &[OrderId]) -> Result<(), StoreError> {
        let ids = published.to_vec();
        self.0
            .call(Dep::Store, "clear", move |inner, _| inner.clear(&ids))
            .await
            .map_err(unavailable)
    }

    async fn watermark(&self, age: Duration) -> Result<Watermark, StoreError> {
        let read = move |inner: &mut crate::world::Inner, _| inner.store.watermark(age);
        self.0.call(Dep::Store, "watermark", read).await.map_err(unavailable)
    }

    async fn unaccounted(&self, watermark: &Watermark, most: u64) -> Result<u64, StoreError> {
        let (watermark, most) = (*watermark, usize::try_from(most).unwrap_or(usize::MAX));
        let count = move |inner: &mut crate::world::Inner, _| {
            inner.store.unaccounted(&watermark).into_iter().take(most).count() as u64
        };
        self.0.call(Dep::Store, "unaccounted", count).await.map_err(unavailable)
    }

    async fn mark_held(&self, ids: &[OrderId]) -> Result<(), StoreError> {
        let ids = ids.to_vec();
        self.0.call(Dep::Store, "mark", move |inner, _| inner.mark(&ids)).await.map_err(unavailable)
    }

    /// There is one queue: nothing is to be told of others.
    async fn note_queue(
        &self,
        _: &str,
        _: Option<QueueReading>,
    ) -> Result<Vec<QueueNote>, StoreError> {
        Ok(Vec::new())
    }

    async fn refill_outbox(
        &self,
        watermark: &Watermark,
        messages: u64,
        limit: usize,
    ) -> Result<u64, StoreError> {
        let watermark = *watermark;
        let refill =
            move |inner: &mut crate::world::Inner, _| inner.refill(&watermark, messages, limit);
        self.0.call(Dep::Store, "refill", refill).await.map_err(unavailable)
    }

    async fn stuck(
        &self,
        pending_for: Duration,
        limit: usize,
    ) -> Result<Vec<Order<Details>>, StoreError> {
        let stuck = move |inner: &mut crate::world::Inner, _| inner.store.stuck(pending_for, limit);
        self.0.call(Dep::Store, "stuck", stuck).await.map_err(unavailable)
    }

    async fn list(&self, query: &OrderQuery) -> Result<OrderPage, StoreError> {
        let query = query.clone();
        let list = move |inner: &mut crate::world::Inner, _| inner.store.list(&query);
        self.0.call(Dep::Store, "list", list).await.map_err(unavailable)
    }

    /// No operator archives here.
    async fn archivable(
        &self,
        _: Duration,
        _: Option<OrderCursor>,
        _: PageSize,
    ) -> Result<Archivable, StoreError> {
        Ok(Archivable::default())
    }

    async fn archive(&self, _: &[OrderId]) -> Result<u64, StoreError> {
        Ok(0)
    }

    async fn counts(&self) -> Result<OrderCounts, StoreError> {
        self.0
            .call(Dep::Store, "counts", |inner, _| inner.store.counts())
            .await
            .map_err(unavailable)
    }

    async fn backlog(&self, most: u64) -> Result<Backlog, StoreError> {
        self.0
            .call(Dep::Store, "backlog", move |inner, _| inner.store.backlog(most))
            .await
            .map_err(unavailable)
    }

    async fn ping(&self) -> Result<(), StoreError> {
        self.0.call(Dep::Store, "ping", |_, _| ()).await.map_err(unavailable)
    }
}
