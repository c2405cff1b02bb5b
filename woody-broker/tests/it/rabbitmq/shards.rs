//! Orders that are spread over several queues.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use bytes::Bytes;
use lapin::options::BasicGetOptions;
use woody_broker::rabbitmq::{RabbitMqBroker, RabbitMqOptions};
use woody_core::{
    contract::{broker::acknowledge, toy},
    domain::{ClientName, OrderMessage},
    ports::{Broker, Consumer, ConsumerState, Prefetch},
};

use super::{
    Raw,
    own::{consuming, eventually, next, within},
    parking::refuses,
    unique, url,
};

/// A broker of so many queues that looks often.
async fn of(queue: &str, shards: u16) -> RabbitMqBroker {
    let options = RabbitMqOptions::for_queue(queue)
        .shards(shards)
        .look_every(Duration::from_millis(100))
        .turn(Duration::from_millis(20));
    RabbitMqBroker::connect(&url(), options).await.unwrap()
}

async fn fresh() -> (Arc<dyn Broker>, Raw) {
    let queue = unique();
    (Arc::new(of(&queue, 4).await), Raw::new(queue))
}

woody_core::broker_contract_without_order!(
    #[ignore = "needs WOODY_TEST_AMQP_URL"]
    fresh
);

fn messages(count: usize) -> Vec<OrderMessage> {
    (0..count).map(|_| OrderMessage::from(&toy("Train"))).collect()
}

/// Publishes one message after the other.
async fn publish(broker: &RabbitMqBroker, count: usize) -> BTreeSet<Bytes> {
    let messages = messages(count);
    for message in &messages {
        let publisher = broker.publisher();
        within(publisher.publish(std::slice::from_ref(message))).await.unwrap();
    }
    messages.iter().map(OrderMessage::to_bytes).collect()
}

/// Takes and acknowledges so many messages.
async fn take(consumer: &mut Box<dyn Consumer>, count: usize) -> BTreeSet<Bytes> {
    let mut taken = BTreeSet::new();
    for _ in 0..count {
        let delivery = next(consumer).await;
        assert!(taken.insert(delivery.body().clone()), "a message came twice");
        acknowledge(delivery).await.unwrap();
    }
    taken
}

/// How many messages wait in a queue; `None` when it is not there.
async fn fill(raw: &Raw, number: u16) -> Option<u32> {
    let (connection, channel) = raw.channel().await;
    let name = if number == 0 { raw.queue.clone() } else { format!("{}.{number}", raw.queue) };
    let of = Raw::new(name);
    let fill = of.declare_passively(&channel).await.ok().map(|queue| queue.message_count());
    std::mem::forget(of);
    let _ = connection.close(200, "done".into()).await;
    fill
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs WOODY_TEST_AMQP_URL"]
async fn orders_are_spread_over_the_queues_and_come_from_all_of_them() {
    let raw = Raw::new(unique());
    let broker = of(&raw.queue, 4).await;
    let mut sent = publish(&broker, 8).await;
    let batch = messages(400);
    within(broker.publisher().publish(&batch)).await.unwrap();
    sent.extend(batch.iter().map(OrderMessage::to_bytes));
    for number in 0..4 {
        eventually("2 and 100 messages", async || fill(&raw, number).await == Some(102)).await;
    }
    assert_eq!(broker.admin().depth().await.unwrap().ready, 408);
    assert_eq!(broker.admin().waiting().await.unwrap().messages, 408);
    let mut consumer = consuming(&broker, 7).await;
    assert_eq!(take(&mut consumer, 408).await, sent);
    broker.close().await;
}

/// It does not wait behind all that another client has placed before.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs WOODY_TEST_AMQP_URL"]
async fn an_order_of_one_client_passes_the_many_of_another() {
    let raw = Raw::new(unique());
    let broker = of(&raw.queue, 4).await;
    let placed_by = |name: &str, count| {
        let client: ClientName = name.parse().unwrap();
        let of = |message| OrderMessage { client: Some(client.clone()), ..message };
        messages(count).into_iter().map(of).collect::<Vec<_>>()
    };
    within(broker.publisher().publish(&placed_by("acme", 200))).await.unwrap();
    let home = async |of: u32| {
        for number in 0..4 {
            if fill(&raw, number).await == Some(of) {
                return number;
            }
        }
        4
    };
    eventually("200 in one queue", async || home(200).await < 4).await;
    // One of them lives elsewhere.
    let others = ["globex", "initech", "umbrella", "hooli", "wonka", "stark"];
    let other = others.iter().map(|name| placed_by(name, 1).remove(0)).collect::<Vec<_>>();
    within(broker.publisher().publish(&other)).await.unwrap();
    eventually("all there", async || broker.admin().depth().await.unwrap().ready == 206).await;
    let mut consumer = consuming(&broker, 4).await;
    let mut passed = 0;
    for _ in 0..40 {
        let delivery = next(&mut consumer).await;
        passed += usize::from(delivery.client().is_some_and(|client| client.as_str() != "acme"));
        acknowledge(delivery).await.unwrap();
    }
    assert!(passed >= 3, "{passed} of the others were among the first forty");
    broker.close().await;
}

/// Whoever publishes to four queues may be the first to do so.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs WOODY_TEST_AMQP_URL"]
async fn a_worker_and_an_operator_that_know_one_queue_find_the_others() {
    let raw = Raw::new(unique());
    let (old, new) = (of(&raw.queue, 1).await, of(&raw.queue, 4).await);
    let mut consumer = consuming(&old, 2).await;
    let operator = of(&raw.queue, 1).await;
    assert_eq!(operator.admin().depth().await.unwrap().ready, 0);

    let sent = publish(&new, 8).await;
    let unsettled = async || operator.admin().depth().await.unwrap().ready;
    assert!(unsettled().await >= 6, "the worker holds two at most");
    assert_eq!(take(&mut consumer, 8).await, sent);
    let redriven = messages(1);
    new.admin().resend(&[redriven[0].to_bytes()]).await.unwrap();
    assert!(next(&mut consumer).await.redriven());
    for broker in [old, new, operator] {
        broker.close().await;
    }
}

/// The broker logs each question for a queue that is missing.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs WOODY_TEST_AMQP_URL"]
async fn who_watches_does_not_ask_each_time_whether_there_is_another_queue() {
    let raw = Raw::new(unique());
    let (one, three) = (of(&raw.queue, 1).await, of(&raw.queue, 3).await);
    let admin = one.admin();
    assert_eq!(admin.glance().await.unwrap().ready, 0);
    publish(&three, 6).await;
    eventually("its own queue's", async || admin.glance().await.unwrap().ready == 2).await;
    // Who must not take it for lost does.
    assert_eq!(admin.depth().await.unwrap().ready, 6);
    assert_eq!(admin.glance().await.unwrap().ready, 6);
    one.close().await;
    three.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs WOODY_TEST_AMQP_URL"]
async fn a_worker_of_two_queues_empties_four_and_an_emptied_one_may_be_deleted() {
    let raw = Raw::new(unique());
    let (four, two) = (of(&raw.queue, 4).await, of(&raw.queue, 2).await);
    let mut sent = publish(&four, 40).await;
    four.close().await;
    let mut consumer = consuming(&two, 3).await;
    sent.extend(publish(&two, 10).await);
    assert_eq!(take(&mut consumer, 50).await, sent);
    assert_eq!(two.admin().depth().await.unwrap().ready, 0);

    let (_connection, channel) = raw.channel().await;
    for number in [3, 2] {
        raw.delete(&channel, &format!("{}.{number}", raw.queue)).await;
    }
    let sent = publish(&two, 10).await;
    assert_eq!(take(&mut consumer, 10).await, sent);
    let depth = two.admin().depth().await.unwrap();
    assert_eq!(depth.ready, 0);
    for number in [2, 3] {
        assert_eq!(fill(&raw, number).await, None, "nobody makes it again");
    }
    two.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs WOODY_TEST_AMQP_URL"]
async fn with_the_others_gone_the_plain_queue_has_the_whole_prefetch_again() {
    let raw = Raw::new(unique());
    let (three, one) = (of(&raw.queue, 3).await, of(&raw.queue, 1).await);
    let sent = publish(&three, 6).await;
    let mut consumer = consuming(&one, 3).await;
    assert_eq!(take(&mut consumer, 6).await, sent);
    three.close().await;
    let (_connection, channel) = raw.channel().await;
    for number in [2, 1] {
        raw.delete(&channel, &format!("{}.{number}", raw.queue)).await;
    }
    let admin = one.admin();
    eventually("workers to be counted again", async || {
        admin.depth().await.unwrap().consumers == Some(1)
    })
    .await;
    publish(&one, 4).await;
    let held = [next(&mut consumer).await, next(&mut consumer).await, next(&mut consumer).await];
    eventually("one to wait", async || admin.waiting().await.unwrap().messages == 1).await;
    drop(held);
    one.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs WOODY_TEST_AMQP_URL"]
async fn a_queue_that_takes_nothing_is_passed_over_and_a_deleted_one_comes_back() {
    let raw = Raw::new(unique());
    refuses(&raw, &format!("{}.1", raw.queue)).await;
    let broker = of(&raw.queue, 3).await;
    let sent = publish(&broker, 12).await;
    let mut consumer = consuming(&broker, 3).await;
    assert_eq!(take(&mut consumer, 12).await, sent);
    assert_eq!(fill(&raw, 1).await, Some(0));

    let (_connection, channel) = raw.channel().await;
    raw.delete(&channel, &format!("{}.2", raw.queue)).await;
    let sent = publish(&broker, 12).await;
    assert_eq!(take(&mut consumer, 12).await, sent);
    assert_eq!(*consumer.state().borrow(), ConsumerState::Consuming);
    broker.close().await;
}

/// What the places of quiet queues are for.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs WOODY_TEST_AMQP_URL"]
async fn a_worker_holds_its_whole_prefetch_of_one_queue_and_never_more_of_all() {
    let raw = Raw::new(unique());
    let broker = of(&raw.queue, 4).await;
    let mut consumer = consuming(&broker, 4).await;
    let one = of(&raw.queue, 1).await;
    publish(&one, 9).await;
    let mut held = Vec::new();
    for _ in 0..4 {
        held.push(next(&mut consumer).await);
    }
    // Now there are messages in all queues, and no place is free.
    publish(&broker, 8).await;
    let admin = one.admin();
    eventually("all but four", async || admin.depth().await.unwrap().ready == 13).await;
    let mut other = one.consumer(Prefetch::new(20).unwrap()).await.unwrap();
    for _ in 0..13 {
        held.push(next(&mut other).await);
    }
    let bodies: BTreeSet<_> = held.iter().map(|delivery| delivery.body().clone()).collect();
    assert_eq!(bodies.len(), 17);
    for delivery in held {
        acknowledge(delivery).await.unwrap();
    }
    one.close().await;
    broker.close().await;
}

/// The reference's own clients know one queue.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs WOODY_TEST_AMQP_URL"]
async fn a_foreign_client_declares_and_uses_the_plain_queue_as_ever() {
    let raw = Raw::new(unique());
    let broker = of(&raw.queue, 2).await;
    let mut consumer = consuming(&broker, 1).await;
    let (connection, channel) = raw.channel().await;
    raw.declare(&channel).await.unwrap();
    for body in [b"one", b"two"] {
        raw.publish(&channel, &raw.queue, body).await;
        let delivery = next(&mut consumer).await;
        assert_eq!(delivery.body().as_ref(), body);
        delivery.dead_letter("read".into()).await.unwrap();
    }
    within(consumer.stop()).await;
    let sent = publish(&broker, 2).await;
    let get = channel.basic_get(raw.queue.as_str().into(), BasicGetOptions::default());
    let got = get.await.unwrap().expect("its part of the orders");
    assert!(sent.contains(got.data.as_slice()));
    broker.close().await;
    connection.close(200, "done".into()).await.unwrap();
}

#[tokio::test]
async fn more_queues_than_sixteen_or_none_are_refused() {
    for shards in [0, 17] {
        let options = RabbitMqOptions::default().shards(shards);
        let refused = RabbitMqBroker::connect("amqp://localhost", options).await.unwrap_err();
        assert!(refused.to_string().contains("refuse") && !refused.is_transient(), "{refused:?}");
    }
}
