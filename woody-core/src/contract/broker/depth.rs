use std::{sync::Arc, time::Duration};

use super::steps::{ack, consumer, depth_becomes, messages, next, publish, stop, take, within};
use crate::ports::Broker;

/// A message is counted where it is.
pub async fn depth_counts_what_is_ready_delayed_and_dead(broker: Arc<dyn Broker>) {
    depth_becomes(&*broker, "nothing", |depth| depth.ready + depth.delayed + depth.dead == 0).await;
    publish(&*broker, &messages(6)).await;
    depth_becomes(&*broker, "6 ready", |depth| depth.ready == 6).await;

    let mut consumer = consumer(&*broker, 1).await;
    for _ in 0..2 {
        let delivery = next(&mut consumer).await;
        within("a retry", delivery.retry_after(Duration::from_mins(1), "later".into()))
            .await
            .expect("a retry succeeds");
    }
    let delivery = next(&mut consumer).await;
    within("a dead letter", delivery.dead_letter("no".into())).await.expect("it is moved");
    ack(next(&mut consumer).await).await;
    stop(&mut consumer).await;
    drop(consumer);
    depth_becomes(&*broker, "2 ready, 2 delayed, 1 dead, none in flight, no consumer", |depth| {
        (depth.ready, depth.delayed, depth.dead) == (2, 2, 1)
            && depth.in_flight.unwrap_or(0) == 0
            && depth.consumers.unwrap_or(0) == 0
    })
    .await;
}

/// A broker that counts deliveries and consumers counts them right.
pub async fn depth_counts_what_a_consumer_holds_where_the_broker_says(broker: Arc<dyn Broker>) {
    publish(&*broker, &messages(5)).await;
    let mut two = consumer(&*broker, 2).await;
    let held = take(&mut two, 2).await;
    let mut three = consumer(&*broker, 3).await;
    let more = take(&mut three, 3).await;
    depth_becomes(&*broker, "5 in flight, with 2 consumers", |depth| {
        depth.ready == 0
            && depth.in_flight.is_none_or(|in_flight| in_flight == 5)
            && depth.consumers.is_none_or(|consumers| consumers == 2)
    })
    .await;
    drop((held, more));
}

/// What waits, and who takes it, can be asked often: it is the same as in the depth.
pub async fn what_waits_is_counted_without_what_a_consumer_holds(broker: Arc<dyn Broker>) {
    let admin = broker.admin();
    let becomes = async |messages, consumers: u64| {
        within("what waits", async {
            loop {
                let waiting = admin.waiting().await.expect("what waits is known");
                let counted = waiting.consumers.unwrap_or(consumers);
                if (waiting.messages, counted) == (messages, consumers) {
                    return;
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        })
        .await;
    };
    becomes(0, 0).await;
    publish(&*broker, &messages(7)).await;
    becomes(7, 0).await;
    let mut consumer = consumer(&*broker, 2).await;
    let held = take(&mut consumer, 2).await;
    becomes(5, 1).await;
    drop(held);
}
