use std::{collections::BTreeSet, sync::Arc};

use bytes::Bytes;
use futures::future::join_all;

use super::steps::{
    ack, assert_nothing_else_comes, consumer, messages, next, poison, publish, send, sorted, take,
    within,
};
use crate::{domain::OrderMessage, ports::Broker};

/// What is published comes out in the order it went in, byte for byte.
pub async fn what_is_published_comes_out_in_order_byte_for_byte(broker: Arc<dyn Broker>) {
    let sent: Vec<Bytes> = messages(20).iter().map(OrderMessage::to_bytes).collect();
    for body in &sent[..10] {
        send(&*broker, std::slice::from_ref(body)).await;
    }
    let mut consumer = consumer(&*broker, 1).await;
    for body in &sent[10..] {
        send(&*broker, std::slice::from_ref(body)).await;
    }
    for body in &sent {
        let delivery = next(&mut consumer).await;
        assert_eq!(delivery.body(), body);
        assert_eq!(delivery.attempt(), 1);
        assert!(!delivery.redriven());
        ack(delivery).await;
    }
}

/// Every message of a batch comes, and comes once.
pub async fn a_batch_comes_whole(broker: Arc<dyn Broker>) {
    let batch = messages(300);
    publish(&*broker, &batch).await;
    let mut consumer = consumer(&*broker, 300).await;
    let deliveries = take(&mut consumer, 300).await;
    let sent: Vec<Bytes> = batch.iter().map(OrderMessage::to_bytes).collect();
    assert_eq!(sorted(deliveries.iter().map(crate::ports::Delivery::body)), sorted(&sent));
    join_all(deliveries.into_iter().map(ack)).await;
    assert_nothing_else_comes(&*broker, &mut consumer).await;
}

/// A batch of nothing is published, and nothing comes.
pub async fn an_empty_batch_is_fine(broker: Arc<dyn Broker>) {
    publish(&*broker, &[]).await;
    send(&*broker, &[]).await;
    let mut consumer = consumer(&*broker, 1).await;
    assert_nothing_else_comes(&*broker, &mut consumer).await;
}

/// Bytes that are no order message are carried like any other.
pub async fn poison_bytes_go_through_unread(broker: Arc<dyn Broker>) {
    let bodies = poison();
    send(&*broker, &bodies).await;
    let mut consumer = consumer(&*broker, 10).await;
    let deliveries = take(&mut consumer, bodies.len()).await;
    assert_eq!(sorted(deliveries.iter().map(crate::ports::Delivery::body)), sorted(&bodies));
}

/// Whatever publishers do at once, each message comes once.
pub async fn concurrent_publishers_lose_nothing(broker: Arc<dyn Broker>) {
    const TASKS: usize = 8;
    const BATCHES: usize = 10;
    const BATCH: usize = 3;

    let publishing = join_all((0..TASKS).map(|_| {
        let publisher = broker.publisher();
        tokio::spawn(async move {
            let mut sent = BTreeSet::new();
            for _ in 0..BATCHES {
                let batch = messages(BATCH);
                publisher.publish(&batch).await.expect("a publish succeeds");
                sent.extend(batch.iter().map(|message| message.order_id));
            }
            sent
        })
    }));
    let consuming = async {
        let mut consumer = consumer(&*broker, 50).await;
        let mut received = BTreeSet::new();
        while received.len() < TASKS * BATCHES * BATCH {
            let delivery = next(&mut consumer).await;
            let message = OrderMessage::parse(delivery.body()).expect("an order message");
            assert!(received.insert(message.order_id), "{message:?} came twice");
            ack(delivery).await;
        }
        assert_nothing_else_comes(&*broker, &mut consumer).await;
        received
    };
    let (sent, received) =
        within("all messages", futures::future::join(publishing, consuming)).await;
    let sent: BTreeSet<_> = sent.into_iter().flat_map(|ids| ids.expect("no task panics")).collect();
    assert_eq!(received, sent);
}

/// A publisher whose broker is there says so.
pub async fn a_ready_publisher_answers_a_ping(broker: Arc<dyn Broker>) {
    let publisher = broker.publisher();
    let answered = async {
        // A broker that connects in the background may need a moment.
        while publisher.ping().await.is_err() {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    };
    within("a ping", answered).await;
}
