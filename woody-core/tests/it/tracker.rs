use std::{sync::Arc, time::Duration};

use futures::{StreamExt, future::join_all};
use uuid::Uuid;
use woody_broker::memory::MemoryBroker;
use woody_core::{
    domain::{Details, NewOrder, Order, OrderId, OrderStatus, Outcome},
    ports::{Broker, Decision, MockOrderStore, StatusChange, StoreError, record},
    services::{OrderTracker, TrackedOrder},
};

use crate::shop::{Shop, order, request, within};

fn tracker(shop: &Shop, look_every: Duration) -> Arc<OrderTracker> {
    Arc::new(OrderTracker::new(Arc::clone(&shop.store), shop.broker.events(), look_every))
}

async fn decide(shop: &Shop, order: NewOrder<Details>) {
    let decision =
        Decision { order, outcome: Outcome::Success(None), redriven: false, validation: None };
    let _ = record(shop.store.as_ref(), &[decision]).await.unwrap();
}

fn words(seen: &[TrackedOrder]) -> Vec<&'static str> {
    seen.iter().map(|order| order.status.as_str()).collect()
}

#[tokio::test]
async fn an_announcement_makes_a_watcher_look() {
    let shop = Shop::open();
    // It would not look by itself within this test's patience.
    let tracker = tracker(&shop, Duration::from_hours(1));
    let listening = {
        let (tracker, shutdown) = (Arc::clone(&tracker), shop.shutdown.clone());
        tokio::spawn(async move { tracker.run(shutdown).await })
    };
    let train = order("Train");
    shop.store.insert(std::slice::from_ref(&train), Duration::ZERO).await.unwrap();
    let mut watching = Box::pin(tracker.watch(train.id).await.unwrap().unwrap());
    let mut seen = vec![watching.next().await.unwrap()];
    decide(&shop, train.clone()).await;
    // The tracker may not be listening yet, so it is told until it has heard.
    let status = shop.order(train.id).await.unwrap().status;
    let announcing = async {
        loop {
            shop.broker.events().announce(&[StatusChange::new(train.id, &status)]).await.unwrap();
            tokio::task::yield_now().await;
        }
    };
    tokio::select! {
        next = within(watching.next()) => seen.push(next.unwrap()),
        () = announcing => {}
    }
    assert_eq!(words(&seen), ["pending", "success"]);
    assert!(within(watching.next()).await.is_none());
    shop.shutdown.cancel();
    within(listening).await.unwrap();
}

#[tokio::test]
async fn without_any_announcement_a_watcher_still_finds_out() {
    let shop = Shop::open();
    let tracker = tracker(&shop, Duration::from_millis(1));
    let train = order("Train");
    shop.store.insert(std::slice::from_ref(&train), Duration::ZERO).await.unwrap();
    let watching = tracker.watch(train.id).await.unwrap().unwrap();
    decide(&shop, train).await;
    let seen: Vec<TrackedOrder> = within(watching.collect()).await;
    assert_eq!(words(&seen), ["pending", "success"]);
}

#[tokio::test]
async fn a_finished_order_is_shown_once() {
    let shop = Shop::open();
    let tracker = tracker(&shop, Duration::from_hours(1));
    let train = order("Train");
    decide(&shop, train.clone()).await;
    let seen: Vec<TrackedOrder> =
        within(tracker.watch(train.id).await.unwrap().unwrap().collect()).await;
    assert_eq!(words(&seen), ["success"]);
}

#[tokio::test]
async fn an_unknown_order_is_not_watched() {
    let shop = Shop::open();
    let tracker = tracker(&shop, Duration::from_hours(1));
    assert!(tracker.watch(OrderId::from(Uuid::new_v4())).await.unwrap().is_none());
    assert_eq!(tracker.watching(), 0);
}

#[tokio::test]
async fn the_last_watcher_to_leave_is_forgotten() {
    let shop = Shop::open();
    let tracker = tracker(&shop, Duration::from_hours(1));
    let train = order("Train");
    shop.store.insert(std::slice::from_ref(&train), Duration::ZERO).await.unwrap();
    let one = tracker.watch(train.id).await.unwrap().unwrap();
    let two = tracker.watch(train.id).await.unwrap().unwrap();
    assert_eq!(tracker.watching(), 1);
    drop(one);
    assert_eq!(tracker.watching(), 1);
    drop(two);
    assert_eq!(tracker.watching(), 0);
}

/// The store was unavailable when it was accepted, and no worker has written it yet.
#[tokio::test]
async fn an_order_that_only_the_broker_has_is_pending_until_a_worker_writes_it() {
    let shop = Shop::open();
    let relay = shop.relay();
    let intake = shop.intake(&relay);
    let tracker = tracker(&shop, Duration::from_millis(1));
    for key in [None, Some("cart-42")] {
        shop.store_fault.begin();
        let accepted = intake.accept(request("Train", key)).await.unwrap();
        shop.store_fault.end();
        let id = accepted.order.id;
        let pending = TrackedOrder { id, status: OrderStatus::Pending, stored: None };
        assert_eq!(tracker.order(id).await.unwrap(), Some(pending.clone()));

        let mut watching = Box::pin(tracker.watch(id).await.unwrap().unwrap());
        assert_eq!(within(watching.next()).await, Some(pending));
        let outcome = Outcome::Success(None);
        let decision = Decision {
            order: accepted.order.encode(Details::MAX_BYTES).unwrap(),
            outcome,
            redriven: false,
            validation: None,
        };
        let _ = shop.store.finish(&[decision]).await.unwrap();
        let ended = within(watching.next()).await.unwrap();
        assert_eq!(ended.status, OrderStatus::Ended(Outcome::Success(None)));
        assert!(ended.stored.is_some());
        assert_eq!(within(watching.next()).await, None);
    }
}

/// It may have ended: pending after success would be a step back.
#[tokio::test]
async fn while_the_store_is_away_nobody_says_where_an_order_stands() {
    let shop = Shop::open();
    let tracker = tracker(&shop, Duration::from_millis(1));
    shop.store_fault.begin();
    assert!(tracker.order(OrderId::fresh()).await.is_err());
}

fn order_at(id: OrderId, status: OrderStatus) -> Order<Details> {
    let NewOrder { details, accepted_at, .. } = order("Train");
    let finished_at = status.is_final().then_some(accepted_at);
    Order { id, details, status, accepted_at, finished_at, trace: None, client: None }
}

/// A tracker of a store that has every order, pending when one is read by itself and ended when
/// many are, which happens `looks` times; `spoilt` cannot be read then.
fn tracker_of_many(looks: usize, spoilt: Option<OrderId>) -> OrderTracker {
    let mut store = MockOrderStore::new();
    store.expect_order().returning(|id| Ok(Some(order_at(id, OrderStatus::Pending))));
    let found = move |id: &OrderId| {
        if spoilt == Some(*id) {
            return Err(StoreError::Corrupt("damaged".into()));
        }
        Ok(Some(order_at(*id, OrderStatus::Ended(Outcome::Success(None)))))
    };
    let all = move |ids: &[OrderId]| Ok(ids.iter().map(found).collect());
    store.expect_orders_by_id().times(looks).returning(all);
    let events = MemoryBroker::new().events();
    OrderTracker::new(Arc::new(store), events, Duration::from_secs(2))
}

#[tokio::test(start_paused = true)]
async fn watchers_that_look_at_the_same_time_share_a_statement() {
    let tracker = tracker_of_many(1, None);
    let mut watchers = Vec::new();
    for _ in 0..100 {
        watchers.push(tracker.watch(OrderId::fresh()).await.unwrap().unwrap().collect());
    }
    let seen: Vec<Vec<TrackedOrder>> = join_all(watchers).await;
    assert!(seen.iter().all(|seen| words(seen) == ["pending", "success"]));
}

#[tokio::test(start_paused = true)]
async fn an_order_that_cannot_be_read_keeps_only_its_own_watcher_waiting() {
    let spoilt = OrderId::fresh();
    let tracker = tracker_of_many(1, Some(spoilt));
    let mut watching = Box::pin(tracker.watch(spoilt).await.unwrap().unwrap());
    assert!(watching.next().await.is_some());
    let mut others = Vec::new();
    for _ in 0..9 {
        others.push(tracker.watch(OrderId::fresh()).await.unwrap().unwrap().collect());
    }
    let seen: Vec<Vec<TrackedOrder>> = tokio::select! {
        biased;
        shown = watching.next() => panic!("it cannot be read: {shown:?}"),
        seen = join_all(others) => seen,
    };
    assert!(seen.iter().all(|seen| words(seen) == ["pending", "success"]));
}
