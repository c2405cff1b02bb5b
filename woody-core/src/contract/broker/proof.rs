use std::time::Duration;

use async_trait::async_trait;

use crate::{
    domain::{Details, FailedAttempt, NewOrder, Order, OrderId, OrderMessage, Reason},
    ports::{
        Archivable, Backlog, Begun, Decision, Delivery, Insert, OrderCounts, OrderCursor,
        OrderPage, OrderQuery, OrderStore, OrderTrail, PageSize, QueueNote, QueueReading, Saved,
        SettleError, StoreError, Transition, Watermark, record,
    },
};

/// A store that says yes to every decision, so that a clause gets its proof.
struct SavesEverything;

/// Returns the proof that `message`'s order is saved: from a store that saves nothing and
/// says yes, for tests of brokers.
pub async fn saved(message: &OrderMessage) -> Saved {
    let decision = Decision {
        order: message.clone().into_order(),
        outcome: crate::domain::Outcome::Success(None),
        redriven: false,
        validation: None,
    };
    let mut answers = record(&SavesEverything, &[decision]).await.expect("this store never fails");
    answers.pop().expect("one answer for one decision").1
}

/// Acknowledges a delivery of an order message with such a proof.
///
/// # Errors
/// [`SettleError`] as from [`Delivery::ack`].
pub async fn acknowledge(delivery: Delivery) -> Result<(), SettleError> {
    let message = OrderMessage::parse(delivery.body()).expect("an order message");
    let proof = saved(&message).await;
    delivery.ack(proof).await
}

#[async_trait]
impl OrderStore for SavesEverything {
    async fn insert(
        &self,
        orders: &[NewOrder<Details>],
        _: Duration,
    ) -> Result<Vec<Insert>, StoreError> {
        Ok(orders.iter().map(|_| Insert::Created).collect())
    }

    async fn order(&self, _: OrderId) -> Result<Option<Order<Details>>, StoreError> {
        Ok(None)
    }

    async fn finish(&self, decisions: &[Decision]) -> Result<Vec<Transition>, StoreError> {
        Ok(decisions.iter().map(|_| Transition::Applied).collect())
    }

    async fn cancel(
        &self,
        _: OrderId,
        _: Option<Reason>,
    ) -> Result<Option<Transition>, StoreError> {
        Ok(None)
    }

    async fn keep_attempts(&self, _: &[FailedAttempt]) -> Result<(), StoreError> {
        Ok(())
    }

    async fn trail(&self, _: OrderId) -> Result<Option<OrderTrail>, StoreError> {
        Ok(None)
    }

    async fn begin(&self, _: OrderId, _: bool) -> Result<(), StoreError> {
        Ok(())
    }

    async fn end(&self, _: OrderId) -> Result<(), StoreError> {
        Ok(())
    }

    async fn begun(&self, _: OrderId) -> Result<Begun, StoreError> {
        Ok(Begun::default())
    }

    async fn claim_outbox(
        &self,
        _: usize,
        _: Duration,
    ) -> Result<Vec<NewOrder<Details>>, StoreError> {
        Ok(Vec::new())
    }

    async fn clear_outbox(&self, _: &[OrderId]) -> Result<(), StoreError> {
        Ok(())
    }

    async fn watermark(&self, _: Duration) -> Result<Watermark, StoreError> {
        let begin = time::OffsetDateTime::UNIX_EPOCH;
        Ok(Watermark { accepted_before: begin, unmarked_since: begin })
    }

    async fn unaccounted(&self, _: &Watermark, _: u64) -> Result<u64, StoreError> {
        Ok(0)
    }

    async fn mark_held(&self, _: &[OrderId]) -> Result<(), StoreError> {
        Ok(())
    }

    async fn refill_outbox(&self, _: &Watermark, _: u64, _: usize) -> Result<u64, StoreError> {
        Ok(0)
    }

    async fn note_queue(
        &self,
        _: &str,
        _: Option<QueueReading>,
    ) -> Result<Vec<QueueNote>, StoreError> {
        Ok(Vec::new())
    }

    async fn stuck(&self, _: Duration, _: usize) -> Result<Vec<Order<Details>>, StoreError> {
        Ok(Vec::new())
    }

    async fn list(&self, query: &OrderQuery) -> Result<OrderPage, StoreError> {
        Ok(OrderPage::of(Vec::new(), query.limit))
    }

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
        Ok(OrderCounts::default())
    }

    async fn backlog(&self, _: u64) -> Result<Backlog, StoreError> {
        Ok(Backlog::default())
    }

    async fn ping(&self) -> Result<(), StoreError> {
        Ok(())
    }
}
