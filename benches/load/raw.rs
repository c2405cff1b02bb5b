//! What lapin and sqlx do with nothing of ours around them.

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
use sqlx::{Connection as _, PgConnection};
use uuid::Uuid;

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

/// Rows a second, 200 for each commit, over two connections.
pub async fn insert(postgres: &str, lasting: Duration) -> f64 {
    let mut connection = PgConnection::connect(postgres).await.unwrap();
    for statement in [
        "DROP TABLE IF EXISTS woody_load_raw",
        "CREATE TABLE woody_load_raw (id uuid PRIMARY KEY, product text NOT NULL, quantity int NOT NULL)",
    ] {
        sqlx::query(statement).execute(&mut connection).await.unwrap();
    }
    let started = Instant::now();
    let (one, two) = tokio::join!(
        tokio::spawn(insert_until(postgres.to_owned(), started + lasting)),
        tokio::spawn(insert_until(postgres.to_owned(), started + lasting)),
    );
    let rows = one.unwrap() + two.unwrap();
    let rate = rows as f64 / started.elapsed().as_secs_f64();
    sqlx::query("DROP TABLE woody_load_raw").execute(&mut connection).await.unwrap();
    rate
}

async fn insert_until(postgres: String, until: Instant) -> u64 {
    let mut connection = PgConnection::connect(&postgres).await.unwrap();
    let (products, quantities) = (vec!["Train"; 200], vec![1; 200]);
    let mut rows = 0;
    while Instant::now() < until {
        let ids: Vec<Uuid> = (0..200).map(|_| Uuid::now_v7()).collect();
        let done = sqlx::query(
            "INSERT INTO woody_load_raw SELECT * FROM UNNEST($1::uuid[], $2::text[], $3::int[])",
        )
        .bind(ids)
        .bind(&products)
        .bind(&quantities)
        .execute(&mut connection)
        .await
        .unwrap();
        rows += done.rows_affected();
    }
    rows
}
