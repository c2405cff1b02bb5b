//! Orders that are handed over together.

use std::{sync::Arc, time::Duration};

use tokio_util::task::TaskTracker;
use woody_broker::memory::MemoryBroker;
use woody_core::{
    domain::{Details, NewOrder, OrderMessage},
    ports::{Broker, Insert, MockOrderStore},
    services::{Accepted, IntakeError, IntakeSettings, Kept, OrderIntake, OrderRequest},
};

use crate::{
    faulty::{UNANSWERED, UNSTORABLE},
    shop::{Shop, next, request},
};

fn numbered(count: usize) -> Vec<OrderRequest> {
    (0..count).map(|n| request(&format!("Train {n}"), None)).collect()
}

fn names(results: &[Result<Accepted, IntakeError>]) -> Vec<String> {
    results.iter().map(|one| one.as_ref().unwrap().order.details.product.to_string()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_comes_together_is_stored_by_one_insert_and_answered_in_its_order() {
    let mut store = MockOrderStore::new();
    let created = |orders: &[NewOrder<Details>], _| Ok(vec![Insert::Created; orders.len()]);
    store.expect_insert().withf(|orders, _| orders.len() == 500).times(1).returning(created);
    let shop = Shop::open();
    let intake: OrderIntake = OrderIntake::start(
        Arc::new(store),
        Arc::new(MemoryBroker::new()).publisher(),
        shop.relay().feed(),
        IntakeSettings::default(),
        &TaskTracker::new(),
    );
    let accepted = intake.accept_all(numbered(500)).await;
    assert!(accepted.iter().all(|one| one.as_ref().unwrap().kept == Kept::InStore));
    assert_eq!(names(&accepted), (0..500).map(|n| format!("Train {n}")).collect::<Vec<_>>());
    assert!(intake.accept_all(Vec::<OrderRequest>::new()).await.is_empty());
}

#[tokio::test]
async fn a_bad_order_among_500_keeps_none_of_the_others_back() {
    let shop = Shop::open();
    let settings = IntakeSettings::default().details_bytes(64);
    let intake: OrderIntake = OrderIntake::start(
        Arc::clone(&shop.store),
        Arc::clone(&shop.publisher),
        shop.relay().feed(),
        settings,
        &shop.tasks,
    );
    let mut orders = numbered(500);
    orders[7] = request(&"x".repeat(100), None);
    // The store refuses the whole insert for its sake; alone it is the broker's.
    orders[400] = request(UNSTORABLE, None);
    let accepted = intake.accept_all(orders).await;
    for (n, one) in accepted.into_iter().enumerate() {
        match (n, one) {
            (7, Err(IntakeError::Details(_))) => {}
            (400, Ok(accepted)) => assert_eq!(accepted.kept, Kept::InBroker),
            (_, one) => assert_eq!(one.unwrap().kept, Kept::InStore, "{n}"),
        }
    }
    assert_eq!(shop.store.counts().await.unwrap().pending, 498);
}

#[tokio::test]
async fn of_orders_with_one_key_the_first_counts_wherever_it_is_kept() {
    let shop = Shop::open();
    let intake = shop.intake(&shop.relay());
    let batch = || {
        [
            request("Train", Some("cart-1")),
            request("Boat", Some("cart-1")),
            request("Train", Some("cart-1")),
            request("Boat", Some("cart-2")),
            request("Train", None),
            request("Train", None),
        ]
    };
    let told = |results: Vec<Result<Accepted, IntakeError>>| {
        let ids: Vec<_> =
            results.iter().map(|one| one.as_ref().ok().map(|one| one.order.id)).collect();
        assert_eq!(ids[0], ids[2]);
        assert_ne!(ids[4], ids[5], "without a key each is an order of its own");
        let kept = results.into_iter().map(|one| match one {
            Ok(accepted) => Some(accepted.kept),
            Err(IntakeError::KeyReused) => None,
            Err(error) => panic!("{error}"),
        });
        kept.collect::<Vec<_>>()
    };
    let (new, again) = (Some(Kept::InStore), Some(Kept::Already));
    assert_eq!(told(intake.accept_all(batch()).await), [new, None, again, new, new, new]);
    // The same once more: what has a key is there already.
    assert_eq!(told(intake.accept_all(batch()).await), [again, None, again, again, new, new]);
    assert_eq!(shop.store.counts().await.unwrap().pending, 6);

    shop.store_fault.begin();
    let sent = Some(Kept::InBroker);
    assert_eq!(told(intake.accept_all(batch()).await), [sent, None, sent, sent, sent, sent]);
    assert_eq!(shop.broker.admin().depth().await.unwrap().ready, 4, "one message for a key");
}

#[tokio::test]
async fn a_key_whose_first_order_cannot_be_one_is_free_for_the_next() {
    let shop = Shop::open();
    let settings = IntakeSettings::default().details_bytes(64);
    let intake: OrderIntake = OrderIntake::start(
        Arc::clone(&shop.store),
        Arc::clone(&shop.publisher),
        shop.relay().feed(),
        settings,
        &shop.tasks,
    );
    let long = "x".repeat(100);
    let batch = [request(&long, Some("cart-1")), request("Boat", Some("cart-1"))];
    let accepted = intake.accept_all(batch).await;
    assert!(matches!(accepted[0], Err(IntakeError::Details(_))));
    assert_eq!(accepted[1].as_ref().unwrap().kept, Kept::InStore);
}

#[tokio::test]
async fn while_the_store_is_away_the_broker_keeps_the_batch() {
    let shop = Shop::open();
    let intake = shop.intake(&shop.relay());
    shop.store_fault.begin();
    // More batches than the breaker's threshold: no order may be refused on the way.
    let mut promised = Vec::new();
    for _ in 0..8 {
        for accepted in intake.accept_all(numbered(40)).await {
            let accepted = accepted.unwrap();
            assert_eq!(accepted.kept, Kept::InBroker);
            promised.push(accepted.order.id);
        }
    }
    let mut consumer = shop.consumer(400).await;
    let mut deliveries = Vec::new();
    for _ in 0..promised.len() {
        deliveries.push(next(&mut consumer).await);
    }
    let held = deliveries.iter().map(|one| OrderMessage::parse(one.body()).unwrap().order_id);
    assert!(held.eq(promised));
}

#[tokio::test(start_paused = true)]
async fn an_order_whose_fate_is_unknown_is_said_to_be_so() {
    let shop = Shop::open();
    let intake = shop.intake(&shop.relay());
    shop.broker_fault.begin();
    let batch = [request("Train", None), request(UNANSWERED, None)];
    let settings = IntakeSettings::default();
    let began = tokio::time::Instant::now();
    for one in intake.accept_all(batch).await {
        assert!(matches!(one, Err(IntakeError::Unavailable { .. })), "{one:?}");
    }
    // The clock is the test's own: it stands still but where something waits for it.
    assert!(began.elapsed() <= settings.store_deadline + settings.broker_deadline);
    shop.store_fault.begin();
    for one in intake.accept_all(numbered(10)).await {
        assert!(matches!(one, Err(IntakeError::Unavailable { .. })), "{one:?}");
    }
}

#[tokio::test]
async fn of_more_than_may_wait_those_past_the_bound_are_refused_and_the_others_kept() {
    let shop = Shop::open();
    let settings = IntakeSettings::default().waiting(10).outbox_lease(Duration::ZERO);
    let intake: OrderIntake = OrderIntake::start(
        Arc::clone(&shop.store),
        Arc::clone(&shop.publisher),
        shop.relay().feed(),
        settings,
        &shop.tasks,
    );
    let accepted = intake.accept_all(numbered(15)).await;
    for (n, one) in accepted.into_iter().enumerate() {
        match one {
            Ok(accepted) => assert!(n < 10 && accepted.kept == Kept::InStore, "{n}"),
            Err(error) => assert!(n >= 10 && matches!(error, IntakeError::Overloaded), "{n}"),
        }
    }
    assert_eq!(shop.store.counts().await.unwrap().pending, 10);
}
