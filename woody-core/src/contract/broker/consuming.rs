use std::{collections::BTreeSet, sync::Arc, time::Duration};

use futures::future::{Either, join_all, select};

use super::steps::{
    ack, assert_is, assert_nothing_else_comes, consumer, message, messages, next, publish, stop,
    take, within,
};
use crate::{
    domain::OrderMessage,
    ports::{Broker, ConsumerState, Delivery},
};

/// A consumer that waits at an empty queue hears of the next message.
pub async fn a_waiting_consumer_is_woken_by_a_publish(broker: Arc<dyn Broker>) {
    let mut consumer = consumer(&*broker, 1).await;
    let waiting = tokio::spawn(async move { next(&mut consumer).await.body().clone() });
    tokio::task::yield_now().await;
    let sent = message();
    publish(&*broker, std::slice::from_ref(&sent)).await;
    let body = within("the consumer to wake", waiting).await.expect("no task panics");
    assert_eq!(body, sent.to_bytes());
}

/// A consumer's state tells the truth from its beginning to its end.
pub async fn a_consumer_says_that_it_is_consuming_and_that_it_has_stopped(broker: Arc<dyn Broker>) {
    let mut consumer = consumer(&*broker, 1).await;
    let mut state = consumer.state();
    assert_eq!(*state.borrow(), ConsumerState::Consuming);
    stop(&mut consumer).await;
    within("the state to be stopped", state.wait_for(|s| *s == ConsumerState::Stopped))
        .await
        .expect("a stopped consumer has a state");
}

/// With a prefetch of 1, a consumer holds one delivery and no more.
pub async fn a_prefetch_of_one_hands_out_one_delivery(broker: Arc<dyn Broker>) {
    a_prefetch_is_honoured(&*broker, 1).await;
}

/// With a prefetch of 3, a consumer holds three deliveries and no more.
pub async fn a_prefetch_of_three_hands_out_three_deliveries(broker: Arc<dyn Broker>) {
    a_prefetch_is_honoured(&*broker, 3).await;
}

/// What a full consumer may not hold, another receives, while the full one waits.
async fn a_prefetch_is_honoured(broker: &dyn Broker, prefetch: u16) {
    const MORE: usize = 4;
    let held = usize::from(prefetch);
    let sent = messages(held + MORE);
    publish(broker, &sent).await;
    let mut full = consumer(broker, prefetch).await;
    let holds = take(&mut full, held).await;

    let mut other = consumer(broker, 10).await;
    let others = {
        let waiting = full.next();
        let receiving = take(&mut other, MORE);
        futures::pin_mut!(receiving);
        match select(waiting, receiving).await {
            Either::Left((delivery, _)) => {
                panic!("a consumer of prefetch {prefetch} holds {held} and got {delivery:?}")
            }
            Either::Right((others, _)) => others,
        }
    };
    let mut ids = BTreeSet::new();
    for delivery in holds.iter().chain(&others) {
        assert!(ids.insert(id(delivery)), "a message is with two consumers");
    }
    assert_eq!(ids, sent.iter().map(|message| message.order_id).collect());
}

/// Each settled delivery lets the consumer have another.
pub async fn settling_makes_room_for_the_next_delivery(broker: Arc<dyn Broker>) {
    publish(&*broker, &messages(12)).await;
    let mut consumer = consumer(&*broker, 2).await;
    let mut ids = BTreeSet::new();
    let mut held = next(&mut consumer).await;
    for _ in 0..11 {
        let another = next(&mut consumer).await;
        assert!(ids.insert(id(&held)));
        ack(std::mem::replace(&mut held, another)).await;
    }
    assert!(ids.insert(id(&held)));
    ack(held).await;
    assert_eq!(ids.len(), 12);
}

/// Two consumers take turns and never get the same message.
pub async fn two_consumers_share_the_queue_without_doubles(broker: Arc<dyn Broker>) {
    const COUNT: usize = 60;
    let mut one = consumer(&*broker, 1).await;
    let mut two = consumer(&*broker, 1).await;
    let sent = messages(COUNT);
    publish(&*broker, &sent).await;
    // Each has one before either settles: so both take part.
    let mut ids = BTreeSet::new();
    for _ in 0..COUNT / 2 {
        let (left, right) = (next(&mut one).await, next(&mut two).await);
        assert!(ids.insert(id(&left)) && ids.insert(id(&right)), "a message came twice");
        ack(left).await;
        ack(right).await;
    }
    assert_eq!(ids, sent.iter().map(|message| message.order_id).collect());
    stop(&mut two).await;
    assert_nothing_else_comes(&*broker, &mut one).await;
}

/// What a stopped consumer had fetched and not handed out goes to another.
pub async fn a_stopped_consumer_gives_back_what_it_had_buffered(broker: Arc<dyn Broker>) {
    let sent = messages(6);
    publish(&*broker, &sent).await;
    let mut stopping = consumer(&*broker, 10).await;
    let first = next(&mut stopping).await;
    stop(&mut stopping).await;

    let mut other = consumer(&*broker, 10).await;
    let rest = take(&mut other, 5).await;
    let ids: BTreeSet<_> = rest.iter().chain([&first]).map(id).collect();
    assert_eq!(ids, sent.iter().map(|message| message.order_id).collect());
    assert!(rest.iter().all(|delivery| delivery.attempt() == 1), "going back is no attempt");
    join_all(rest.into_iter().map(ack)).await;
    ack(first).await;
    assert_nothing_else_comes(&*broker, &mut other).await;
}

/// A consumer that is dropped does what one that stops does.
pub async fn a_dropped_consumer_gives_back_what_it_had_buffered(broker: Arc<dyn Broker>) {
    let sent = messages(6);
    publish(&*broker, &sent).await;
    let mut dropped = consumer(&*broker, 10).await;
    ack(next(&mut dropped).await).await;
    drop(dropped);

    let mut other = consumer(&*broker, 10).await;
    let ids: BTreeSet<_> = take(&mut other, 5).await.iter().map(id).collect();
    assert_eq!(ids.len(), 5);
    assert!(ids.is_subset(&sent.iter().map(|message| message.order_id).collect()));
}

/// A caller that waits at a stopped consumer learns that nothing comes any more.
pub async fn a_stopped_consumer_ends(broker: Arc<dyn Broker>) {
    publish(&*broker, &messages(3)).await;
    let mut consumer = consumer(&*broker, 2).await;
    ack(next(&mut consumer).await).await;
    stop(&mut consumer).await;
    let after = within("the consumer to end", consumer.next()).await;
    assert!(after.is_none(), "a stopped consumer handed out {after:?}");
    stop(&mut consumer).await;
}

/// However often a wait is given up, every message comes, once.
pub async fn a_cancelled_next_loses_nothing(broker: Arc<dyn Broker>) {
    const COUNT: usize = 40;
    let mut consumer = consumer(&*broker, 3).await;
    let sent = messages(COUNT);
    let publishing = tokio::spawn({
        let (broker, sent) = (Arc::clone(&broker), sent.clone());
        async move {
            for message in &sent {
                publish(&*broker, std::slice::from_ref(message)).await;
            }
        }
    });
    let mut ids = BTreeSet::new();
    let receiving = async {
        let mut patience = Duration::ZERO;
        while ids.len() < COUNT {
            match tokio::time::timeout(patience, consumer.next()).await {
                Ok(Some(delivery)) => {
                    assert!(ids.insert(id(&delivery)), "a message came twice");
                    ack(delivery).await;
                    patience = Duration::ZERO;
                }
                Ok(None) => panic!("the broker is open"),
                // The first wait is one poll; then longer, so that slow brokers get on.
                Err(_) => patience = (patience + Duration::from_micros(300)).min(PAUSE),
            }
            tokio::task::yield_now().await;
        }
    };
    within("all messages", receiving).await;
    publishing.await.expect("no task panics");
    assert_eq!(ids, sent.iter().map(|message| message.order_id).collect());
    let mut last = vec![message()];
    publish(&*broker, &last).await;
    let delivery = next(&mut consumer).await;
    assert_is(&delivery, &last.remove(0), 1);
}

/// The longest wait that is given up.
const PAUSE: Duration = Duration::from_millis(20);

fn id(delivery: &Delivery) -> crate::domain::OrderId {
    OrderMessage::parse(delivery.body()).expect("an order message").order_id
}
