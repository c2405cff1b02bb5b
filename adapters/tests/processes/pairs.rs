//! Several queues over one store, on real backends.

use std::{sync::Arc, time::Duration};

use testkit::servers::{Database, VirtualHost};
use woody_broker::{BrokerOptions, BrokerUrl};
use woody_core::{
    contract::{broker::acknowledge, toy},
    ports::{Broker, Prefetch, Store},
    services::{OutboxRelay, RelaySettings},
};
use woody_store::{StoreOptions, StoreUrl};

async fn store_of(url: &str) -> Arc<dyn Store> {
    let url = StoreUrl::parse(url).unwrap();
    let store = woody_store::connect(&url, StoreOptions::default()).await.unwrap();
    store.migrate().await.unwrap();
    store
}

async fn broker_of(url: &str, queue: &str) -> Arc<dyn Broker> {
    let url = BrokerUrl::parse(url).unwrap();
    woody_broker::connect(&url, BrokerOptions::for_queue(queue)).await.unwrap()
}

/// Two pairs publish a hundred orders each; then one message is lost.
async fn two_pairs_over(store: &dyn Store, brokers: [Arc<dyn Broker>; 2]) {
    let settings = RelaySettings::default().lease(Duration::ZERO).pending_for(Duration::ZERO);
    let relays = brokers.each_ref().map(|broker| {
        OutboxRelay::new(store.orders(), broker.publisher(), broker.admin(), settings.clone())
    });
    for relay in &relays {
        let orders: Vec<_> = (0..100).map(|_| toy("Train")).collect();
        let _ = store.orders().insert(&orders, Duration::ZERO).await.unwrap();
        assert_eq!(relay.sweep().await.unwrap(), 100);
    }
    let looked = async || {
        let mut refilled = 0;
        for _ in 0..8 {
            for relay in &relays {
                refilled += relay.reconcile().await.unwrap();
                let _ = relay.sweep().await.unwrap();
            }
        }
        refilled
    };
    assert_eq!(looked().await, 0, "each sees the messages of both");

    let mut consumer = brokers[1].consumer(Prefetch::MIN).await.unwrap();
    acknowledge(consumer.next().await.unwrap()).await.unwrap();
    consumer.stop().await;
    assert_eq!(looked().await, 1, "what is lost is found, once");
    for broker in brokers {
        broker.close().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_pairs_with_queues_in_files_publish_none_of_each_others_orders_again() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str| format!("sqlite:{}", folder.path().join(name).display());
    for store in ["memory:".to_owned(), file("orders.db")] {
        let store = store_of(&store).await;
        let queue =
            async |name: &str| broker_of(&file(&format!("{name}.db")), "order_processing").await;
        two_pairs_over(&*store, [queue("one").await, queue("two").await]).await;
        store.close().await;
        for name in ["one.db", "two.db"] {
            std::fs::remove_file(folder.path().join(name)).unwrap();
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs WOODY_TEST_POSTGRES_URL and WOODY_TEST_AMQP_URL"]
async fn two_pairs_with_queues_on_one_rabbitmq_publish_none_of_each_others_orders_again() {
    let (database, host) = (Database::create().await, VirtualHost::create());
    let store = store_of(&database.url).await;
    let queue = async |name| broker_of(&host.url, name).await;
    two_pairs_over(&*store, [queue("one").await, queue("two").await]).await;
    store.close().await;
    database.drop().await;
}
