//! Proofs for acknowledgements: from a store that says yes to everything.

use std::time::Duration;

use async_trait::async_trait;
use woody_core::{
    domain::{Details, NewOrder, Order, OrderId, OrderMessage, Outcome},
    ports::{
        Begun, Decision, Delivery, Insert, OrderCounts, OrderStore, SettleError, StoreError,
        Transition, Watermark, record,
    },
};

struct SavesEverything;

/// "Saves" the delivery's order and acknowledges it.
pub(crate) async fn ack(delivery: Delivery) -> Result<(), SettleError> {
    let message = OrderMessage::parse(delivery.body()).expect("an order message");
    let decision = Decision {
        order: message.into_order(),
        outcome: Outcome::Success(None),
        redriven: delivery.redriven(),
    };
    let mut answers = record(&SavesEverything, &[decision]).await.expect("it never fails");
    let (_, saved) = answers.pop().expect("one answer for one decision");
    delivery.ack(saved).await
}

#[async_trait]
impl OrderStore for SavesEverything {
    async fn finish(&self, decisions: &[Decision]) -> Result<Vec<Transition>, StoreError> {
        Ok(decisions.iter().map(|_| Transition::Applied).collect())
    }

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

    async fn stuck(&self, _: Duration, _: usize) -> Result<Vec<Order<Details>>, StoreError> {
        Ok(Vec::new())
    }

    async fn counts(&self) -> Result<OrderCounts, StoreError> {
        Ok(OrderCounts::default())
    }

    async fn ping(&self) -> Result<(), StoreError> {
        Ok(())
    }
}
