use std::time::Duration;

use async_trait::async_trait;
use woody_core::domain::{NoticeId, OrderId, SubscriptionName};
use woody_core::ports::{Attempt, KeptNotice, Notice, NoticeCounts, NoticeStore, StoreError};

use super::MemoryStore;

#[async_trait]
impl NoticeStore for MemoryStore {
    async fn subscribe(&self, subscription: &SubscriptionName) -> Result<(), StoreError> {
        self.order_table()?.notices.subscribe(subscription);
        Ok(())
    }

    async fn unsubscribe(&self, subscription: &SubscriptionName) -> Result<u64, StoreError> {
        Ok(self.order_table()?.notices.unsubscribe(subscription))
    }

    async fn claim(
        &self,
        subscription: &SubscriptionName,
        limit: usize,
        lease: Duration,
    ) -> Result<Vec<Notice>, StoreError> {
        Ok(self.order_table()?.notices.claim(subscription, limit, lease))
    }

    async fn settle(
        &self,
        subscription: &SubscriptionName,
        attempts: &[(NoticeId, Attempt)],
    ) -> Result<(), StoreError> {
        self.order_table()?.notices.settle(subscription, attempts);
        Ok(())
    }

    async fn dead(
        &self,
        subscription: &SubscriptionName,
        after: Option<NoticeId>,
        limit: usize,
    ) -> Result<Vec<Notice>, StoreError> {
        Ok(self.order_table()?.notices.dead(subscription, after, limit))
    }

    async fn redrive(
        &self,
        subscription: &SubscriptionName,
        ids: &[NoticeId],
    ) -> Result<u64, StoreError> {
        Ok(self.order_table()?.notices.redrive(subscription, ids))
    }

    async fn of_order(
        &self,
        order: OrderId,
    ) -> Result<Vec<(SubscriptionName, Vec<KeptNotice>)>, StoreError> {
        Ok(self.order_table()?.notices.of_order(order))
    }

    async fn subscriptions(&self, most: u64) -> Result<Vec<NoticeCounts>, StoreError> {
        Ok(self.order_table()?.notices.counts(most))
    }
}
