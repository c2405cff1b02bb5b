//! What RabbitMQ has besides the contract.

use std::time::{Duration, Instant};

use bytes::Bytes;
use lapin::options::BasicGetOptions;
use lapin::types::{AMQPValue, FieldTable};
use woody_broker::rabbitmq::{RabbitMqBroker, RabbitMqOptions};
use woody_core::{
    contract::{broker::PATIENCE, toy},
    domain::{ClientName, OrderMessage, TraceContext},
    ports::{Broker, BrokerError, Consumer, ConsumerState, Delivery, Prefetch},
};

use super::{on, raw::Raw, unique};

pub(super) async fn within<F: Future>(future: F) -> F::Output {
    tokio::time::timeout(PATIENCE, future).await.expect("it happens in time")
}

pub(super) async fn consuming(broker: &RabbitMqBroker, prefetch: u16) -> Box<dyn Consumer> {
    let consumer = broker.consumer(Prefetch::new(prefetch).unwrap()).await.unwrap();
    becomes(&*consumer, ConsumerState::Consuming).await;
    consumer
}

async fn becomes(consumer: &dyn Consumer, state: ConsumerState) {
    within(consumer.state().wait_for(|now| *now == state)).await.unwrap();
}

/// Given up half-way, a subscription would go on taking messages that nobody reads.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs WOODY_TEST_AMQP_URL"]
async fn a_consumer_that_stops_while_it_subscribes_leaves_nothing_behind() {
    let raw = Raw::new(unique());
    let broker = on(&raw.queue).await;
    let publisher = broker.publisher();
    within(publisher.ping()).await.unwrap();
    // To subscribe takes a few exchanges with the broker, and so do these.
    for exchanges in (0..12).cycle().take(60) {
        let mut early = broker.consumer(Prefetch::MIN).await.unwrap();
        for _ in 0..exchanges {
            within(publisher.ping()).await.unwrap();
        }
        within(early.stop()).await;
    }
    let admin = broker.admin();
    eventually("no subscription", async || admin.depth().await.unwrap().consumers == Some(0)).await;
    broker.close().await;
}

pub(super) async fn next(consumer: &mut Box<dyn Consumer>) -> Delivery {
    within(consumer.next()).await.unwrap()
}

pub(super) async fn eventually(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    let until = Instant::now() + PATIENCE;
    while !holds().await {
        assert!(Instant::now() < until, "waited {PATIENCE:?} for {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs WOODY_TEST_AMQP_URL"]
async fn a_foreign_client_and_ours_share_a_queue_whoever_declares_it_first() {
    for theirs_first in [true, false] {
        let foreign = Raw::new(unique());
        let (connection, channel) = foreign.channel().await;
        if theirs_first {
            foreign.declare(&channel).await.unwrap();
        }
        let broker = on(&foreign.queue).await;
        let mut consumer = consuming(&broker, 1).await;
        foreign.declare(&channel).await.unwrap();

        foreign.publish(&channel, &foreign.queue, b"from them").await;
        let delivery = next(&mut consumer).await;
        assert_eq!(delivery.body().as_ref(), b"from them");
        assert_eq!((delivery.attempt(), delivery.redriven()), (1, false));
        within(consumer.stop()).await;
        delivery.dead_letter("read".into()).await.unwrap();

        broker.publisher().send(&[Bytes::from_static(b"from us")]).await.unwrap();
        let get = channel.basic_get(foreign.queue.as_str().into(), BasicGetOptions::default());
        let message = get.await.unwrap().unwrap();
        assert_eq!(message.data, b"from us");
        assert_eq!(message.properties.delivery_mode(), &Some(2), "it is persistent");
        let kind = message.properties.content_type().as_ref().unwrap();
        assert_eq!(kind.as_str(), "application/json");
        broker.close().await;
        connection.close(200, "done".into()).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs WOODY_TEST_AMQP_URL"]
async fn a_queue_that_an_operator_declared_otherwise_is_used_as_it_is() {
    let foreign = Raw::new(unique());
    let (_connection, channel) = foreign.channel().await;
    let mut arguments = FieldTable::default();
    arguments.insert("x-max-length".into(), AMQPValue::LongInt(1_000));
    foreign.declare_with(&channel, arguments).await.unwrap();

    let broker = on(&foreign.queue).await;
    broker.publisher().send(&[Bytes::from_static(b"one")]).await.unwrap();
    broker.publisher().ping().await.unwrap();
    let mut consumer = consuming(&broker, 1).await;
    assert_eq!(next(&mut consumer).await.body().as_ref(), b"one");
    broker.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs WOODY_TEST_AMQP_URL"]
async fn a_queue_that_is_deleted_comes_back_with_its_consumer_and_takes_messages_at_once() {
    let foreign = Raw::new(unique());
    let (_connection, channel) = foreign.channel().await;
    let broker = on(&foreign.queue).await;
    let publisher = broker.publisher();

    // With no consumer, it is the publisher that finds out.
    publisher.send(&[Bytes::from_static(b"lost with the queue")]).await.unwrap();
    foreign.delete(&channel, &foreign.queue).await;
    publisher.send(&[Bytes::from_static(b"one")]).await.unwrap();
    let mut consumer = consuming(&broker, 1).await;
    let held = next(&mut consumer).await;
    assert_eq!(held.body().as_ref(), b"one");

    let mut state = consumer.state();
    state.mark_unchanged();
    foreign.delete(&channel, &foreign.queue).await;
    within(state.wait_for(|now| *now == ConsumerState::Recovering)).await.unwrap();
    becomes(&*consumer, ConsumerState::Consuming).await;
    publisher.send(&[Bytes::from_static(b"two")]).await.unwrap();
    assert_eq!(next(&mut consumer).await.body().as_ref(), b"two");
    drop(held);
    broker.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs WOODY_TEST_AMQP_URL"]
async fn a_prefetch_of_one_holds_one_message_even_while_nobody_asks() {
    let foreign = Raw::new(unique());
    let broker = on(&foreign.queue).await;
    let bodies: Vec<Bytes> = (0..5_u8).map(|n| vec![n].into()).collect();
    broker.publisher().send(&bodies).await.unwrap();
    let mut consumer = consuming(&broker, 1).await;
    let admin = broker.admin();
    eventually("one to be held", async || admin.depth().await.unwrap().ready == 4).await;
    let _held = next(&mut consumer).await;
    let (_connection, channel) = foreign.channel().await;
    let queue = foreign.declare(&channel).await.unwrap();
    assert_eq!((queue.message_count(), queue.consumer_count()), (4, 1));
    broker.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs WOODY_TEST_AMQP_URL"]
async fn a_batch_of_thousands_arrives_whole() {
    let foreign = Raw::new(unique());
    let broker = on(&foreign.queue).await;
    let bodies: Vec<Bytes> = (0..5_000_u32).map(|n| n.to_be_bytes().to_vec().into()).collect();
    within(broker.publisher().send(&bodies)).await.unwrap();
    let admin = broker.admin();
    eventually("all of them", async || admin.depth().await.unwrap().ready == 5_000).await;
    broker.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs WOODY_TEST_AMQP_URL"]
async fn a_send_whose_caller_gave_up_does_not_disturb_the_next() {
    let foreign = Raw::new(unique());
    let broker = on(&foreign.queue).await;
    let publisher = broker.publisher();
    let bodies = vec![Bytes::from_static(b"x"); 500];
    publisher.send(&bodies).await.unwrap();
    for micros in (0..60).map(|n| n * 50) {
        let given_up = tokio::time::timeout(Duration::from_micros(micros), publisher.send(&bodies));
        let _ = given_up.await;
        within(publisher.send(&bodies[..10])).await.unwrap();
    }
    broker.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs WOODY_TEST_AMQP_URL"]
async fn dead_letters_that_others_put_there_are_told_apart() {
    let foreign = Raw::new(unique());
    let broker = on(&foreign.queue).await;
    let _consumer = consuming(&broker, 1).await;
    let (_connection, channel) = foreign.channel().await;
    let dead = format!("{}.dead", foreign.queue);
    for body in [b"same", b"same", b"else"] {
        foreign.publish(&channel, &dead, body).await;
    }
    let admin = broker.admin();
    eventually("three dead letters", async || admin.depth().await.unwrap().dead == 3).await;
    let letters = admin.dead_letters(10).await.unwrap();
    assert_eq!(letters.len(), 3);
    assert_ne!(letters[0].id, letters[1].id);
    assert_eq!((letters[0].died_at, letters[0].attempts), (None, 0));
    assert_eq!(letters[0].reason.as_str(), "put here by another program");

    assert_eq!(admin.purge(&[letters[1].id.clone()]).await.unwrap(), 1);
    let left = admin.dead_letters(10).await.unwrap();
    assert_eq!(left, [letters[0].clone(), letters[2].clone()]);
    assert_eq!(admin.redrive(&[letters[2].id.clone()]).await.unwrap(), 1);
    assert_eq!(admin.dead_letters(10).await.unwrap(), letters[..1]);
    broker.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs WOODY_TEST_AMQP_URL"]
async fn a_look_at_the_depth_creates_nothing() {
    let foreign = Raw::new(unique());
    let broker = on(&foreign.queue).await;
    let depth = broker.admin().depth().await.unwrap();
    assert_eq!((depth.ready, depth.delayed, depth.dead, depth.consumers), (0, 0, 0, Some(0)));
    assert_eq!(broker.admin().dead_letters(5).await.unwrap(), []);
    let (_connection, channel) = foreign.channel().await;
    assert!(foreign.declare_passively(&channel).await.is_err(), "there is no such queue");
    broker.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_broker_that_is_away_is_no_error_until_something_is_asked_of_it() {
    // Bound and not listening: no other process takes it, and it is silent.
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let at = socket.local_addr().unwrap();
    let url = format!("amqp://woody:hunter2@{at}/%2f");
    let options = RabbitMqOptions::for_queue("away");
    let broker = RabbitMqBroker::connect(&url, options).await.unwrap();

    let began = Instant::now();
    let refused = broker.publisher().send(&[Bytes::from_static(b"x")]).await.unwrap_err();
    assert!(refused.is_transient() && began.elapsed() < Duration::from_secs(2), "{refused:?}");
    for error in [
        broker.publisher().ping().await.unwrap_err(),
        broker.admin().depth().await.unwrap_err(),
        broker.admin().dead_letters(1).await.unwrap_err(),
        broker.events().announce(&[]).await.err().unwrap_or(BrokerError::Closed),
    ] {
        assert!(!format!("{error:?}").contains("hunter2"));
    }
    assert!(broker.events().subscribe().await.is_err());
    let mut consumer = broker.consumer(Prefetch::MIN).await.unwrap();
    assert_eq!(*consumer.state().borrow(), ConsumerState::Recovering);
    within(consumer.stop()).await;
    assert_eq!(*consumer.state().borrow(), ConsumerState::Stopped);
    assert!(!format!("{broker:?}").contains("hunter2"));
    within(broker.close()).await;
    assert!(matches!(broker.publisher().ping().await, Err(BrokerError::Closed)));
}

#[tokio::test]
async fn a_malformed_url_or_queue_is_an_error() {
    for (url, queue) in [("amqp:hunter2", "q"), ("http://a:hunter2@b", "q"), ("amqp://b", "")] {
        let error = RabbitMqBroker::connect(url, RabbitMqOptions::for_queue(queue)).await;
        let error = error.expect_err(url);
        assert!(!error.is_transient(), "{error:?}");
        assert!(!format!("{error:?} {error}").contains("hunter2"), "{error:?}");
    }
}

/// In a header of the name that programs of others look for, and read from one.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs WOODY_TEST_AMQP_URL"]
async fn a_trace_and_a_client_go_in_the_headers_of_their_message() {
    let foreign = Raw::new(unique());
    let (connection, channel) = foreign.channel().await;
    let broker = on(&foreign.queue).await;
    let text = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let trace = text.parse().ok();
    let acme: ClientName = "acme".parse().unwrap();
    let message = |trace: Option<TraceContext>| OrderMessage {
        trace,
        client: trace.map(|_| acme.clone()),
        ..OrderMessage::from(&toy("Train"))
    };
    broker.publisher().publish(&[message(trace), message(None)]).await.unwrap();
    let queue = foreign.queue.clone();
    let got = channel.basic_get(queue.into(), BasicGetOptions::default()).await.unwrap().unwrap();
    let headers = got.properties.headers().as_ref().unwrap();
    let header = headers.inner().get("traceparent");
    assert_eq!(header, Some(&AMQPValue::LongString(text.into())));
    let header = headers.inner().get("x-woody-client");
    assert_eq!(header, Some(&AMQPValue::LongString("acme".into())));
    got.nack(lapin::options::BasicNackOptions { requeue: true, ..Default::default() })
        .await
        .unwrap();

    let mut consumer = consuming(&broker, 1).await;
    let first = next(&mut consumer).await;
    assert_eq!((first.trace(), first.client()), (trace, Some(&acme)));
    first.retry_after(Duration::from_millis(1), "later".into()).await.unwrap();
    let (mut traced, mut others) = (0, 0);
    for _ in 0..2 {
        let delivery = next(&mut consumer).await;
        match delivery.trace() {
            None => others += 1,
            kept => {
                assert_eq!((kept, delivery.attempt()), (trace, 2));
                assert_eq!(delivery.client(), Some(&acme));
                traced += 1;
            }
        }
        delivery.dead_letter("read".into()).await.unwrap();
    }
    assert_eq!((traced, others), (1, 1));
    within(consumer.stop()).await;
    within(broker.close()).await;
    connection.close(200, "bye".into()).await.unwrap();
}
