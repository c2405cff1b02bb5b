//! What the broker itself gives up, on real backends.

use std::time::Duration;

use lapin::{
    Connection, ConnectionProperties,
    options::{BasicGetOptions, BasicRejectOptions},
};
use testkit::servers::{Database, VirtualHost};
use woody_broker::{BrokerOptions, BrokerUrl};
use woody_core::{
    contract::toy,
    domain::{OrderStatus, Outcome},
    ports::{ConsumerState, Prefetch},
    services::{OutboxRelay, RelaySettings},
};
use woody_store::{StoreOptions, StoreUrl};

const GIVES_UP: &str = r#"{"delivery-limit": 2, "dead-letter-exchange": "", "dead-letter-routing-key": "order_processing.dead"}"#;

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs WOODY_TEST_POSTGRES_URL and WOODY_TEST_AMQP_URL"]
async fn an_order_that_rabbitmq_delivered_too_often_has_failed_and_is_not_published_again() {
    let (database, host) = (Database::create().await, VirtualHost::create());
    host.set_policy("^order_processing$", GIVES_UP);
    let url = StoreUrl::parse(&database.url).unwrap();
    let store = woody_store::connect(&url, StoreOptions::default()).await.unwrap();
    store.migrate().await.unwrap();
    let url = BrokerUrl::parse(&host.url).unwrap();
    let broker = woody_broker::connect(&url, BrokerOptions::default()).await.unwrap();
    // Declares its queues.
    let mut consumer = broker.consumer(Prefetch::MIN).await.unwrap();
    within(consumer.state().wait_for(|state| *state == ConsumerState::Consuming)).await.unwrap();
    consumer.stop().await;
    let settings = RelaySettings::default().lease(Duration::ZERO).pending_for(Duration::ZERO);
    let relay = OutboxRelay::new(store.orders(), broker.publisher(), broker.admin(), settings);
    let order = toy("Train");
    let _ = store.orders().insert(std::slice::from_ref(&order), Duration::ZERO).await.unwrap();
    assert_eq!(relay.sweep().await.unwrap(), 1);

    let connection = Connection::connect(&host.url, ConnectionProperties::default()).await.unwrap();
    let channel = connection.create_channel().await.unwrap();
    within(async {
        while broker.admin().dead_letters(1).await.unwrap().is_empty() {
            let got = channel.basic_get("order_processing".into(), BasicGetOptions::default());
            if let Some(message) = got.await.unwrap() {
                message.reject(BasicRejectOptions { requeue: true }).await.unwrap();
            }
        }
    })
    .await;
    let status = within(async {
        loop {
            assert_eq!(relay.reconcile().await.unwrap(), 0, "it is published again");
            let status = store.orders().order(order.id).await.unwrap().unwrap().status;
            if status.is_final() {
                break status;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    })
    .await;
    let reason = "its message became a dead letter: the broker delivered it too often";
    assert_eq!(status, OrderStatus::Ended(Outcome::Failed(reason.into())));
    broker.close().await;
    store.close().await;
    database.drop().await;
}

async fn within<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(30), future).await.expect("it takes half a minute")
}
