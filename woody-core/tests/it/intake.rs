use std::sync::Arc;

use woody_core::{
    domain::{OrderMessage, OrderStatus},
    ports::{Broker, BrokerError, StoreError},
    services::{IntakeError, IntakeSettings, Kept},
};

use crate::faulty::{SLOW, UNANSWERED, UNSTORABLE};
use crate::shop::{Shop, next, request, within};

#[tokio::test]
async fn an_accepted_order_is_stored_and_in_the_outbox() {
    let shop = Shop::open();
    let intake = shop.intake(&shop.relay());
    let accepted = intake.accept(request("Train", None)).await.unwrap();
    assert_eq!(accepted.kept, Kept::InStore);
    let stored = shop.order(accepted.order.id).await.unwrap();
    assert_eq!(stored.status, OrderStatus::Pending);
    assert_eq!(shop.store.counts().await.unwrap().outbox, 1);
}

#[tokio::test]
async fn while_the_store_is_away_the_broker_keeps_the_order() {
    let shop = Shop::open();
    let intake = shop.intake(&shop.relay());
    shop.store_fault.begin();
    // Many more than the breaker's threshold: none may be refused on the way.
    let mut promised = Vec::new();
    for _ in 0..20 {
        let accepted = intake.accept(request("Train", None)).await.unwrap();
        assert_eq!(accepted.kept, Kept::InBroker);
        promised.push(accepted.order.id);
    }
    assert!(intake.can_accept());
    let mut consumer = shop.consumer(20).await;
    let mut deliveries = Vec::new();
    for _ in 0..promised.len() {
        deliveries.push(next(&mut consumer).await);
    }
    let held = deliveries.iter().map(|one| OrderMessage::parse(one.body()).unwrap().order_id);
    assert!(held.eq(promised));
}

#[tokio::test]
async fn an_order_that_the_store_refuses_holds_up_no_other() {
    let shop = Shop::open();
    let intake = shop.intake(&shop.relay());
    let name = |n| if n == 20 { UNSTORABLE } else { "Train" };
    // All at once, so that they share a commit.
    let accepts = (0..50).map(|n| intake.accept(request(name(n), None)));
    for accepted in futures::future::join_all(accepts).await {
        let accepted = accepted.unwrap();
        let is_bad = accepted.order.details.product.as_str() == UNSTORABLE;
        assert_eq!(accepted.kept == Kept::InBroker, is_bad, "{accepted:?}");
    }
    assert_eq!(shop.store.counts().await.unwrap().pending, 49);
}

#[tokio::test(start_paused = true)]
async fn the_store_is_used_again_soon_after_it_is_back() {
    let shop = Shop::open();
    let intake = shop.intake(&shop.relay());
    shop.store_fault.begin();
    for _ in 0..20 {
        let _ = intake.accept(request("Train", None)).await.unwrap();
    }
    shop.store_fault.end();
    within(async {
        while intake.accept(request("Train", None)).await.unwrap().kept != Kept::InStore {
            tokio::time::advance(std::time::Duration::from_millis(100)).await;
        }
    })
    .await;
}

#[tokio::test]
async fn with_both_away_nothing_is_promised_and_nothing_half_done() {
    let shop = Shop::open();
    let intake = shop.intake(&shop.relay());
    shop.store_fault.begin();
    shop.broker_fault.begin();
    for _ in 0..20 {
        let refused = intake.accept(request("Train", None)).await.unwrap_err();
        let told = refused.to_string();
        let IntakeError::Unavailable { store, broker } = refused else { panic!("{told}") };
        assert!(store.since() <= broker.since());
        assert!(matches!(store.cause(), Some(StoreError::Unavailable(_))), "{told}");
        assert!(matches!(broker.cause(), Some(BrokerError::Unavailable(_))), "{told}");
    }
    assert!(!intake.can_accept());
    shop.store_fault.end();
    assert_eq!(shop.store.counts().await.unwrap().pending, 0);
    assert_eq!(shop.broker.admin().depth().await.unwrap().ready, 0);
}

#[tokio::test(start_paused = true)]
async fn a_slow_store_keeps_what_the_broker_cannot() {
    let shop = Shop::open();
    let intake = shop.intake(&shop.relay());
    shop.broker_fault.begin();
    let accepted = intake.accept(request(SLOW, None)).await.unwrap();
    assert_eq!(accepted.kept, Kept::InStore);
    assert!(shop.order(accepted.order.id).await.is_some());
}

#[tokio::test(start_paused = true)]
async fn a_silent_store_is_waited_for_no_longer_than_a_silent_broker() {
    let shop = Shop::open();
    let intake = shop.intake(&shop.relay());
    shop.broker_fault.begin();
    let settings = IntakeSettings::default();
    let began = tokio::time::Instant::now();
    let refused = intake.accept(request(UNANSWERED, None)).await.unwrap_err();
    let IntakeError::Unavailable { store, broker } = refused else { panic!("{refused}") };
    assert!(store.cause().is_none());
    assert!(broker.cause().is_some());
    // The clock is the test's own: it stands still but where something waits for it.
    assert!(began.elapsed() <= settings.store_deadline + settings.broker_deadline);
}

#[tokio::test]
async fn a_broker_that_was_closed_means_that_this_process_goes_down() {
    let shop = Shop::open();
    let intake = shop.intake(&shop.relay());
    shop.store_fault.begin();
    shop.broker.close().await;
    let refused = intake.accept(request("Train", None)).await.unwrap_err();
    assert!(matches!(refused, IntakeError::ShuttingDown), "{refused}");
}

#[tokio::test]
async fn fifty_submits_of_one_key_are_one_order() {
    let shop = Shop::open();
    let intake = Arc::new(shop.intake(&shop.relay()));
    let submits = (0..50).map(|_| {
        let intake = Arc::clone(&intake);
        tokio::spawn(async move { intake.accept(request("Train", Some("cart-1"))).await.unwrap() })
    });
    let accepted: Vec<_> =
        futures::future::join_all(submits).await.into_iter().map(Result::unwrap).collect();
    assert!(accepted.iter().all(|one| one.order.id == accepted[0].order.id));
    assert_eq!(accepted.iter().filter(|one| one.kept == Kept::InStore).count(), 1);
    assert_eq!(shop.store.counts().await.unwrap().pending, 1);
}

#[tokio::test]
async fn one_key_for_two_orders_is_refused() {
    let shop = Shop::open();
    let intake = shop.intake(&shop.relay());
    let _ = intake.accept(request("Train", Some("cart-1"))).await.unwrap();
    let refused = intake.accept(request("Boat", Some("cart-1"))).await.unwrap_err();
    assert!(matches!(refused, IntakeError::KeyReused));
}

#[tokio::test]
async fn a_key_names_the_same_order_by_either_way() {
    let shop = Shop::open();
    let intake = shop.intake(&shop.relay());
    let stored = intake.accept(request("Train", Some("cart-1"))).await.unwrap();
    shop.store_fault.begin();
    let direct = intake.accept(request("Train", Some("cart-1"))).await.unwrap();
    assert_eq!(direct.kept, Kept::InBroker);
    assert_eq!(direct.order.id, stored.order.id);
}
