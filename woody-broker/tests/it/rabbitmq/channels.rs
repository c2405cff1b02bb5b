//! Channels that the broker closes, one after the other.

use std::time::Duration;

use woody_broker::rabbitmq::{RabbitMqBroker, RabbitMqOptions};
use woody_core::ports::Broker;

use super::{Raw, unique, url};

/// Each look for a queue that is not there costs a channel, and a connection has some 2,000 numbers
/// for them.
#[tokio::test]
#[ignore = "needs WOODY_TEST_AMQP_URL"]
async fn queues_that_are_not_there_may_be_looked_for_any_number_of_times() {
    let raw = Raw::new(unique());
    let options = RabbitMqOptions::for_queue(&raw.queue);
    let broker = RabbitMqBroker::connect(&url(), options).await.unwrap();
    let admin = broker.admin();
    let mut failed = 0;
    for look in 0..1_500 {
        if let Err(error) = admin.depth().await {
            assert!(error.is_transient(), "look {look}: {error:?}");
            failed += 1;
            // The next connection is under way.
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
    assert!(failed < 50, "{failed} looks failed");
    assert_eq!(admin.depth().await.unwrap().ready, 0);
    broker.close().await;
}
