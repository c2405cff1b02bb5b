//! A user that may not configure anything.

use std::{process::Command, time::Duration};

use futures::StreamExt;
use uuid::Uuid;
use woody_broker::rabbitmq::{RabbitMqBroker, RabbitMqOptions};
use woody_core::{
    contract::broker::acknowledge,
    contract::toy,
    domain::{OrderId, OrderMessage, OrderStatus, Outcome},
    ports::{Broker, BrokerError, ConsumerState, Prefetch, StatusChange},
};

use super::{Raw, on, unique, url};

/// A user with rights of its own; it goes away with its test.
struct User(String);

impl User {
    fn with(configure: &str, write: &str, read: &str) -> Self {
        let user = Self(format!("woody-test-{}", Uuid::new_v4()));
        ctl(&["add_user", &user.0, "right"]);
        user.may(configure, write, read);
        user
    }

    fn may(&self, configure: &str, write: &str, read: &str) {
        ctl(&["set_permissions", &self.0, configure, write, read]);
    }

    async fn broker(&self, queue: &str) -> RabbitMqBroker {
        let url = url();
        let (_, place) = url.rsplit_once('@').unwrap();
        let url = format!("amqp://{}:right@{place}", self.0);
        RabbitMqBroker::connect(&url, RabbitMqOptions::for_queue(queue)).await.unwrap()
    }
}

impl Drop for User {
    fn drop(&mut self) {
        ctl(&["delete_user", &self.0]);
    }
}

/// The connections live on meanwhile: it may take seconds.
fn ctl(arguments: &[&str]) {
    let ctl = std::env::var("WOODY_TEST_RABBITMQ_CTL").expect("WOODY_TEST_RABBITMQ_CTL");
    let mut command = Command::new(ctl);
    command.args(["ctl", "-q"]).args(arguments);
    let done = tokio::task::block_in_place(|| command.output()).unwrap();
    assert!(done.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&done.stderr));
}

fn message() -> OrderMessage {
    OrderMessage::from(&toy("Train"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs WOODY_TEST_AMQP_URL and WOODY_TEST_RABBITMQ_CTL"]
async fn queues_that_are_there_are_used_without_the_right_to_configure_them() {
    let queue = unique();
    let _raw = Raw::new(queue.clone());
    // An operator, or we with more rights, made all there is.
    let owner = on(&queue).await;
    let mut first = owner.consumer(Prefetch::MIN).await.unwrap();
    owner.publisher().publish(&[message(), message()]).await.unwrap();
    let delay = Duration::from_millis(100);
    first.next().await.unwrap().retry_after(delay, "again".into()).await.unwrap();
    first.next().await.unwrap().dead_letter("no".into()).await.unwrap();
    let _events = owner.events().subscribe().await.unwrap();
    owner.close().await;

    let ours = format!("^({queue}.*|amq\\.default)$");
    let user = User::with("^$", &ours, &ours);
    let broker = user.broker(&queue).await;
    broker.publisher().ping().await.unwrap();
    broker.publisher().publish(&[message()]).await.unwrap();
    let mut consumer = broker.consumer(Prefetch::MIN).await.unwrap();
    let retried = consumer.next().await.unwrap();
    retried.retry_after(delay, "again".into()).await.unwrap();
    acknowledge(consumer.next().await.unwrap()).await.unwrap();
    consumer.next().await.unwrap().dead_letter("no".into()).await.unwrap();
    assert_eq!(broker.admin().depth().await.unwrap().dead, 2);
    let change = StatusChange::new(OrderId::fresh(), &OrderStatus::Ended(Outcome::Success(None)));
    broker.events().announce(&[change]).await.unwrap();
    // A subscriber's queue is its own: it cannot be there before.
    let Err(BrokerError::Refused(why)) = broker.events().subscribe().await.map(drop) else {
        panic!("no client may subscribe without a queue");
    };
    assert!(why.to_string().contains("configure access"), "{why}");
    broker.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs WOODY_TEST_AMQP_URL and WOODY_TEST_RABBITMQ_CTL"]
async fn what_is_missing_and_may_not_be_made_is_named_and_no_consumer_is_ready() {
    let queue = unique();
    let _raw = Raw::new(queue.clone());
    let user = User::with("^$", ".*", ".*");
    let broker = user.broker(&queue).await;
    let mut consumer = broker.consumer(Prefetch::MIN).await.unwrap();
    let Err(BrokerError::Refused(why)) = broker.publisher().publish(&[message()]).await else {
        panic!("there is no queue");
    };
    let why = why.to_string();
    for part in [&queue, "configure access to queue", &user.0, "have it made by one who may"] {
        assert!(why.contains(part), "{why}");
    }
    let change = StatusChange::new(OrderId::fresh(), &OrderStatus::Ended(Outcome::Success(None)));
    let Err(BrokerError::Refused(why)) =
        broker.events().announce(std::slice::from_ref(&change)).await
    else {
        panic!("there is no exchange");
    };
    assert!(why.to_string().contains(&format!("there is no exchange {queue}.events")), "{why}");
    assert_eq!(*consumer.state().borrow(), ConsumerState::Recovering);

    // Mended, it goes on without a new start.
    user.may(".*", ".*", ".*");
    broker.publisher().publish(&[message()]).await.unwrap();
    acknowledge(consumer.next().await.unwrap()).await.unwrap();
    assert_eq!(*consumer.state().borrow(), ConsumerState::Consuming);
    let mut changes = broker.events().subscribe().await.unwrap();
    broker.events().announce(std::slice::from_ref(&change)).await.unwrap();
    assert_eq!(changes.next().await.unwrap().order_id, change.order_id);
    broker.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs WOODY_TEST_AMQP_URL and WOODY_TEST_RABBITMQ_CTL"]
async fn a_virtual_host_and_a_password_may_come_later() {
    let (queue, vhost) = (unique(), unique());
    let url = url();
    let (_, place) = url.rsplit_once('@').unwrap();
    let place = place.split('/').next().unwrap();
    let user = User::with(".*", ".*", ".*");
    let url = format!("amqp://{}:soon@{place}/{vhost}", user.0);
    let broker = RabbitMqBroker::connect(&url, RabbitMqOptions::for_queue(queue)).await.unwrap();
    let publisher = broker.publisher();
    assert!(publisher.publish(&[message()]).await.is_err());
    ctl(&["change_password", &user.0, "soon"]);
    ctl(&["add_vhost", &vhost]);
    ctl(&["set_permissions", "-p", &vhost, &user.0, ".*", ".*", ".*"]);
    let mut consumer = broker.consumer(Prefetch::MIN).await.unwrap();
    let mut state = consumer.state();
    state.wait_for(|state| *state == ConsumerState::Consuming).await.unwrap();
    publisher.publish(&[message()]).await.unwrap();
    acknowledge(consumer.next().await.unwrap()).await.unwrap();
    broker.close().await;
    ctl(&["delete_vhost", &vhost]);
}
