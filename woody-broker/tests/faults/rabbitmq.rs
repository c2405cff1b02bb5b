use std::{
    collections::BTreeSet,
    time::{Duration, Instant},
};

use bytes::Bytes;
use lapin::{
    Connection, ConnectionProperties,
    options::{BasicGetOptions, BasicRejectOptions, QueueDeclareOptions},
    types::{AMQPValue, FieldTable},
};
use uuid::Uuid;
use woody_broker::rabbitmq::{RabbitMqBroker, RabbitMqOptions};
use woody_core::{
    contract::{broker::acknowledge, toy},
    domain::{OrderMessage, OrderStatus},
    ports::{Broker, Consumer, ConsumerState, Delivery, Prefetch, StatusChange},
};

use crate::server::{Server, url};

/// How long a test waits for something that must happen.
const PATIENCE: Duration = Duration::from_mins(1);
/// What the tests give a publish.
const LIMIT: Duration = Duration::from_secs(2);

async fn within<F: Future>(what: &str, future: F) -> F::Output {
    tokio::time::timeout(PATIENCE, future).await.unwrap_or_else(|_| panic!("waited for {what}"))
}

fn impatient() -> RabbitMqOptions {
    RabbitMqOptions::for_queue(format!("woody-fault-{}", Uuid::new_v4()))
        .heartbeat(Duration::from_secs(1))
        .connect_timeout(LIMIT)
        .operation_timeout(LIMIT)
        .publish_timeout(LIMIT)
        .max_pause(Duration::from_secs(1))
}

async fn impatient_broker() -> RabbitMqBroker {
    RabbitMqBroker::connect(&url(), impatient()).await.unwrap()
}

async fn consuming(broker: &RabbitMqBroker, prefetch: u16) -> Box<dyn Consumer> {
    let consumer = broker.consumer(Prefetch::new(prefetch).unwrap()).await.unwrap();
    becomes(&*consumer, ConsumerState::Consuming).await;
    consumer
}

async fn becomes(consumer: &dyn Consumer, state: ConsumerState) {
    within("a state", consumer.state().wait_for(|now| *now == state)).await.unwrap();
}

async fn next(consumer: &mut Box<dyn Consumer>) -> Delivery {
    within("a delivery", consumer.next()).await.unwrap()
}

fn message() -> OrderMessage {
    OrderMessage::from(&toy("Train"))
}

/// Sends until the broker takes it; answers how often it did not.
async fn send_until_taken(broker: &RabbitMqBroker, body: &'static [u8]) -> u32 {
    let publisher = broker.publisher();
    within("a publish", async {
        let mut refused = 0;
        while publisher.send(&[Bytes::from_static(body)]).await.is_err() {
            refused += 1;
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        refused
    })
    .await
}

/// Takes deliveries, settling them as dead, until this one comes.
async fn until_comes(consumer: &mut Box<dyn Consumer>, body: &[u8]) -> Delivery {
    loop {
        let delivery = next(consumer).await;
        if delivery.body().as_ref() == body {
            return delivery;
        }
        drop(delivery.dead_letter("another".into()).await);
    }
}

/// The threads of lapin, one for each connection that is not quite gone.
fn connections_alive() -> usize {
    let tasks = std::fs::read_dir("/proc/self/task").unwrap();
    let named =
        tasks.filter_map(|task| std::fs::read_to_string(task.ok()?.path().join("comm")).ok());
    named.filter(|name| name.starts_with("lapin-io")).count()
}

async fn no_connection_is_left() {
    within("the last connection to end", async {
        while connections_alive() > 0 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs WOODY_TEST_RABBITMQ_CTL"]
async fn a_restart_is_survived_with_everything_that_was_published() {
    let server = Server::take().await;
    for (down, up) in [("stop", "start"), ("kill", "start")] {
        let broker = impatient_broker().await;
        let mut consumer = consuming(&broker, 1).await;
        let mut changes = broker.events().subscribe().await.unwrap();
        let bodies: Vec<Bytes> = (0..10_u8).map(|n| vec![n].into()).collect();
        broker.publisher().send(&bodies).await.unwrap();
        let held = next(&mut consumer).await;
        assert_eq!(held.body(), &bodies[0]);

        // RabbitMQ writes the names of new quorum queues to disk half a second late:
        // killed before that, it comes back with the queue and without its messages.
        tokio::time::sleep(Duration::from_secs(2)).await;
        server.ctl(&[down]).await;
        becomes(&*consumer, ConsumerState::Recovering).await;
        let began = Instant::now();
        let refused = broker.publisher().send(&bodies[..1]).await;
        assert!(refused.unwrap_err().is_transient());
        assert!(began.elapsed() < LIMIT + Duration::from_secs(1));
        assert!(broker.publisher().ping().await.is_err());
        assert!(held.release().await.is_err(), "it is no longer ours");
        server.ctl(&[up]).await;

        becomes(&*consumer, ConsumerState::Consuming).await;
        let mut come = BTreeSet::new();
        while come.len() < bodies.len() {
            let delivery = next(&mut consumer).await;
            come.insert(delivery.body().clone());
            // While the publishing connection is on its way it cannot be moved, and comes again.
            drop(delivery.dead_letter("seen".into()).await);
        }
        assert!(come.iter().eq(&bodies), "{come:?}");
        send_until_taken(&broker, b"after").await;
        until_comes(&mut consumer, b"after").await;

        // The subscription has come back too, by itself.
        let change = StatusChange::new(message().order_id, &OrderStatus::Pending);
        let heard = async {
            loop {
                let _ = broker.events().announce(std::slice::from_ref(&change)).await;
                let next = futures::StreamExt::next(&mut changes);
                if let Ok(heard) = tokio::time::timeout(Duration::from_millis(200), next).await {
                    return heard;
                }
            }
        };
        assert_eq!(within("a change", heard).await, Some(change));
        within("a close", broker.close()).await;
    }
    no_connection_is_left().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs WOODY_TEST_RABBITMQ_CTL"]
async fn a_frozen_broker_is_noticed_in_time_and_survived() {
    let server = Server::take().await;
    let broker = impatient_broker().await;
    let mut consumer = consuming(&broker, 1).await;
    broker.publisher().send(&[Bytes::from_static(b"before")]).await.unwrap();
    let held = next(&mut consumer).await;

    server.ctl(&["freeze"]).await;
    let began = Instant::now();
    let publisher = broker.publisher();
    let batch = vec![Bytes::from_static(b"while frozen"); 300];
    let (one, many, ping) =
        tokio::join!(publisher.send(&batch[..1]), publisher.send(&batch), publisher.ping());
    for error in [one.unwrap_err(), many.unwrap_err(), ping.unwrap_err()] {
        assert!(error.is_transient(), "{error:?}");
    }
    assert!(began.elapsed() < LIMIT + Duration::from_secs(1), "{:?}", began.elapsed());
    // Two heartbeats of silence and a little.
    becomes(&*consumer, ConsumerState::Recovering).await;
    assert!(began.elapsed() < Duration::from_secs(6), "{:?}", began.elapsed());
    assert!(held.release().await.is_err(), "it is no longer ours");
    // Logging in at a broker that accepts and then says nothing leaves nothing behind.
    tokio::time::sleep(Duration::from_secs(8)).await;
    assert!(connections_alive() <= 3, "{} connections", connections_alive());
    assert!(publisher.ping().await.is_err());
    server.ctl(&["thaw"]).await;

    becomes(&*consumer, ConsumerState::Consuming).await;
    // While the publishing connection is on its way it cannot be moved, and comes again.
    drop(until_comes(&mut consumer, b"before").await.dead_letter("seen".into()).await);
    send_until_taken(&broker, b"after").await;
    until_comes(&mut consumer, b"after").await;
    within("a close", broker.close()).await;
    no_connection_is_left().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs WOODY_TEST_RABBITMQ_CTL"]
async fn closing_does_not_wait_for_a_frozen_broker() {
    let server = Server::take().await;
    let broker = impatient_broker().await;
    let mut consumer = consuming(&broker, 1).await;
    broker.admin().depth().await.unwrap();
    server.ctl(&["freeze"]).await;
    let began = Instant::now();
    broker.close().await;
    assert!(began.elapsed() < Duration::from_secs(7), "{:?}", began.elapsed());
    assert!(consumer.next().await.is_none());
    no_connection_is_left().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs WOODY_TEST_RABBITMQ_CTL"]
async fn a_memory_alarm_refuses_publishers_and_lets_acknowledgements_through() {
    let server = Server::take().await;
    let broker = impatient_broker().await;
    let mut consumer = consuming(&broker, 2).await;
    let bodies: Vec<Bytes> = (0..6).map(|_| message().to_bytes()).collect();
    broker.publisher().send(&bodies).await.unwrap();

    server.alarm(true).await;
    let publisher = broker.publisher();
    let mut longest = Duration::ZERO;
    // The alarm is raised when the broker next looks at its memory.
    within("the alarm", async {
        loop {
            let began = Instant::now();
            let refused = publisher.send(&[Bytes::from_static(b"?")]).await.is_err();
            longest = longest.max(began.elapsed());
            if refused {
                break;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    })
    .await;
    assert!(longest < LIMIT + Duration::from_secs(1), "{longest:?}");
    let began = Instant::now();
    assert!(publisher.send(&bodies).await.unwrap_err().is_transient());
    assert!(publisher.ping().await.unwrap_err().is_transient());
    assert!(began.elapsed() < LIMIT, "now it is known: {:?}", began.elapsed());

    // With two held at most, more can come only if these are settled.
    for body in &bodies {
        let delivery = next(&mut consumer).await;
        assert_eq!(delivery.body(), body);
        within("an ack", acknowledge(delivery)).await.unwrap();
    }
    // Some of the probes may have come before the alarm.
    let probe = tokio::time::timeout(Duration::from_secs(1), consumer.next()).await;
    if let Ok(Some(probe)) = probe {
        assert!(probe.dead_letter("no".into()).await.is_err(), "it cannot be moved now");
    }
    assert_eq!(*consumer.state().borrow(), ConsumerState::Consuming);

    server.alarm(false).await;
    send_until_taken(&broker, b"after").await;
    until_comes(&mut consumer, b"after").await;
    within("a close", broker.close()).await;
    no_connection_is_left().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs WOODY_TEST_RABBITMQ_CTL"]
async fn closing_does_not_wait_for_the_end_of_an_alarm() {
    let server = Server::take().await;
    let broker = impatient_broker().await;
    server.alarm(true).await;
    let publisher = broker.publisher();
    within("the alarm", async {
        while publisher.send(&[Bytes::from_static(b"?")]).await.is_ok() {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    })
    .await;
    let began = Instant::now();
    broker.close().await;
    assert!(began.elapsed() < Duration::from_secs(7), "{:?}", began.elapsed());
    no_connection_is_left().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs WOODY_TEST_RABBITMQ_CTL"]
async fn a_broker_that_lost_everything_is_furnished_anew() {
    let server = Server::take().await;
    let broker = impatient_broker().await;
    let mut consumer = consuming(&broker, 1).await;
    broker.publisher().send(&[Bytes::from_static(b"lost")]).await.unwrap();
    server.ctl(&["wipe"]).await;
    becomes(&*consumer, ConsumerState::Recovering).await;
    server.ctl(&["start"]).await;
    send_until_taken(&broker, b"after").await;
    let delivery = until_comes(&mut consumer, b"after").await;
    delivery.retry_after(Duration::from_millis(1), "again".into()).await.unwrap();
    let delivery = until_comes(&mut consumer, b"after").await;
    assert_eq!(delivery.attempt(), 2);
    delivery.dead_letter("enough".into()).await.unwrap();
    assert_eq!(broker.admin().dead_letters(9).await.unwrap().len(), 1);
    within("a close", broker.close()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs WOODY_TEST_RABBITMQ_CTL"]
async fn what_the_broker_itself_gives_up_is_listed_with_its_reason_and_can_be_redriven() {
    let server = Server::take().await;
    let options = impatient();
    let queue = options.queue.clone();
    let connection = Connection::connect(&url(), ConnectionProperties::default()).await.unwrap();
    let channel = connection.create_channel().await.unwrap();
    let mut quorum = FieldTable::default();
    quorum.insert("x-queue-type".into(), AMQPValue::LongString("quorum".into()));
    let durable = QueueDeclareOptions { durable: true, ..QueueDeclareOptions::default() };
    channel.queue_declare(queue.as_str().into(), durable, quorum).await.unwrap();
    let policy = format!(
        r#"{{"delivery-limit": 2, "dead-letter-exchange": "", "dead-letter-routing-key": "{queue}.dead"}}"#
    );
    let pattern = format!("^{queue}$");
    server
        .ctl(&["ctl", "set_policy", "woody-test", &pattern, &policy, "--apply-to", "queues"])
        .await;

    let broker = RabbitMqBroker::connect(&url(), options).await.unwrap();
    let mut consumer = consuming(&broker, 1).await;
    consumer.stop().await;
    broker.publisher().send(&[Bytes::from_static(b"poison")]).await.unwrap();
    let admin = broker.admin();
    within("the delivery limit", async {
        while admin.depth().await.unwrap().dead == 0 {
            let get = channel.basic_get(queue.as_str().into(), BasicGetOptions::default());
            if let Some(message) = get.await.unwrap() {
                message.reject(BasicRejectOptions { requeue: true }).await.unwrap();
            }
        }
    })
    .await;
    let letters = admin.dead_letters(9).await.unwrap();
    assert_eq!(letters.len(), 1);
    assert_eq!(letters[0].body.as_ref(), b"poison");
    assert_eq!(letters[0].reason.as_str(), "the broker delivered it too often");
    assert_eq!(letters[0].died_at, None);
    assert_eq!(admin.redrive(&[letters[0].id.clone()]).await.unwrap(), 1);
    let mut consumer = consuming(&broker, 1).await;
    let again = next(&mut consumer).await;
    assert!(again.redriven() && again.attempt() == 1);
    assert_eq!(admin.dead_letters(9).await.unwrap(), []);
    server.ctl(&["ctl", "clear_policy", "woody-test"]).await;
    within("a close", broker.close()).await;
}
