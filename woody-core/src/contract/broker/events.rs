use std::sync::Arc;

use futures::StreamExt;

use super::steps::within;
use crate::{
    domain::{OrderId, OrderStatus, Outcome},
    ports::{Broker, StatusChange},
};

/// Every subscriber hears of every change, in order.
pub async fn events_reach_every_subscriber(broker: Arc<dyn Broker>) {
    let events = broker.events();
    let mut subscribers = Vec::new();
    for _ in 0..3 {
        let stream = within("a subscription", broker.events().subscribe()).await;
        subscribers.push(stream.expect("listening begins"));
    }
    let statuses = [
        OrderStatus::Ended(Outcome::Success(None)),
        OrderStatus::Ended(Outcome::Success(Some("1 sheet".into()))),
        OrderStatus::Ended(Outcome::Rejected("too large, naïve \"part\"".into())),
        OrderStatus::Ended(Outcome::Failed("no".into())),
    ];
    let changes = statuses.map(|status| StatusChange::new(OrderId::fresh(), &status));
    within("an announcement", events.announce(&changes[..1])).await.expect("it is announced");
    within("an announcement", events.announce(&changes[1..])).await.expect("it is announced");
    for stream in &mut subscribers {
        for change in &changes {
            let heard = within("a change", stream.next()).await;
            assert_eq!(heard.as_ref(), Some(change));
        }
    }
    // One that leaves takes nothing from the others.
    drop(subscribers.remove(0));
    within("an announcement", events.announce(&changes[..1])).await.expect("it is announced");
    for stream in &mut subscribers {
        assert_eq!(within("a change", stream.next()).await.as_ref(), Some(&changes[0]));
    }
}

/// Announcing does not need a subscriber.
pub async fn a_change_announced_to_nobody_is_no_error(broker: Arc<dyn Broker>) {
    let change = StatusChange::new(OrderId::fresh(), &OrderStatus::Ended(Outcome::Success(None)));
    let events = broker.events();
    let batch = [change];
    within("an announcement", events.announce(&batch)).await.expect("it is announced");
    within("an announcement", events.announce(&[])).await.expect("nothing is announced");
}
