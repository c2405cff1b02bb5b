//! A store that is continued from a copy which lagged behind.

use std::{sync::Arc, time::Duration};

use tokio_util::sync::CancellationToken;
use woody_core::{
    domain::{OrderId, OrderStatus, Outcome},
    ports::{Decision, OrderStore, StoreError},
    services::{Accepted, Cancellation, IntakeSettings, OrderIntake},
};
use woody_store::MemoryStore;

use crate::shop::{Shop, request, within};

const EVERY: Duration = Duration::from_millis(5);

/// A shop whose intake keeps its promises, and what ends that.
async fn open(settings: IntakeSettings) -> (Shop, Arc<OrderIntake>, CancellationToken) {
    let shop = Shop::open();
    let relay = shop.relay();
    let intake = Arc::new(OrderIntake::start(
        Arc::clone(&shop.store),
        Arc::clone(&shop.publisher),
        relay.feed(),
        settings.outbox_lease(Duration::ZERO),
        &shop.tasks,
    ));
    let until = CancellationToken::new();
    tokio::spawn(intake.keep_promises(EVERY, until.clone()));
    // It has looked once: whatever comes is another timeline.
    tokio::time::sleep(10 * EVERY).await;
    (shop, intake, until)
}

async fn accept(intake: &OrderIntake, count: usize) -> Vec<Accepted> {
    let mut accepted = Vec::new();
    for toy in 0..count {
        accepted.push(intake.accept(request(&format!("Toy {toy}"), None)).await.unwrap());
    }
    accepted
}

/// A copy that has these orders.
async fn copy(orders: &[Accepted]) -> Arc<MemoryStore> {
    let copy = Arc::new(MemoryStore::new());
    let there = orders.iter().map(|accepted| accepted.order.encode(1_024).unwrap());
    copy.insert(&there.collect::<Vec<_>>(), Duration::ZERO).await.unwrap();
    copy
}

async fn status(store: &MemoryStore, id: OrderId) -> Option<OrderStatus> {
    store.order(id).await.unwrap().map(|order| order.status)
}

async fn becomes(store: &MemoryStore, id: OrderId, expected: &OrderStatus) {
    within(async {
        while status(store, id).await.as_ref() != Some(expected) {
            tokio::time::sleep(EVERY).await;
        }
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn what_a_copy_lacks_of_what_was_promised_is_written_again() {
    let (shop, intake, _until) = open(IntakeSettings::default()).await;
    let orders = accept(&intake, 10).await;
    let cancelled = orders[8].order.id;
    assert_eq!(intake.cancel(cancelled, None).await.unwrap(), Cancellation::Cancelled);
    let copy = copy(&orders[..4]).await;
    let ended = Outcome::Success(None);
    let first = orders[0].order.encode(1_024).unwrap();
    copy.finish(&[Decision {
        order: first,
        outcome: ended.clone(),
        redriven: false,
        validation: None,
    }])
    .await
    .unwrap();
    copy.clear_outbox(&orders[..4].iter().map(|one| one.order.id).collect::<Vec<_>>())
        .await
        .unwrap();

    shop.copies.fail_over(Arc::clone(&copy) as Arc<dyn OrderStore>);
    becomes(&copy, cancelled, &Outcome::Cancelled(None).into()).await;
    becomes(&copy, orders[9].order.id, &OrderStatus::Pending).await;
    for one in &orders[1..8] {
        assert_eq!(status(&copy, one.order.id).await, Some(OrderStatus::Pending));
        let kept = copy.order(one.order.id).await.unwrap().unwrap();
        assert_eq!(kept.accepted_at, one.order.accepted_at);
    }
    assert_eq!(status(&copy, orders[0].order.id).await, Some(ended.into()), "it had ended");
    // Those that were missing are published again, and no other.
    let waiting = copy.claim_outbox(100, Duration::ZERO).await.unwrap();
    assert_eq!(waiting.len(), 5, "4 to 7 and 9");
}

#[tokio::test(start_paused = true)]
async fn a_copy_that_goes_away_at_once_is_written_once_it_is_back() {
    let (shop, intake, _until) = open(IntakeSettings::default()).await;
    let orders = accept(&intake, 1_200).await;
    let copy = copy(&[]).await;
    shop.store_fault.begin();
    shop.copies.fail_over(Arc::clone(&copy) as Arc<dyn OrderStore>);
    tokio::time::sleep(100 * EVERY).await;
    shop.store_fault.end();
    for one in &orders {
        becomes(&copy, one.order.id, &OrderStatus::Pending).await;
    }
}

#[tokio::test(start_paused = true)]
async fn no_more_is_remembered_than_there_is_room_for() {
    let (shop, intake, _until) = open(IntakeSettings::default().promises_bytes(1_000)).await;
    let orders = accept(&intake, 100).await;
    let copy = copy(&[]).await;
    shop.copies.fail_over(Arc::clone(&copy) as Arc<dyn OrderStore>);
    becomes(&copy, orders[99].order.id, &OrderStatus::Pending).await;
    let kept = copy.counts().await.unwrap().pending;
    assert!((2..10).contains(&kept), "{kept}");
    assert!(status(&copy, orders[100 - usize::try_from(kept).unwrap()].order.id).await.is_some());
}

#[tokio::test(start_paused = true)]
async fn it_ends_when_it_is_told_and_where_there_is_no_copy() {
    let (_shop, intake, until) = open(IntakeSettings::default()).await;
    until.cancel();
    within(intake.keep_promises(EVERY, until)).await;

    let shop = Shop::open();
    let alone: OrderIntake = OrderIntake::start(
        Arc::new(MemoryStore::new()),
        Arc::clone(&shop.publisher),
        shop.relay().feed(),
        IntakeSettings::default(),
        &shop.tasks,
    );
    within(alone.keep_promises(EVERY, CancellationToken::new())).await;
    assert_eq!(
        MemoryStore::new().timeline().await.map_err(|error: StoreError| error.to_string()),
        Ok(None)
    );
}
