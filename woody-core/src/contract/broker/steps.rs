//! What the clauses are put together from.

use std::time::Duration;

use bytes::Bytes;

use super::proof;
use crate::{
    contract::order_type::pieces_of,
    domain::{NewOrder, OrderMessage},
    ports::{Broker, Consumer, ConsumerState, Delivery, Prefetch, QueueDepth},
};

/// How long a clause waits for something that must happen.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// Waits for `event`, and fails with its name when it does not come.
pub(super) async fn within<F: Future>(what: &str, event: F) -> F::Output {
    let output = tokio::time::timeout(PATIENCE, event).await;
    output.unwrap_or_else(|_| panic!("waited {PATIENCE:?} for {what}"))
}

/// Returns an order message like no other.
pub(super) fn message() -> OrderMessage {
    OrderMessage::from(&NewOrder::new(pieces_of("Train", 1)))
}

/// `count` different order messages.
pub(super) fn messages(count: usize) -> Vec<OrderMessage> {
    (0..count).map(|_| message()).collect()
}

/// Bodies that are no order messages and that a careless backend trips over.
pub(super) fn poison() -> Vec<Bytes> {
    vec![
        Bytes::new(),
        Bytes::from_static(b"hello"),
        Bytes::from_static(b"{\"order_id\": 7}"),
        Bytes::from_static(&[0xff, 0xfe, 0x00, 0x80, 0xc3, 0x28]),
        Bytes::from_static(b"\0nul first"),
        Bytes::from((0..=u8::MAX).cycle().take(64 * 1024).collect::<Vec<_>>()),
    ]
}

/// Publishes and waits for the broker's word that all is stored.
pub(super) async fn publish(broker: &dyn Broker, messages: &[OrderMessage]) {
    within("a publish", broker.publisher().publish(messages)).await.expect("a publish succeeds");
}

/// Publishes raw bodies.
pub(super) async fn send(broker: &dyn Broker, bodies: &[Bytes]) {
    within("a send", broker.publisher().send(bodies)).await.expect("a send succeeds");
}

/// Returns a consumer that the broker has on its list.
pub(super) async fn consumer(broker: &dyn Broker, prefetch: u16) -> Box<dyn Consumer> {
    let prefetch = Prefetch::new(prefetch).expect("a prefetch above zero");
    let consumer =
        within("a consumer", broker.consumer(prefetch)).await.expect("the broker is open");
    let mut state = consumer.state();
    within("the consumer to be consuming", state.wait_for(|s| *s == ConsumerState::Consuming))
        .await
        .expect("a live consumer has a state");
    consumer
}

/// Returns the next delivery.
pub(super) async fn next(consumer: &mut Box<dyn Consumer>) -> Delivery {
    within("a delivery", consumer.next()).await.expect("the broker is open")
}

/// Returns the next `count` deliveries, all of them held.
pub(super) async fn take(consumer: &mut Box<dyn Consumer>, count: usize) -> Vec<Delivery> {
    let mut deliveries = Vec::with_capacity(count);
    while deliveries.len() < count {
        deliveries.push(next(consumer).await);
    }
    deliveries
}

/// Saves the delivery's order and acknowledges it.
pub(super) async fn ack(delivery: Delivery) {
    within("an ack", proof::acknowledge(delivery)).await.expect("an ack succeeds");
}

/// Stops a consumer.
pub(super) async fn stop(consumer: &mut Box<dyn Consumer>) {
    within("the consumer to stop", consumer.stop()).await;
}

/// Asserts that a delivery is `message` at this attempt.
pub(super) fn assert_is(delivery: &Delivery, message: &OrderMessage, attempt: u32) {
    assert_eq!(OrderMessage::parse(delivery.body()).as_ref(), Ok(message));
    assert_eq!(delivery.attempt(), attempt, "the attempt of {message:?}");
}

/// Returns the bodies in an order that does not depend on when they came.
pub(super) fn sorted<'a>(bodies: impl IntoIterator<Item = &'a Bytes>) -> Vec<Bytes> {
    let mut bodies: Vec<Bytes> = bodies.into_iter().cloned().collect();
    bodies.sort();
    bodies
}

/// Proves that the queue holds nothing else for a consumer: a message sent now
/// is the next to come. It is acknowledged.
pub(super) async fn assert_nothing_else_comes(
    broker: &dyn Broker,
    consumer: &mut Box<dyn Consumer>,
) {
    let last = message();
    publish(broker, std::slice::from_ref(&last)).await;
    let delivery = next(consumer).await;
    assert_is(&delivery, &last, 1);
    ack(delivery).await;
}

/// Waits until the broker counts as `expected`; counts may come late.
pub(super) async fn depth_becomes(
    broker: &dyn Broker,
    what: &str,
    expected: impl Fn(&QueueDepth) -> bool,
) {
    let admin = broker.admin();
    let mut last = None;
    let counted = tokio::time::timeout(PATIENCE, async {
        loop {
            let depth = admin.depth().await.expect("the depth is known");
            last = Some(depth);
            if expected(&depth) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    });
    let counted = counted.await;
    assert!(counted.is_ok(), "waited {PATIENCE:?} for a depth of {what}, it is {last:?}");
}
