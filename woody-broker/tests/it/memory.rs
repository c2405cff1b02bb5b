use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use woody_broker::memory::MemoryBroker;
use woody_core::contract::toy;
use woody_core::domain::{ClientName, OrderMessage};
use woody_core::ports::{Broker, BrokerError, Prefetch};

async fn fresh() -> (Arc<dyn Broker>, ()) {
    (Arc::new(MemoryBroker::new()), ())
}

woody_core::broker_contract!(fresh);

async fn without_room_for_dead() -> (Arc<dyn Broker>, ()) {
    (Arc::new(MemoryBroker::new().with_room_for_dead(0)), ())
}

woody_core::broker_parking_contract!(without_room_for_dead);

#[tokio::test]
async fn a_full_queue_refuses_and_takes_again_once_there_is_room() {
    let broker = MemoryBroker::with_capacity(2);
    let publisher = broker.publisher();
    let body = Bytes::from_static(b"x");
    let three = [body.clone(), body.clone(), body.clone()];
    let refused = publisher.send(&three).await;
    assert!(matches!(refused, Err(BrokerError::Refused(_))), "{refused:?}");
    assert_eq!(broker.admin().depth().await.unwrap().ready, 0, "all or nothing");

    publisher.send(&three[..2]).await.unwrap();
    let mut consumer = broker.consumer(Prefetch::MIN).await.unwrap();
    let delivery = consumer.next().await.unwrap();
    assert!(publisher.send(&three[..1]).await.is_err(), "what is delivered is still stored");
    delivery.dead_letter("no".into()).await.unwrap();
    assert!(publisher.send(&three[..1]).await.is_err(), "what is dead is still stored");
    let dead = broker.admin().dead_letters(1).await.unwrap().remove(0);
    assert_eq!(broker.admin().purge(&[dead.id]).await.unwrap(), 1);
    publisher.send(&three[..1]).await.unwrap();
}

#[tokio::test]
async fn a_trace_and_a_client_stay_with_their_message_wherever_that_is_moved() {
    let broker = MemoryBroker::new();
    let trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01".parse().ok();
    assert!(trace.is_some());
    let client: Option<ClientName> = "acme".parse().ok();
    let message =
        OrderMessage { trace, client: client.clone(), ..OrderMessage::from(&toy("Train")) };
    broker.publisher().publish(&[message]).await.unwrap();
    let mut consumer = broker.consumer(Prefetch::MIN).await.unwrap();
    let first = consumer.next().await.unwrap();
    assert_eq!((first.trace(), first.client()), (trace, client.as_ref()));
    first.retry_after(Duration::ZERO, "later".into()).await.unwrap();
    let second = consumer.next().await.unwrap();
    assert_eq!((second.trace(), second.client()), (trace, client.as_ref()));
    second.dead_letter("no".into()).await.unwrap();
    let dead = broker.admin().dead_letters(1).await.unwrap().remove(0);
    assert_eq!(broker.admin().redrive(&[dead.id]).await.unwrap(), 1);
    let third = consumer.next().await.unwrap();
    assert_eq!((third.trace(), third.client()), (trace, client.as_ref()));
}

#[tokio::test(start_paused = true)]
async fn a_paused_clock_decides_when_a_retry_is_due() {
    let broker = MemoryBroker::new();
    broker.publisher().send(&[Bytes::from_static(b"x")]).await.unwrap();
    let mut consumer = broker.consumer(Prefetch::MIN).await.unwrap();
    let began = tokio::time::Instant::now();
    let hour = Duration::from_hours(1);
    consumer.next().await.unwrap().retry_after(hour, "later".into()).await.unwrap();
    assert_eq!(consumer.next().await.unwrap().attempt(), 2);
    assert!(began.elapsed() >= hour);
}

#[tokio::test]
async fn a_retry_after_all_time_is_no_panic() {
    let broker = MemoryBroker::new();
    broker.publisher().send(&[Bytes::from_static(b"x")]).await.unwrap();
    let mut consumer = broker.consumer(Prefetch::MIN).await.unwrap();
    consumer.next().await.unwrap().retry_after(Duration::MAX, "never".into()).await.unwrap();
    assert_eq!(broker.admin().depth().await.unwrap().delayed, 1);
}
