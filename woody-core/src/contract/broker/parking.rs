use std::{collections::HashSet, sync::Arc};

use bytes::Bytes;

use super::steps::{
    ack, assert_nothing_else_comes, consumer, depth_becomes, message, messages, next, poison,
    publish, send, within,
};
use crate::{
    domain::OrderMessage,
    ports::{Broker, SettleError},
};

/// Runs the clauses about messages that cannot be moved to the dead letters, against what
/// `fresh` returns: `(Arc<dyn Broker>, guard)`, an empty queue whose dead letters take none,
/// and that tries again after a second or less. For backends where that can happen while
/// the queue itself is well.
#[macro_export]
macro_rules! broker_parking_contract {
    ($(#[$attr:meta])* $fresh:path) => {
        $crate::__contract_clauses! {
            [$(#[$attr])*] $fresh, $crate::contract::broker =>

            poison_that_cannot_be_buried_does_not_hold_others_up
            what_cannot_be_buried_comes_again_at_no_attempt
        }
    };
}

/// More poison than the prefetch has places, ahead of all orders.
pub async fn poison_that_cannot_be_buried_does_not_hold_others_up(broker: Arc<dyn Broker>) {
    let (bodies, sent) = (poison(), messages(10));
    send(&*broker, &bodies).await;
    publish(&*broker, &sent).await;
    let mut missing: HashSet<Bytes> = sent.iter().map(OrderMessage::to_bytes).collect();
    let mut consumer = consumer(&*broker, 2).await;
    while !missing.is_empty() {
        let delivery = next(&mut consumer).await;
        if missing.remove(delivery.body()) {
            ack(delivery).await;
        } else {
            let settled = within("the settlement", delivery.dead_letter("poison".into())).await;
            assert!(matches!(settled, Err(SettleError::Broker(_))), "{settled:?}");
        }
    }
    drop(consumer);
    let all = bodies.len() as u64;
    depth_becomes(&*broker, "all the poison, and none of it dead", |depth| {
        (depth.ready + depth.delayed, depth.dead) == (all, 0)
    })
    .await;
}

/// It is neither lost nor worn out: each time it is tried again.
pub async fn what_cannot_be_buried_comes_again_at_no_attempt(broker: Arc<dyn Broker>) {
    let sent = message();
    publish(&*broker, std::slice::from_ref(&sent)).await;
    let mut consumer = consumer(&*broker, 1).await;
    for _ in 0..3 {
        let delivery = next(&mut consumer).await;
        assert_eq!((delivery.body(), delivery.attempt()), (&sent.to_bytes(), 1));
        let settled = within("the settlement", delivery.dead_letter("no".into())).await;
        assert!(matches!(settled, Err(SettleError::Broker(_))), "{settled:?}");
    }
    ack(next(&mut consumer).await).await;
    assert_nothing_else_comes(&*broker, &mut consumer).await;
}
