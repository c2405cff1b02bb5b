//! The broker as a foreign client sees it.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use futures::StreamExt;
use lapin::{
    BasicProperties, Channel, Connection, ConnectionProperties, ExchangeKind,
    options::{
        BasicConsumeOptions, BasicPublishOptions, ConfirmSelectOptions, ExchangeDeclareOptions,
        QueueBindOptions, QueueDeclareOptions, QueueDeleteOptions,
    },
    types::{AMQPValue, FieldTable},
};
use testkit::waiting::PATIENCE;
use tokio::{sync::oneshot, task::JoinHandle, time::timeout};
use uuid::Uuid;

use crate::orders::Orders;

pub const QUEUE: &str = "order_processing";

/// A channel of our own on the queue of orders.
pub struct Raw {
    _connection: Connection,
    channel: Channel,
}

impl Raw {
    pub async fn connect(url: &str) -> Self {
        let connect = Connection::connect(url, ConnectionProperties::default());
        let connection = timeout(PATIENCE, connect).await.unwrap().unwrap();
        let channel = connection.create_channel().await.unwrap();
        let options = QueueDeclareOptions { durable: true, ..QueueDeclareOptions::default() };
        channel.queue_declare(QUEUE.into(), options, FieldTable::default()).await.unwrap();
        channel.confirm_select(ConfirmSelectOptions::default()).await.unwrap();
        Self { _connection: connection, channel }
    }

    /// Publishes messages, and waits until the broker has them all.
    pub async fn publish(&self, bodies: impl IntoIterator<Item = Vec<u8>>) {
        let mut confirms = Vec::new();
        for body in bodies {
            let properties = BasicProperties::default().with_delivery_mode(2);
            let options = BasicPublishOptions::default();
            let publish =
                self.channel.basic_publish("".into(), QUEUE.into(), options, &body, properties);
            confirms.push(publish.await.unwrap());
        }
        for confirm in confirms {
            assert!(timeout(PATIENCE, confirm).await.unwrap().unwrap().is_ack());
        }
    }

    /// How many messages are ready in a queue.
    pub async fn ready(&self, queue: &str) -> u32 {
        let options = QueueDeclareOptions { passive: true, ..QueueDeclareOptions::default() };
        let look = self.channel.queue_declare(queue.into(), options, FieldTable::default());
        timeout(PATIENCE, look).await.unwrap().unwrap().message_count()
    }

    pub async fn delete_queue(&self) {
        let options = QueueDeleteOptions::default();
        self.channel.queue_delete(QUEUE.into(), options).await.unwrap();
    }
}

/// The message of an order, as the reference text writes it.
pub fn message(id: Uuid, product: &str) -> Vec<u8> {
    Orders::Toys.message(id, product)
}

type Seen = Arc<Mutex<HashMap<Uuid, Vec<String>>>>;

/// Listens to what workers announce, and counts. While the broker is unavailable it
/// hears nothing; it is there again soon after.
pub struct Events {
    seen: Seen,
    listening: JoinHandle<()>,
}

impl Events {
    pub async fn listen(url: &str) -> Self {
        let seen = Seen::default();
        let (begun, beginning) = oneshot::channel();
        let (url, noted) = (url.to_owned(), Arc::clone(&seen));
        let listening = tokio::spawn(async move {
            let mut begun = Some(begun);
            loop {
                let _ = hear(&url, &noted, &mut begun).await;
                tokio::time::sleep(Duration::from_millis(200)).await;
            }
        });
        timeout(PATIENCE, beginning).await.unwrap().unwrap();
        Self { seen, listening }
    }

    /// The statuses that were announced of an order.
    pub fn of(&self, id: Uuid) -> Vec<String> {
        self.seen.lock().unwrap().get(&id).cloned().unwrap_or_default()
    }

    /// How many were announced of these orders, and which had more than one.
    pub fn count(&self, ids: impl IntoIterator<Item = Uuid>) -> (usize, Vec<Uuid>) {
        let seen = self.seen.lock().unwrap();
        let told = ids.into_iter().map(|id| (id, seen.get(&id).map_or(0, Vec::len)));
        let told: Vec<_> = told.filter(|(_, times)| *times > 0).collect();
        (told.len(), told.into_iter().filter(|(_, times)| *times > 1).map(|(id, _)| id).collect())
    }
}

impl Drop for Events {
    fn drop(&mut self) {
        self.listening.abort();
    }
}

async fn hear(
    url: &str,
    seen: &Seen,
    begun: &mut Option<oneshot::Sender<()>>,
) -> Result<(), lapin::Error> {
    let connection = Connection::connect(url, ConnectionProperties::default()).await?;
    let channel = connection.create_channel().await?;
    let events = format!("{QUEUE}.events");
    let options = ExchangeDeclareOptions { durable: true, ..ExchangeDeclareOptions::default() };
    let nothing = FieldTable::default();
    channel
        .exchange_declare(events.as_str().into(), ExchangeKind::Fanout, options, nothing.clone())
        .await?;
    let mut arguments = FieldTable::default();
    arguments.insert("x-queue-type".into(), AMQPValue::LongString("classic".into()));
    let options = QueueDeclareOptions { exclusive: true, ..QueueDeclareOptions::default() };
    let queue = channel.queue_declare("".into(), options, arguments).await?.name().clone();
    let options = QueueBindOptions::default();
    channel
        .queue_bind(queue.clone(), events.as_str().into(), "".into(), options, nothing.clone())
        .await?;
    let options = BasicConsumeOptions { no_ack: true, ..BasicConsumeOptions::default() };
    let mut stream = channel.basic_consume(queue, "".into(), options, nothing).await?;
    if let Some(begun) = begun.take() {
        let _ = begun.send(());
    }
    while let Some(message) = stream.next().await {
        let changes: Vec<serde_json::Value> = serde_json::from_slice(&message?.data).unwrap();
        let mut seen = seen.lock().unwrap();
        for change in changes {
            let id = change["order_id"].as_str().unwrap().parse().unwrap();
            let status = change["status"].as_str().unwrap().to_owned();
            seen.entry(id).or_default().push(status);
        }
    }
    Ok(())
}
