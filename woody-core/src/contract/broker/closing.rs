use std::sync::Arc;

use futures::StreamExt;

use super::{
    proof,
    steps::{consumer, message, messages, publish, take, within},
};
use crate::ports::{Broker, BrokerError, ConsumerState, Prefetch};

/// A consumer that waits for a delivery learns that none will come.
pub async fn a_closed_broker_ends_its_consumers(broker: Arc<dyn Broker>) {
    let mut waiting = consumer(&*broker, 1).await;
    let mut state = waiting.state();
    let waiter = tokio::spawn(async move { waiting.next().await.is_none() });
    tokio::task::yield_now().await;
    within("the broker to close", broker.close()).await;
    let ended = within("the consumer to end", waiter).await.expect("no task panics");
    assert!(ended, "a delivery came from a closed broker");
    // The consumer is gone by now, which may also end its state.
    let stopped =
        within("the state to be stopped", state.wait_for(|s| *s == ConsumerState::Stopped));
    assert!(stopped.await.is_ok(), "its last state is not that it was stopped");
}

/// A closed broker says so, whatever it is asked.
pub async fn a_closed_broker_refuses_everything(broker: Arc<dyn Broker>) {
    let (publisher, admin, events) = (broker.publisher(), broker.admin(), broker.events());
    within("the broker to close", broker.close()).await;

    let batch = [message()];
    let sent = within("a publish", publisher.publish(&batch)).await;
    assert!(matches!(sent, Err(BrokerError::Closed)), "{sent:?}");
    let pinged = within("a ping", publisher.ping()).await;
    assert!(matches!(pinged, Err(BrokerError::Closed)), "{pinged:?}");
    let depth = within("a depth", admin.depth()).await;
    assert!(matches!(depth, Err(BrokerError::Closed)), "{depth:?}");
    let announced = within("an announcement", events.announce(&[])).await;
    assert!(matches!(announced, Ok(()) | Err(BrokerError::Closed)), "{announced:?}");
    let subscribed = within("a subscription", events.subscribe()).await;
    assert!(matches!(subscribed, Err(BrokerError::Closed)), "a subscription to a closed broker");
    let consumer = within("a consumer", broker.consumer(Prefetch::MIN)).await;
    assert!(matches!(consumer, Err(BrokerError::Closed)), "a consumer of a closed broker");
}

/// A subscriber that waits for changes learns that none will come.
pub async fn a_closed_broker_ends_its_subscriptions(broker: Arc<dyn Broker>) {
    let mut stream =
        within("a subscription", broker.events().subscribe()).await.expect("listening begins");
    within("the broker to close", broker.close()).await;
    assert_eq!(within("the subscription to end", stream.next()).await, None);
}

/// Settling or dropping what a closed broker once delivered is an error or
/// nothing at all, but never a hang nor a panic.
pub async fn a_delivery_that_outlives_its_broker_does_no_harm(broker: Arc<dyn Broker>) {
    publish(&*broker, &messages(4)).await;
    let mut consumer = consumer(&*broker, 4).await;
    let mut held = take(&mut consumer, 4).await;
    within("the broker to close", broker.close()).await;
    let settled = within("an ack", proof::acknowledge(held.remove(0))).await;
    assert!(settled.is_err(), "a closed broker took an ack");
    let settled = within("a release", held.remove(0).release()).await;
    assert!(settled.is_err(), "a closed broker took a release");
    drop(held);
    within("the consumer to stop", consumer.stop()).await;
}

/// Closing is done once, however often it is asked for.
pub async fn closing_twice_is_fine(broker: Arc<dyn Broker>) {
    within("the broker to close", broker.close()).await;
    within("the broker to close", broker.close()).await;
}
