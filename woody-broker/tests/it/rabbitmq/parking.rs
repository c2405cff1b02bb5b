//! Queues that do not take what is to be moved to them.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use lapin::{
    options::QueueDeclareOptions,
    types::{AMQPValue, FieldTable},
};
use woody_broker::rabbitmq::{RabbitMqBroker, RabbitMqOptions};
use woody_core::{
    contract::broker::{PATIENCE, acknowledge},
    contract::toy,
    domain::OrderMessage,
    ports::{Broker, Consumer, Delivery, Prefetch, SettleError},
};

use super::{Raw, unique, url};

/// Declares a queue that refuses every message.
pub(super) async fn refuses(raw: &Raw, queue: &str) {
    let (connection, channel) = raw.channel().await;
    let mut arguments = FieldTable::default();
    let mut text = |key: &str, value: &str| {
        arguments.insert(key.into(), AMQPValue::LongString(value.into()));
    };
    text("x-queue-type", "classic");
    text("x-overflow", "reject-publish");
    arguments.insert("x-max-length".into(), AMQPValue::LongInt(0));
    let options = QueueDeclareOptions { durable: true, ..QueueDeclareOptions::default() };
    channel.queue_declare(queue.into(), options, arguments).await.unwrap();
    connection.close(200, "done".into()).await.unwrap();
}

async fn on(queue: &str) -> RabbitMqBroker {
    let options = RabbitMqOptions::for_queue(queue).parked_for(Duration::from_millis(500));
    RabbitMqBroker::connect(&url(), options).await.unwrap()
}

/// A broker whose dead letters take none.
async fn without_dead_letters() -> (Arc<dyn Broker>, Raw) {
    let raw = Raw::new(unique());
    refuses(&raw, &format!("{}.dead", raw.queue)).await;
    (Arc::new(on(&raw.queue).await), raw)
}

woody_core::broker_parking_contract!(
    #[ignore = "needs WOODY_TEST_AMQP_URL"]
    without_dead_letters
);

/// A broker whose dead letters take none, and neither does the queue where what cannot be
/// moved waits.
async fn without_any_place() -> (Arc<dyn Broker>, Raw) {
    let raw = Raw::new(unique());
    for queue in ["dead", "retry.500"] {
        refuses(&raw, &format!("{}.{queue}", raw.queue)).await;
    }
    (Arc::new(on(&raw.queue).await), raw)
}

mod without_any_place {
    woody_core::broker_parking_contract!(
        #[ignore = "needs WOODY_TEST_AMQP_URL"]
        super::without_any_place
    );
}

async fn next(consumer: &mut Box<dyn Consumer>) -> Delivery {
    tokio::time::timeout(PATIENCE, consumer.next()).await.expect("it comes").unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs WOODY_TEST_AMQP_URL"]
async fn what_was_parked_is_buried_once_the_dead_letters_take_it() {
    let (broker, raw) = without_dead_letters().await;
    broker.publisher().send(&[Bytes::from_static(b"poison")]).await.unwrap();
    let mut consumer = broker.consumer(Prefetch::MIN).await.unwrap();
    let parked = next(&mut consumer).await.dead_letter("no order".into()).await;
    assert!(matches!(parked, Err(SettleError::Broker(_))), "{parked:?}");
    let (connection, channel) = raw.channel().await;
    raw.delete(&channel, &format!("{}.dead", raw.queue)).await;
    connection.close(200, "done".into()).await.unwrap();

    let again =
        async { while next(&mut consumer).await.dead_letter("no order".into()).await.is_err() {} };
    tokio::time::timeout(PATIENCE, again).await.expect("it is buried");
    let dead = broker.admin().dead_letters(10).await.unwrap();
    assert_eq!(dead.len(), 1);
    assert_eq!((dead[0].reason.as_str(), dead[0].attempts), ("no order", 1));
    broker.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs WOODY_TEST_AMQP_URL"]
async fn a_retry_queue_that_refuses_is_passed_over_for_the_next_one() {
    let raw = Raw::new(unique());
    refuses(&raw, &format!("{}.retry.250", raw.queue)).await;
    let broker = on(&raw.queue).await;
    broker.publisher().publish(&[OrderMessage::from(&toy("Train"))]).await.unwrap();
    let mut consumer = broker.consumer(Prefetch::MIN).await.unwrap();
    let delay = Duration::from_millis(200);
    next(&mut consumer).await.retry_after(delay, "again".into()).await.unwrap();
    let again = next(&mut consumer).await;
    assert_eq!(again.attempt(), 2);
    acknowledge(again).await.unwrap();
    broker.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs WOODY_TEST_AMQP_URL"]
async fn retries_that_no_queue_takes_come_again_uncounted_and_hold_nobody_up() {
    let raw = Raw::new(unique());
    for queue in ["retry.250", "retry.500"] {
        refuses(&raw, &format!("{}.{queue}", raw.queue)).await;
    }
    let broker = on(&raw.queue).await;
    let messages = [OrderMessage::from(&toy("Train")), OrderMessage::from(&toy("Boat"))];
    broker.publisher().publish(&messages).await.unwrap();
    let mut consumer = broker.consumer(Prefetch::MIN).await.unwrap();
    let first = next(&mut consumer).await;
    let retried = first.retry_after(Duration::ZERO, "again".into()).await;
    assert!(matches!(retried, Err(SettleError::Broker(_))), "{retried:?}");
    for message in [&messages[1], &messages[0]] {
        let delivery = next(&mut consumer).await;
        assert_eq!((delivery.body(), delivery.attempt()), (&message.to_bytes(), 1));
        acknowledge(delivery).await.unwrap();
    }
    broker.close().await;
}
