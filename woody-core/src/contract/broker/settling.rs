use std::sync::Arc;

use futures::future::join_all;

use super::{
    proof,
    steps::{
        ack, assert_is, assert_nothing_else_comes, consumer, depth_becomes, message, messages,
        next, publish, stop, take, within,
    },
};
use crate::ports::{Broker, SettleError};

/// What was acknowledged does not come to this consumer nor to a later one.
pub async fn an_acknowledged_message_never_comes_again(broker: Arc<dyn Broker>) {
    let sent = messages(3);
    publish(&*broker, &sent).await;
    let mut first = consumer(&*broker, 1).await;
    ack(next(&mut first).await).await;
    stop(&mut first).await;

    let mut second = consumer(&*broker, 1).await;
    for message in &sent[1..] {
        let delivery = next(&mut second).await;
        assert_is(&delivery, message, 1);
        ack(delivery).await;
    }
    assert_nothing_else_comes(&*broker, &mut second).await;
    depth_becomes(&*broker, "nothing", |depth| depth.ready + depth.delayed + depth.dead == 0).await;
}

/// A worker that forgets a delivery, or is cancelled with it, loses nothing.
pub async fn an_unsettled_delivery_that_is_dropped_comes_again_at_no_attempt(
    broker: Arc<dyn Broker>,
) {
    let sent = message();
    publish(&*broker, std::slice::from_ref(&sent)).await;
    let mut consumer = consumer(&*broker, 1).await;
    let first = next(&mut consumer).await;
    assert_is(&first, &sent, 1);
    drop(first);
    for _ in 0..3 {
        let again = next(&mut consumer).await;
        assert_is(&again, &sent, 1);
        assert!(again.redelivered(), "it was delivered before");
        drop(again);
    }
    ack(next(&mut consumer).await).await;
    assert_nothing_else_comes(&*broker, &mut consumer).await;
}

/// A delivery given back on purpose comes again, its attempt not counted.
pub async fn a_released_delivery_comes_again_at_no_attempt(broker: Arc<dyn Broker>) {
    let sent = message();
    publish(&*broker, std::slice::from_ref(&sent)).await;
    let mut consumer = consumer(&*broker, 1).await;
    for _ in 0..3 {
        let delivery = next(&mut consumer).await;
        assert_is(&delivery, &sent, 1);
        within("a release", delivery.release()).await.expect("a release succeeds");
    }
    let again = next(&mut consumer).await;
    assert_is(&again, &sent, 1);
    assert!(again.redelivered(), "it was delivered before");
    ack(again).await;
    assert_nothing_else_comes(&*broker, &mut consumer).await;
}

/// A proof acknowledges the message of its own order and no other.
pub async fn a_proof_for_another_order_is_refused_and_the_message_comes_again(
    broker: Arc<dyn Broker>,
) {
    let (sent, other) = (message(), message());
    publish(&*broker, std::slice::from_ref(&sent)).await;
    let mut consumer = consumer(&*broker, 1).await;
    let delivery = next(&mut consumer).await;
    let wrong = proof::saved(&other).await;
    let refused = within("an ack", delivery.ack(wrong)).await;
    assert!(
        matches!(refused, Err(SettleError::WrongProof { proof }) if proof == other.order_id),
        "{refused:?}"
    );
    let again = next(&mut consumer).await;
    assert_is(&again, &sent, 1);
    ack(again).await;
}

/// A worker that drains acknowledges what it still holds.
pub async fn an_ack_after_the_consumer_stopped_still_counts(broker: Arc<dyn Broker>) {
    publish(&*broker, &messages(2)).await;
    let mut draining = consumer(&*broker, 2).await;
    let held = take(&mut draining, 2).await;
    stop(&mut draining).await;
    join_all(held.into_iter().map(ack)).await;
    let mut other = consumer(&*broker, 1).await;
    assert_nothing_else_comes(&*broker, &mut other).await;
}

/// Deliveries are settled independently of each other.
pub async fn many_deliveries_settle_at_once_in_any_order(broker: Arc<dyn Broker>) {
    publish(&*broker, &messages(60)).await;
    let mut consumer = consumer(&*broker, 32).await;
    let mut left = 60;
    while left > 0 {
        let mut held = take(&mut consumer, left.min(20)).await;
        left -= held.len();
        held.reverse();
        let settled: Vec<_> =
            held.into_iter().map(|delivery| tokio::spawn(ack(delivery))).collect();
        for one in join_all(settled).await {
            one.expect("no task panics");
        }
    }
    assert_nothing_else_comes(&*broker, &mut consumer).await;
}
