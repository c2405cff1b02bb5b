//! Several pairs of services over one store, each with a queue of its own.

use std::sync::Arc;

use async_trait::async_trait;
use woody_broker::memory::MemoryBroker;
use woody_core::{
    contract::broker::acknowledge,
    domain::{Details, NewOrder},
    ports::{Broker, BrokerAdmin, BrokerError, DeadLetter, DeadLetterId, OrderStore, QueueDepth},
    services::{OutboxRelay, RelaySettings},
};
use woody_store::MemoryStore;

use crate::shop::{next, order};

/// An order-service's relay, and the queue that it publishes to.
struct Pair {
    broker: MemoryBroker,
    store: Arc<dyn OrderStore>,
    relay: OutboxRelay,
}

impl Pair {
    fn over(store: &Arc<dyn OrderStore>, queue: &str) -> Self {
        let broker = MemoryBroker::new().named(queue);
        Self { relay: relay(store, &broker, broker.admin()), broker, store: Arc::clone(store) }
    }

    async fn publish(&self, count: usize) -> Vec<NewOrder<Details>> {
        let orders: Vec<_> = (0..count).map(|_| order("Train")).collect();
        let _ = self.store.insert(&orders, std::time::Duration::ZERO).await.unwrap();
        assert_eq!(self.relay.sweep().await.unwrap(), count as u64);
        orders
    }

    async fn look(&self) -> u64 {
        self.relay.reconcile().await.unwrap()
    }

    async fn lose_one(&self) {
        let mut consumer = self.broker.consumer(std::num::NonZeroU16::MIN).await.unwrap();
        acknowledge(next(&mut consumer).await).await.unwrap();
        consumer.stop().await;
    }
}

fn relay(
    store: &Arc<dyn OrderStore>,
    broker: &MemoryBroker,
    admin: Arc<dyn BrokerAdmin>,
) -> OutboxRelay {
    let none = std::time::Duration::ZERO;
    let settings = RelaySettings::default().lease(none).pending_for(none);
    OutboxRelay::new(Arc::clone(store), broker.publisher(), admin, settings)
}

fn store() -> Arc<dyn OrderStore> {
    Arc::new(MemoryStore::new())
}

#[tokio::test]
async fn pairs_with_queues_of_their_own_publish_none_of_each_others_orders_again() {
    let store = store();
    let pairs = ["one", "two", "three"].map(|queue| Pair::over(&store, queue));
    for pair in &pairs {
        pair.publish(5).await;
    }
    for _ in 0..12 {
        for pair in &pairs {
            assert_eq!(pair.look().await, 0);
        }
    }
    assert_eq!(store.counts().await.unwrap().outbox, 0);
}

#[tokio::test]
async fn what_one_of_several_queues_lost_is_published_again_once() {
    let store = store();
    let (one, two) = (Pair::over(&store, "one"), Pair::over(&store, "two"));
    one.publish(5).await;
    two.publish(3).await;
    for _ in 0..2 {
        two.lose_one().await;
    }
    let mut refilled = 0;
    for _ in 0..12 {
        for pair in [&one, &two] {
            refilled += pair.look().await;
            let _ = pair.relay.sweep().await.unwrap();
        }
    }
    assert_eq!(refilled, 2);
}

#[tokio::test]
async fn replicas_of_a_pair_count_their_queue_once() {
    let store = store();
    let one = Pair::over(&store, "one");
    let replica = relay(&store, &one.broker, one.broker.admin());
    one.publish(2).await;
    one.lose_one().await;
    let mut refilled = 0;
    for _ in 0..6 {
        refilled += one.look().await + replica.reconcile().await.unwrap();
    }
    assert_eq!(refilled, 1);
}

/// A broker that does not say how full its queue is.
struct Silent;

#[async_trait]
impl BrokerAdmin for Silent {
    fn queue(&self) -> String {
        "silent".into()
    }

    async fn depth(&self) -> Result<QueueDepth, BrokerError> {
        Err(BrokerError::unavailable("no leader"))
    }

    async fn dead_letters(&self, _: usize) -> Result<Vec<DeadLetter>, BrokerError> {
        Err(BrokerError::unavailable("no leader"))
    }

    async fn redrive(&self, _: &[DeadLetterId]) -> Result<u64, BrokerError> {
        Ok(0)
    }

    async fn resend(&self, _: &[bytes::Bytes]) -> Result<(), BrokerError> {
        Ok(())
    }

    async fn purge(&self, _: &[DeadLetterId]) -> Result<u64, BrokerError> {
        Ok(0)
    }
}

#[tokio::test]
async fn nothing_is_published_again_while_the_depth_of_another_queue_is_not_known() {
    let store = store();
    let one = Pair::over(&store, "one");
    let other = relay(&store, &one.broker, Arc::new(Silent));
    one.publish(2).await;
    one.lose_one().await;
    for _ in 0..8 {
        assert!(other.reconcile().await.is_err());
        assert_eq!(one.look().await, 0);
    }
}

/// A depth from before proves nothing: what was published since is not in it.
#[tokio::test]
async fn a_depth_that_was_read_before_the_watermark_is_not_counted() {
    let store = store();
    let (one, two) = (Pair::over(&store, "one"), Pair::over(&store, "two"));
    one.publish(1).await;
    two.publish(1).await;
    assert_eq!(two.look().await, 0);
    two.publish(4).await;
    // The other is silent from here on, and its last depth was 1.
    for _ in 0..8 {
        assert_eq!(one.look().await, 0);
    }
    assert_eq!(store.counts().await.unwrap().outbox, 0);
}
