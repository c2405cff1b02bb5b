use std::sync::Arc;

use woody_core::{domain::OrderMessage, ports::Broker};

use crate::shop::{Shop, next, order, request, within};

#[tokio::test]
async fn what_the_intake_stores_reaches_the_queue_without_a_sweep() {
    let shop = Shop::open();
    let relay = Arc::new(shop.relay());
    let intake = shop.intake(&relay);
    let running = {
        let (relay, shutdown) = (Arc::clone(&relay), shop.shutdown.clone());
        tokio::spawn(async move { relay.run(shutdown).await })
    };
    let accepted = intake.accept(request("Train", None)).await.unwrap();
    let mut consumer = shop.consumer(1).await;
    let delivery = next(&mut consumer).await;
    assert_eq!(OrderMessage::parse(delivery.body()).unwrap().order_id, accepted.order.id);
    within(async {
        while shop.store.counts().await.unwrap().outbox > 0 {
            tokio::task::yield_now().await;
        }
    })
    .await;
    shop.shutdown.cancel();
    within(running).await.unwrap();
}

#[tokio::test]
async fn what_waits_when_the_process_ends_is_published_on_the_way_out() {
    let shop = Shop::open();
    let relay = shop.relay();
    let intake = shop.intake(&relay);
    for _ in 0..10 {
        let _ = intake.accept(request("Train", None)).await.unwrap();
    }
    shop.shutdown.cancel();
    within(relay.run(shop.shutdown.clone())).await;
    assert_eq!(shop.broker.admin().depth().await.unwrap().ready, 10);
    assert_eq!(shop.store.counts().await.unwrap().outbox, 0);
}

#[tokio::test]
async fn a_flush_publishes_what_was_fed_and_says_what_it_could_not() {
    let shop = Shop::open();
    let relay = shop.relay();
    let intake = shop.intake(&relay);
    for _ in 0..3 {
        let _ = intake.accept(request("Train", None)).await.unwrap();
    }
    assert_eq!(relay.flush().await.unwrap(), 3);
    assert_eq!(relay.flush().await.unwrap(), 0);
    let _ = intake.accept(request("Boat", None)).await.unwrap();
    shop.broker_fault.begin();
    assert!(relay.flush().await.is_err());
    assert_eq!(shop.store.counts().await.unwrap().outbox, 1);
    assert_eq!(shop.broker.admin().depth().await.unwrap().ready, 3);
}

#[tokio::test]
async fn while_the_broker_is_away_orders_wait_in_the_outbox() {
    let shop = Shop::open();
    let relay = shop.relay();
    let intake = shop.intake(&relay);
    shop.broker_fault.begin();
    for _ in 0..10 {
        let _ = intake.accept(request("Train", None)).await.unwrap();
    }
    assert!(relay.sweep().await.is_err());
    assert_eq!(shop.store.counts().await.unwrap().outbox, 10);
    shop.broker_fault.end();
    assert_eq!(relay.sweep().await.unwrap(), 10);
    assert_eq!(shop.broker.admin().depth().await.unwrap().ready, 10);
    assert_eq!(shop.store.counts().await.unwrap().outbox, 0);
}

#[tokio::test]
async fn a_broker_that_lost_everything_is_refilled() {
    let shop = Shop::open();
    let relay = shop.relay();
    for name in ["Train", "Boat"] {
        shop.store.insert(&[order(name)], std::time::Duration::ZERO).await.unwrap();
    }
    // As if both had been published, and the broker's disk had been lost since.
    let claimed = shop.store.claim_outbox(10, std::time::Duration::ZERO).await.unwrap();
    let ids: Vec<_> = claimed.iter().map(|order| order.id).collect();
    shop.store.clear_outbox(&ids).await.unwrap();

    assert_eq!(relay.reconcile().await.unwrap(), 2);
    assert_eq!(relay.sweep().await.unwrap(), 2);
    assert_eq!(shop.broker.admin().depth().await.unwrap().ready, 2);
}

#[tokio::test]
async fn a_long_queue_is_not_taken_for_a_loss() {
    let shop = Shop::open();
    let relay = shop.relay();
    shop.store.insert(&[order("Train"), order("Boat")], std::time::Duration::ZERO).await.unwrap();
    assert_eq!(relay.sweep().await.unwrap(), 2);
    assert_eq!(relay.reconcile().await.unwrap(), 0);
}
