//! Decorators that make a dependency go away and come back.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use bytes::Bytes;
use woody_core::{
    domain::{Details, FailedAttempt, NewOrder, Order, OrderId, OrderMessage, Reason, ToyOrder},
    ports::{
        Archivable, Backlog, Begun, BrokerError, Decision, FoundOrder, Insert, OrderCounts,
        OrderCursor, OrderPage, OrderQuery, OrderStore, OrderTrail, PageSize, Publisher, QueueNote,
        QueueReading, StoreError, Timeline, Transition, Watermark,
    },
};

/// Whether something is there; shared with the test that decides it.
#[derive(Clone, Default)]
pub struct Fault(Arc<AtomicBool>);

impl Fault {
    pub fn begin(&self) {
        self.0.store(true, Ordering::SeqCst);
    }

    pub fn end(&self) {
        self.0.store(false, Ordering::SeqCst);
    }

    fn is_on(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }

    pub fn check(&self) -> Result<(), StoreError> {
        if self.is_on() { Err(StoreError::unavailable("gone")) } else { Ok(()) }
    }
}

/// The product of an order that the store refuses, and with it the whole batch.
pub const UNSTORABLE: &str = "unstorable";

/// The product of an order that the store keeps, but takes longer for than an intake waits
/// before it asks the broker.
pub const SLOW: &str = "slow";

/// The product of an order that the store says nothing about.
pub const UNANSWERED: &str = "unanswered";

/// The copy of a store's data that is used; shared with the test that has another take its place.
#[derive(Clone)]
pub struct Copies(Arc<Mutex<(u64, Arc<dyn OrderStore>)>>);

impl Copies {
    pub fn new(first: Arc<dyn OrderStore>) -> Self {
        Self(Arc::new(Mutex::new((1, first))))
    }

    /// Goes on with this copy, whatever it has.
    pub fn fail_over(&self, to: Arc<dyn OrderStore>) {
        let mut current = self.0.lock().unwrap();
        *current = (current.0 + 1, to);
    }
}

/// A store that is unavailable while its fault is on.
pub struct FaultyStore {
    pub copies: Copies,
    pub fault: Fault,
}

impl FaultyStore {
    fn inner(&self) -> Arc<dyn OrderStore> {
        Arc::clone(&self.copies.0.lock().unwrap().1)
    }

    /// As long as the slowest of `orders` takes.
    async fn take_time(orders: &[NewOrder<Details>]) {
        let toys = orders.iter().filter_map(|order| order.details.decode::<ToyOrder>().ok());
        for toy in toys {
            match toy.product.as_str() {
                SLOW => tokio::time::sleep(Duration::from_secs(1)).await,
                UNANSWERED => std::future::pending().await,
                _ => {}
            }
        }
    }

    fn refuse<'a>(
        &self,
        mut orders: impl Iterator<Item = &'a NewOrder<Details>>,
    ) -> Result<(), StoreError> {
        self.check()?;
        if orders.any(|order| {
            let toy = order.details.decode::<ToyOrder>();
            toy.is_ok_and(|toy| toy.product.as_str() == UNSTORABLE)
        }) {
            return Err(StoreError::refused("no room for such a name"));
        }
        Ok(())
    }

    fn check(&self) -> Result<(), StoreError> {
        self.fault.check()
    }
}

#[async_trait]
impl OrderStore for FaultyStore {
    async fn insert(
        &self,
        orders: &[NewOrder<Details>],
        lease: Duration,
    ) -> Result<Vec<Insert>, StoreError> {
        self.refuse(orders.iter())?;
        Self::take_time(orders).await;
        self.inner().insert(orders, lease).await
    }

    async fn order(&self, id: OrderId) -> Result<Option<Order<Details>>, StoreError> {
        self.check()?;
        self.inner().order(id).await
    }

    async fn orders_by_id(&self, ids: &[OrderId]) -> Result<Vec<FoundOrder>, StoreError> {
        self.check()?;
        self.inner().orders_by_id(ids).await
    }

    async fn finish(&self, decisions: &[Decision]) -> Result<Vec<Transition>, StoreError> {
        self.refuse(decisions.iter().map(|decision| &decision.order))?;
        self.inner().finish(decisions).await
    }

    async fn cancel(
        &self,
        id: OrderId,
        reason: Option<Reason>,
    ) -> Result<Option<Transition>, StoreError> {
        self.check()?;
        self.inner().cancel(id, reason).await
    }

    async fn keep_attempts(&self, attempts: &[FailedAttempt]) -> Result<(), StoreError> {
        self.check()?;
        self.inner().keep_attempts(attempts).await
    }

    async fn trail(&self, id: OrderId) -> Result<Option<OrderTrail>, StoreError> {
        self.check()?;
        self.inner().trail(id).await
    }

    async fn begin(&self, id: OrderId, redriven: bool) -> Result<(), StoreError> {
        self.check()?;
        self.inner().begin(id, redriven).await
    }

    async fn end(&self, id: OrderId) -> Result<(), StoreError> {
        self.check()?;
        self.inner().end(id).await
    }

    async fn begun(&self, id: OrderId) -> Result<Begun, StoreError> {
        self.check()?;
        self.inner().begun(id).await
    }

    async fn claim_outbox(
        &self,
        limit: usize,
        lease: Duration,
    ) -> Result<Vec<NewOrder<Details>>, StoreError> {
        self.check()?;
        self.inner().claim_outbox(limit, lease).await
    }

    async fn clear_outbox(&self, published: &[OrderId]) -> Result<(), StoreError> {
        self.check()?;
        self.inner().clear_outbox(published).await
    }

    async fn watermark(&self, age: Duration) -> Result<Watermark, StoreError> {
        self.check()?;
        self.inner().watermark(age).await
    }

    async fn unaccounted(&self, watermark: &Watermark, most: u64) -> Result<u64, StoreError> {
        self.check()?;
        self.inner().unaccounted(watermark, most).await
    }

    async fn mark_held(&self, ids: &[OrderId]) -> Result<(), StoreError> {
        self.check()?;
        self.inner().mark_held(ids).await
    }

    async fn refill_outbox(
        &self,
        watermark: &Watermark,
        messages: u64,
        limit: usize,
    ) -> Result<u64, StoreError> {
        self.check()?;
        self.inner().refill_outbox(watermark, messages, limit).await
    }

    async fn note_queue(
        &self,
        queue: &str,
        reading: Option<QueueReading>,
    ) -> Result<Vec<QueueNote>, StoreError> {
        self.check()?;
        self.inner().note_queue(queue, reading).await
    }

    async fn stuck(
        &self,
        pending_for: Duration,
        limit: usize,
    ) -> Result<Vec<Order<Details>>, StoreError> {
        self.check()?;
        self.inner().stuck(pending_for, limit).await
    }

    async fn list(&self, query: &OrderQuery) -> Result<OrderPage, StoreError> {
        self.check()?;
        self.inner().list(query).await
    }

    async fn archivable(
        &self,
        accepted_for: Duration,
        after: Option<OrderCursor>,
        limit: PageSize,
    ) -> Result<Archivable, StoreError> {
        self.check()?;
        self.inner().archivable(accepted_for, after, limit).await
    }

    async fn archive(&self, ids: &[OrderId]) -> Result<u64, StoreError> {
        self.check()?;
        self.inner().archive(ids).await
    }

    async fn backlog(&self, most: u64) -> Result<Backlog, StoreError> {
        self.check()?;
        self.inner().backlog(most).await
    }

    async fn counts(&self) -> Result<OrderCounts, StoreError> {
        self.check()?;
        self.inner().counts().await
    }

    async fn timeline(&self) -> Result<Option<Timeline>, StoreError> {
        self.check()?;
        Ok(Some(Timeline::new(self.copies.0.lock().unwrap().0)))
    }

    async fn ping(&self) -> Result<(), StoreError> {
        self.check()?;
        self.inner().ping().await
    }
}

/// A publisher that is unavailable while its fault is on.
pub struct FaultyPublisher {
    pub inner: Arc<dyn Publisher>,
    pub fault: Fault,
}

#[async_trait]
impl Publisher for FaultyPublisher {
    async fn send(&self, bodies: &[Bytes]) -> Result<(), BrokerError> {
        self.ping().await?;
        self.inner.send(bodies).await
    }

    async fn publish(&self, messages: &[OrderMessage]) -> Result<(), BrokerError> {
        self.ping().await?;
        self.inner.publish(messages).await
    }

    async fn ping(&self) -> Result<(), BrokerError> {
        if self.fault.is_on() { Err(BrokerError::unavailable("gone")) } else { Ok(()) }
    }
}
