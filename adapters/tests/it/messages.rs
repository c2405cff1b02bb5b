//! What is really on a RabbitMQ, held against the document of messages.

use std::{num::NonZeroU16, sync::Arc, time::Duration};

use lapin::{
    Channel, Connection, ConnectionProperties, ExchangeKind,
    message::BasicGetMessage,
    options::{BasicGetOptions, ExchangeDeclareOptions, QueueBindOptions, QueueDeclareOptions},
    types::{AMQPValue, FieldTable},
};
use serde_json::{Map, Value, json};
use testkit::{
    servers::VirtualHost,
    waiting::{PATIENCE, until},
};
use woody_adapters::http::asyncapi;
use woody_broker::rabbitmq::{RabbitMqBroker, RabbitMqOptions};
use woody_core::{
    domain::{NewOrder, OrderId, OrderMessage, OrderStatus, Outcome, ToyOrder},
    ports::{Broker, Delivery, StatusChange},
};

use crate::schemas::refused;

const DELAY: Duration = Duration::from_secs(1_000);

/// A queue of our own under the name that the document has for it, and a foreign client beside it.
struct Queue {
    broker: Arc<dyn Broker>,
    channel: Channel,
    document: Value,
    _connection: Connection,
    _host: VirtualHost,
}

impl Queue {
    async fn open() -> Self {
        let (host, document) = (VirtualHost::create(), asyncapi());
        let name = document["channels"]["orders"]["address"].as_str().unwrap();
        let broker = RabbitMqBroker::connect(&host.url, RabbitMqOptions::for_queue(name)).await;
        let properties = ConnectionProperties::default();
        let connection = Connection::connect(&host.url, properties).await.unwrap();
        let channel = connection.create_channel().await.unwrap();
        let broker = Arc::new(broker.unwrap());
        Self { broker, channel, document, _connection: connection, _host: host }
    }

    fn address(&self, channel: &str) -> &str {
        self.document["channels"][channel]["address"].as_str().unwrap()
    }

    /// Declares a queue as its binding in the document says: RabbitMQ refuses that if it was declared otherwise.
    async fn declare(&self, channel: &str) {
        let queue = &self.document["channels"][channel]["bindings"]["amqp"]["queue"];
        let options = QueueDeclareOptions {
            durable: queue["durable"].as_bool().unwrap(),
            exclusive: queue["exclusive"].as_bool().unwrap(),
            auto_delete: queue["autoDelete"].as_bool().unwrap(),
            ..QueueDeclareOptions::default()
        };
        let name = queue["name"].as_str().unwrap();
        self.channel.queue_declare(name.into(), options, FieldTable::default()).await.unwrap();
    }

    /// Publishes an order of a client, which belongs to a trace.
    async fn publish(&self) {
        let order = NewOrder::new(ToyOrder::parse("Train 🚂", 2).unwrap()).encode(1_000).unwrap();
        let mut message = OrderMessage::from(&order);
        let trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
        message.trace = Some(trace.parse().unwrap());
        message.client = "acme".parse().ok();
        self.broker.publisher().publish(&[message]).await.unwrap();
    }

    /// Takes the one message that this queue has.
    async fn take(&self, queue: &str) -> BasicGetMessage {
        let got = self.channel.basic_get(queue.into(), BasicGetOptions { no_ack: true }).await;
        got.unwrap().unwrap_or_else(|| panic!("{queue} is empty"))
    }

    /// Takes one as a worker.
    async fn deliver(&self) -> Delivery {
        let mut consumer = self.broker.consumer(NonZeroU16::MIN).await.unwrap();
        let delivery = tokio::time::timeout(PATIENCE, consumer.next()).await.unwrap().unwrap();
        consumer.stop().await;
        delivery
    }

    /// What the document has to say of messages like this one.
    fn checks(&self, message: &str, sent: &BasicGetMessage) -> Vec<(&'static str, Value)> {
        let described = &self.document["components"]["messages"][message];
        assert_eq!(
            described["contentType"],
            sent.properties.content_type().as_ref().unwrap().as_str()
        );
        assert_eq!(sent.properties.delivery_mode(), &Some(2), "it outlives the broker");
        let payload = serde_json::from_slice(&sent.data).unwrap();
        let headers = match message {
            "order" => "OrderHeaders",
            "orderToRetry" => "RetryHeaders",
            _ => "DeadLetterHeaders",
        };
        assert_eq!(described["headers"]["$ref"], format!("#/components/schemas/{headers}"));
        assert_eq!(described["payload"]["$ref"], "#/components/schemas/QueuedOrder");
        vec![(headers, headers_of(sent)), ("QueuedOrder", payload)]
    }
}

fn headers_of(sent: &BasicGetMessage) -> Value {
    let headers = sent.properties.headers().iter().flatten();
    let shown = headers.map(|(name, value)| {
        let value = match value {
            AMQPValue::LongString(text) => json!(text.to_string()),
            AMQPValue::LongLongInt(number) => json!(number),
            AMQPValue::Boolean(is) => json!(is),
            other => panic!("{name}: {other:?}"),
        };
        (name.to_string(), value)
    });
    shown.collect::<Map<_, _>>().into()
}

#[tokio::test]
#[ignore = "needs WOODY_TEST_AMQP_URL and WOODY_TEST_PYTHON with jsonschema"]
async fn messages_are_where_the_document_says_and_as_its_schemas_say() {
    let queue = Queue::open().await;
    let (orders, dead) = (queue.address("orders"), queue.address("deadLetters"));
    // Before the shop declares it, and as any program may.
    queue.declare("orders").await;
    queue.publish().await;
    let mut checks = queue.checks("order", &queue.take(orders).await);

    // Dead, redriven, dead once more, redriven, and put off.
    queue.publish().await;
    for _ in 0..2 {
        queue.deliver().await.dead_letter("no wood".into()).await.unwrap();
        let letters = queue.broker.admin().dead_letters(10).await.unwrap();
        let ids: Vec<_> = letters.into_iter().map(|letter| letter.id).collect();
        assert_eq!(queue.broker.admin().redrive(&ids).await.unwrap(), 1);
    }
    queue.deliver().await.retry_after(DELAY, "not now".into()).await.unwrap();
    let retries = queue.address("retries").replace("{delay_ms}", "1024000");
    checks.extend(queue.checks("orderToRetry", &queue.take(&retries).await));
    queue.publish().await;
    queue.deliver().await.dead_letter("no wood".into()).await.unwrap();
    checks.extend(queue.checks("deadLetter", &queue.take(dead).await));
    assert_eq!(refused(&queue.document, &checks), [""; 0]);

    // What the document names is sent: it has not outlived its messages.
    let sent = |schema: &str, field: &str| {
        checks.iter().any(|(name, value)| *name == schema && value.get(field).is_some())
    };
    for schema in ["QueuedOrder", "RetryHeaders"] {
        let named = &queue.document["components"]["schemas"][schema]["properties"];
        for field in named.as_object().unwrap().keys() {
            assert!(sent(schema, field), "{schema}: {field}");
        }
    }
    queue.broker.close().await;
}

#[tokio::test]
#[ignore = "needs WOODY_TEST_AMQP_URL and WOODY_TEST_PYTHON with jsonschema"]
async fn status_changes_are_where_the_document_says_and_as_its_schema_says() {
    let queue = Queue::open().await;
    let bound = &queue.document["channels"]["statusChanges"]["bindings"]["amqp"]["exchange"];
    assert_eq!(bound["type"], "fanout");
    let options = ExchangeDeclareOptions {
        durable: bound["durable"].as_bool().unwrap(),
        auto_delete: bound["autoDelete"].as_bool().unwrap(),
        ..ExchangeDeclareOptions::default()
    };
    let (exchange, table) = (queue.address("statusChanges"), FieldTable::default());
    let declared = queue.channel.exchange_declare(
        exchange.into(),
        ExchangeKind::Fanout,
        options,
        table.clone(),
    );
    declared.await.unwrap();
    let exclusive = QueueDeclareOptions { exclusive: true, ..QueueDeclareOptions::default() };
    // The default type of the virtual host is one that cannot be exclusive.
    let mut classic = FieldTable::default();
    classic.insert("x-queue-type".into(), AMQPValue::LongString("classic".into()));
    let own = queue.channel.queue_declare("".into(), exclusive, classic).await.unwrap();
    let bind = QueueBindOptions::default();
    queue
        .channel
        .queue_bind(own.name().clone(), exchange.into(), "".into(), bind, table)
        .await
        .unwrap();

    let changes = [
        OrderStatus::Pending,
        Outcome::Success(Some("2 sheets".into())).into(),
        Outcome::Rejected("too large".into()).into(),
        Outcome::Failed("no verdict".into()).into(),
        Outcome::Cancelled(Some("not wanted".into())).into(),
    ];
    let changes = changes.map(|status| StatusChange::new(OrderId::fresh(), &status));
    queue.broker.events().announce(&changes).await.unwrap();
    // It is written without a confirm: it is there a moment later.
    let mut sent = Value::Null;
    until("the changes are announced", async || {
        let options = BasicGetOptions { no_ack: true };
        let got = queue.channel.basic_get(own.name().clone(), options).await.unwrap();
        got.is_some_and(|got| {
            sent = serde_json::from_slice(&got.data).unwrap();
            true
        })
    })
    .await;
    assert_eq!(sent.as_array().unwrap().len(), changes.len());
    assert_eq!(refused(&queue.document, &[("StatusChanges", sent)]), [""; 0]);
    queue.broker.close().await;
}
