//! What replicas tell of orders that were given while the store was unavailable.

use std::{sync::Arc, time::Duration};

use futures::StreamExt;
use uuid::Uuid;
use woody_core::{
    domain::{Details, NewOrder, OrderId, OrderStatus, Outcome},
    ports::{Broker, Decision, StatusChange},
    services::{OrderTracker, Pipeline, TrackedOrder},
};

use crate::shop::{Shop, order, request, within};

/// Longer than an idle replica needs to be sure of an outage.
const NOTICED: Duration = Duration::from_secs(2);

/// A replica without a worker. All of one process have one clock.
async fn replica(shop: &Shop) -> Pipeline {
    let broker = Arc::clone(&shop.broker);
    let replica = Pipeline::builder(Arc::clone(&shop.store), broker);
    replica.clocks_differ_by(Duration::ZERO).start().await.unwrap()
}

/// Lets `time` pass, and whatever happens in it.
async fn pass(time: Duration) {
    const STEP: Duration = Duration::from_millis(50);
    for _ in 0..time.as_millis() / STEP.as_millis() {
        tokio::time::advance(STEP).await;
        settle().await;
    }
}

/// Lets everything happen that needs no time.
async fn settle() {
    for _ in 0..50 {
        tokio::task::yield_now().await;
    }
}

/// Two replicas that are sure of an outage.
async fn two_in_an_outage(shop: &Shop) -> (Pipeline, Pipeline) {
    let replicas = (replica(shop).await, replica(shop).await);
    pass(NOTICED).await;
    shop.store_fault.begin();
    pass(NOTICED).await;
    replicas
}

async fn accept(replica: &Pipeline, key: Option<&str>) -> NewOrder {
    replica.intake().accept(request("Train", key)).await.unwrap().order
}

/// What a replica tells; `unavailable` when it does not know.
async fn told(replica: &Pipeline, id: OrderId) -> &'static str {
    match replica.tracker().order(id).await {
        Ok(Some(order)) => order.status.as_str(),
        Ok(None) => "unknown",
        Err(_) => "unavailable",
    }
}

async fn save(shop: &Shop, order: NewOrder) {
    let order = order.encode(Details::MAX_BYTES).unwrap();
    let outcome = Outcome::Success(None);
    let _ = shop
        .store
        .finish(&[Decision { order, outcome, redriven: false, validation: None }])
        .await
        .unwrap();
}

async fn announce(shop: &Shop, id: OrderId) {
    let change = StatusChange::new(id, &OrderStatus::Ended(Outcome::Success(None)));
    shop.broker.events().announce(&[change]).await.unwrap();
    settle().await;
}

#[tokio::test(start_paused = true)]
async fn an_order_given_during_an_outage_is_pending_on_every_replica() {
    let shop = Shop::open();
    let (one, two) = two_in_an_outage(&shop).await;
    let id = accept(&one, None).await.id;
    for replica in [&one, &two] {
        let pending = TrackedOrder { id, status: OrderStatus::Pending, stored: None };
        assert_eq!(replica.tracker().order(id).await.unwrap(), Some(pending));
    }
    pass(Duration::from_mins(10)).await;
    assert_eq!(told(&two, id).await, "pending");
}

/// It carries no time that others could read.
#[tokio::test(start_paused = true)]
async fn an_order_with_a_key_is_pending_on_the_replica_that_took_it_during_an_outage() {
    let shop = Shop::open();
    let (one, two) = two_in_an_outage(&shop).await;
    let id = accept(&one, Some("cart-42")).await.id;
    assert_eq!(told(&one, id).await, "pending");
    assert_eq!(told(&two, id).await, "unavailable");
    let other = OrderId::from_key(&request("Train", Some("cart-43")).key.unwrap());
    assert_eq!(told(&one, other).await, "unavailable");
}

#[tokio::test(start_paused = true)]
async fn a_stream_of_events_begins_with_pending_during_an_outage_and_goes_on_after_it() {
    let shop = Shop::open();
    let (one, two) = two_in_an_outage(&shop).await;
    let order = accept(&one, None).await;
    let tracker = two.tracker();
    let mut watching = Box::pin(tracker.watch(order.id).await.unwrap().unwrap());
    assert_eq!(within(watching.next()).await.unwrap().status, OrderStatus::Pending);
    shop.store_fault.end();
    save(&shop, order).await;
    assert_eq!(
        within(watching.next()).await.unwrap().status,
        OrderStatus::Ended(Outcome::Success(None))
    );
    assert!(within(watching.next()).await.is_none());
}

/// It may have ended before the store went.
#[tokio::test(start_paused = true)]
async fn an_order_given_before_a_replica_is_sure_of_an_outage_is_not_told() {
    let shop = Shop::open();
    let replica = replica(&shop).await;
    pass(NOTICED).await;
    let before = accept(&replica, None).await.id;
    shop.store_fault.begin();
    let unsure = accept(&replica, None).await.id;
    let keyed = accept(&replica, Some("cart-42")).await.id;
    pass(NOTICED).await;
    for id in [before, unsure, keyed] {
        assert_eq!(told(&replica, id).await, "unavailable");
    }
}

#[tokio::test(start_paused = true)]
async fn an_id_that_was_never_given_is_unavailable_during_an_outage_and_unknown_after_it() {
    let shop = Shop::open();
    let (one, _two) = two_in_an_outage(&shop).await;
    for never in [Uuid::now_v7(), Uuid::new_v4()] {
        assert_eq!(told(&one, OrderId::from(never)).await, "unavailable");
        shop.store_fault.end();
        assert_eq!(told(&one, OrderId::from(never)).await, "unknown");
        shop.store_fault.begin();
        pass(NOTICED).await;
    }
}

/// One answer, to whatever call, and a second outage is another.
#[tokio::test(start_paused = true)]
async fn an_answer_of_the_store_ends_an_outage() {
    let shop = Shop::open();
    let (one, two) = two_in_an_outage(&shop).await;
    let id = accept(&one, None).await.id;
    let keyed = accept(&one, Some("cart-42")).await.id;
    shop.store_fault.end();
    assert_eq!(told(&two, OrderId::from(Uuid::new_v4())).await, "unknown");
    // The breaker of its intake lets one order through, and that is an answer.
    tokio::time::advance(Duration::from_millis(600)).await;
    let _ = accept(&one, None).await;
    shop.store_fault.begin();
    assert_eq!(told(&one, id).await, "unavailable");
    assert_eq!(told(&two, id).await, "unavailable");
    pass(NOTICED).await;
    assert_eq!(told(&one, id).await, "unavailable");
    assert_eq!(told(&one, keyed).await, "unavailable");
    let later = accept(&one, None).await.id;
    assert_eq!(told(&two, later).await, "pending");
}

/// Only this replica cannot reach the store, then.
#[tokio::test(start_paused = true)]
async fn a_final_status_that_somebody_saved_ends_an_outage() {
    let shop = Shop::open();
    let (one, two) = two_in_an_outage(&shop).await;
    let (first, second) = (accept(&one, None).await.id, accept(&one, None).await.id);
    announce(&shop, first).await;
    for id in [first, second] {
        assert_eq!(told(&one, id).await, "unavailable");
        assert_eq!(told(&two, id).await, "unavailable");
    }
    // No other announcement arrives, so what is given from now on is pending again.
    pass(NOTICED).await;
    assert_eq!(told(&two, second).await, "unavailable");
    let third = accept(&one, None).await.id;
    assert_eq!(told(&two, third).await, "pending");
}

/// A tracker without announcements does not know that nothing was saved.
#[tokio::test(start_paused = true)]
async fn a_replica_that_does_not_hear_announcements_tells_nothing() {
    let shop = Shop::open();
    let tracker: OrderTracker =
        OrderTracker::new(Arc::clone(&shop.store), shop.broker.events(), Duration::from_secs(1))
            .clocks_differ_by(Duration::ZERO);
    shop.store_fault.begin();
    pass(NOTICED).await;
    assert!(tracker.order(order("Train").id).await.is_err(), "it never listened");

    let (one, _two) = two_in_an_outage(&shop).await;
    let id = accept(&one, None).await.id;
    assert_eq!(told(&one, id).await, "pending");
    shop.broker.close().await;
    settle().await;
    assert_eq!(told(&one, id).await, "unavailable");
}

#[tokio::test(start_paused = true)]
async fn an_id_from_a_clock_that_may_be_ahead_is_not_told() {
    let shop = Shop::open();
    let broker = Arc::clone(&shop.broker);
    let replica = Pipeline::builder(Arc::clone(&shop.store), broker);
    let replica = replica.clocks_differ_by(Duration::from_hours(1)).start().await.unwrap();
    shop.store_fault.begin();
    pass(NOTICED).await;
    assert_eq!(told(&replica, OrderId::fresh()).await, "unavailable");
    // It knows of those that it took itself.
    let own = accept(&replica, None).await.id;
    assert_eq!(told(&replica, own).await, "pending");
}

/// The store may be back for less time than others take to ask.
#[tokio::test(start_paused = true)]
async fn who_had_an_answer_after_an_outage_tells_the_others() {
    let shop = Shop::open();
    let (one, two) = two_in_an_outage(&shop).await;
    let id = accept(&one, None).await.id;
    shop.store_fault.end();
    assert_eq!(told(&two, OrderId::from(Uuid::new_v4())).await, "unknown");
    shop.store_fault.begin();
    settle().await;
    assert_eq!(told(&one, id).await, "unavailable");
}
