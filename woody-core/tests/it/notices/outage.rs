//! A store that is away while ends are told.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use woody_core::{
    domain::{NoticeId, OrderId, SubscriptionName},
    ports::{Attempt, KeptNotice, Notice, NoticeCounts, NoticeStore, Notifier, Store, StoreError},
};
use woody_store::MemoryStore;

use super::{counts, deliver_from, ended, next, post, settings, store, until};
use crate::faulty::Fault;

/// Notices that are unavailable while a fault is on.
struct FaultyNotices {
    inner: Arc<dyn NoticeStore>,
    fault: Fault,
}

impl FaultyNotices {
    fn there(&self) -> Result<&dyn NoticeStore, StoreError> {
        self.fault.check().map(|()| self.inner.as_ref())
    }
}

#[async_trait]
impl NoticeStore for FaultyNotices {
    async fn subscribe(&self, subscription: &SubscriptionName) -> Result<(), StoreError> {
        self.there()?.subscribe(subscription).await
    }

    async fn unsubscribe(&self, subscription: &SubscriptionName) -> Result<u64, StoreError> {
        self.there()?.unsubscribe(subscription).await
    }

    async fn claim(
        &self,
        subscription: &SubscriptionName,
        limit: usize,
        lease: Duration,
    ) -> Result<Vec<Notice>, StoreError> {
        self.there()?.claim(subscription, limit, lease).await
    }

    async fn settle(
        &self,
        subscription: &SubscriptionName,
        attempts: &[(NoticeId, Attempt)],
    ) -> Result<(), StoreError> {
        self.there()?.settle(subscription, attempts).await
    }

    async fn dead(
        &self,
        subscription: &SubscriptionName,
        after: Option<NoticeId>,
        limit: usize,
    ) -> Result<Vec<Notice>, StoreError> {
        self.there()?.dead(subscription, after, limit).await
    }

    async fn redrive(
        &self,
        subscription: &SubscriptionName,
        ids: &[NoticeId],
    ) -> Result<u64, StoreError> {
        self.there()?.redrive(subscription, ids).await
    }

    async fn of_order(
        &self,
        order: OrderId,
    ) -> Result<Vec<(SubscriptionName, Vec<KeptNotice>)>, StoreError> {
        self.there()?.of_order(order).await
    }

    async fn subscriptions(&self, most: u64) -> Result<Vec<NoticeCounts>, StoreError> {
        self.there()?.subscriptions(most).await
    }
}

#[tokio::test(start_paused = true)]
async fn a_store_that_is_away_at_the_start_is_waited_for() {
    let store = Arc::new(MemoryStore::new());
    let fault = Fault::default();
    fault.begin();
    let notices = Arc::new(FaultyNotices { inner: store.notices(), fault: fault.clone() });
    let (post, mut told) = post();
    let running = deliver_from(&store, notices, post, settings());
    tokio::time::sleep(Duration::from_mins(1)).await;
    assert!(store.notices().subscriptions(99).await.unwrap().is_empty());
    fault.end();
    until_subscribed(&store).await;
    let id = ended(&store, "train").await;
    assert_eq!(next(&mut told).await.0.order.id, id);
    running.stop().await;
}

async fn until_subscribed(store: &MemoryStore) {
    while store.notices().subscriptions(99).await.unwrap().is_empty() {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// What was told is told again only if the store stays away for longer than the lease.
#[tokio::test(start_paused = true)]
async fn what_was_told_while_the_store_is_away_is_saved_when_it_is_back() {
    let store = store().await;
    ended(&store, "waits").await;
    let fault = Fault::default();
    let notices = Arc::new(FaultyNotices { inner: store.notices(), fault: fault.clone() });
    let (post, mut told) = post();
    let running = deliver_from(&store, notices, Arc::clone(&post) as Arc<dyn Notifier>, settings());
    next(&mut told).await;
    fault.begin();
    post.gate.add_permits(9);
    tokio::time::sleep(Duration::from_secs(8)).await;
    assert_eq!(counts(&store).await.open, 1);
    fault.end();
    until(&store, 0, 0).await;
    running.stop().await;
    assert!(told.try_recv().is_err());
}
