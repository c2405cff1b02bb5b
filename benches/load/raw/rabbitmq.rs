//! What lapin does with nothing of ours around it.

use std::time::{Duration, Instant};

use futures::{StreamExt, stream::FuturesUnordered};
use lapin::{
    BasicProperties, Channel, Connection, ConnectionProperties,
    options::{
        BasicAckOptions, BasicConsumeOptions, BasicPublishOptions, BasicQosOptions,
        ConfirmSelectOptions, QueueDeclareOptions, QueuePurgeOptions,
    },
    types::FieldTable,
};

const QUEUE: &str = "woody_load_raw";
const BODY: &[u8] =
    br#"{"order_id":"0199c5a2-7b1e-7c3a-9f00-0123456789ab","product":"Train","quantity":1}"#;
const IN_FLIGHT: usize = 1_024;
const CONSUMED: u64 = 50_000;

/// Confirmed, persistent publishes a second.
pub async fn publish(amqp: &str, lasting: Duration) -> f64 {
    let channel = open(amqp).await;
    channel.queue_purge(QUEUE.into(), QueuePurgeOptions::default()).await.unwrap();
    let started = Instant::now();
    let published = publish_while(&channel, |_| started.elapsed() < lasting).await;
    published as f64 / started.elapsed().as_secs_f64()
}

/// Consumed and acknowledged messages a second.
pub async fn consume(amqp: &str) -> f64 {
    let channel = open(amqp).await;
    channel.queue_purge(QUEUE.into(), QueuePurgeOptions::default()).await.unwrap();
    publish_while(&channel, |published| published < CONSUMED).await;
    channel.basic_qos(100, BasicQosOptions::default()).await.unwrap();
    let started = Instant::now();
    let mut deliveries = channel
        .basic_consume(
            QUEUE.into(),
            "".into(),
            BasicConsumeOptions::default(),
            FieldTable::default(),
        )
        .await
        .unwrap();
    for _ in 0..CONSUMED {
        deliveries.next().await.unwrap().unwrap().ack(BasicAckOptions::default()).await.unwrap();
    }
    CONSUMED as f64 / started.elapsed().as_secs_f64()
}

async fn open(amqp: &str) -> Channel {
    let connection = Connection::connect(amqp, ConnectionProperties::default()).await.unwrap();
    let channel = connection.create_channel().await.unwrap();
    channel.confirm_select(ConfirmSelectOptions::default()).await.unwrap();
    let durable = QueueDeclareOptions { durable: true, ..QueueDeclareOptions::default() };
    channel.queue_declare(QUEUE.into(), durable, FieldTable::default()).await.unwrap();
    // The channel keeps the connection alive.
    channel
}

async fn publish_while(channel: &Channel, go_on: impl Fn(u64) -> bool) -> u64 {
    let mut confirms = FuturesUnordered::new();
    let mut published = 0;
    while go_on(published) {
        let properties = BasicProperties::default().with_delivery_mode(2);
        let confirm = channel
            .basic_publish(
                "".into(),
                QUEUE.into(),
                BasicPublishOptions::default(),
                BODY,
                properties,
            )
            .await
            .unwrap();
        confirms.push(confirm);
        published += 1;
        if confirms.len() >= IN_FLIGHT {
            assert!(confirms.next().await.unwrap().unwrap().is_ack());
        }
    }
    while let Some(confirm) = confirms.next().await {
        assert!(confirm.unwrap().is_ack());
    }
    published
}
