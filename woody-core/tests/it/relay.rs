use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
    time::Duration,
};

use async_trait::async_trait;
use bytes::Bytes;
use time::OffsetDateTime;
use tokio_util::sync::CancellationToken;
use woody_core::{
    contract::broker::acknowledge,
    domain::{Details, NewOrder, OrderMessage, OrderStatus, Outcome, now},
    ports::{
        Broker, BrokerAdmin, BrokerError, DeadLetter, DeadLetterId, QueueDepth, ValidateError,
        Validator, Verdict,
    },
    services::{OutboxRelay, RelaySettings},
};

use crate::shop::{Shop, next, order, request, within};

#[tokio::test]
async fn what_the_intake_stores_reaches_the_queue_without_a_sweep() {
    let shop = Shop::open();
    let relay = Arc::new(shop.relay());
    let intake = shop.intake_that_leases_for(Duration::from_hours(1), &relay);
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

/// In the lanes' hands, in the feed, and beyond its room; from before and from within the
/// outage.
#[tokio::test(start_paused = true)]
async fn what_waits_goes_out_within_two_seconds_of_the_brokers_return_and_once() {
    // Of an outage that is nearly as long as a lease, each try ends otherwise.
    let outages = [1, 10, 40].into_iter().chain(std::iter::repeat_n(14, 30));
    for outage in outages.map(Duration::from_secs) {
        let shop = Shop::open();
        let settings = RelaySettings::default().batch(3).lanes(2).waiting(8);
        let (store, admin) = (Arc::clone(&shop.store), shop.broker.admin());
        let publisher = Arc::clone(&shop.publisher);
        let relay = Arc::new(OutboxRelay::new(store, publisher, admin, settings));
        let intake = shop.intake_that_leases_for(Duration::from_secs(15), &relay);
        let running = {
            let (relay, shutdown) = (Arc::clone(&relay), shop.shutdown.clone());
            tokio::spawn(async move { relay.run(shutdown).await })
        };
        shop.broker_fault.begin();
        for _ in 0..40 {
            let _ = intake.accept(request("Train", None)).await.unwrap();
            tokio::time::sleep(outage / 40).await;
        }
        assert_eq!(shop.broker.admin().depth().await.unwrap().ready, 0);
        shop.broker_fault.end();
        let back = tokio::time::Instant::now();
        while shop.store.counts().await.unwrap().outbox > 0 {
            // The clock is the test's own.
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        assert!(back.elapsed() <= Duration::from_secs(2), "{:?} after {outage:?}", back.elapsed());
        tokio::time::sleep(Duration::from_mins(1)).await;
        assert_eq!(shop.broker.admin().depth().await.unwrap().ready, 40, "{outage:?}");
        shop.shutdown.cancel();
        within(running).await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_published_when_the_store_goes_is_cleared_when_it_is_back_and_not_sent_again() {
    let shop = Shop::open();
    let relay = Arc::new(shop.relay());
    let intake = shop.intake_that_leases_for(Duration::from_secs(15), &relay);
    let running = {
        let (relay, shutdown) = (Arc::clone(&relay), shop.shutdown.clone());
        tokio::spawn(async move { relay.run(shutdown).await })
    };
    for _ in 0..10 {
        let _ = intake.accept(request("Train", None)).await.unwrap();
    }
    while shop.broker.admin().depth().await.unwrap().ready < 10 {
        tokio::task::yield_now().await;
    }
    let waiting = shop.store.counts().await.unwrap().outbox;
    assert_eq!(waiting, 10, "a commit for each would cost more than the entries");
    shop.store_fault.begin();
    tokio::time::sleep(Duration::from_secs(5)).await;
    shop.store_fault.end();
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!(shop.store.counts().await.unwrap().outbox, 0);
    tokio::time::sleep(Duration::from_mins(1)).await;
    assert_eq!(shop.broker.admin().depth().await.unwrap().ready, 10);
    shop.shutdown.cancel();
    within(running).await.unwrap();
}

#[tokio::test]
async fn a_relay_that_is_set_to_nothing_relays_all_the_same() {
    let shop = Shop::open();
    let settings = RelaySettings::default()
        .batch(0)
        .lanes(usize::MAX)
        .waiting(usize::MAX)
        .sweep_every(Duration::ZERO)
        .reconcile_every(Duration::ZERO);
    let (store, admin) = (Arc::clone(&shop.store), shop.broker.admin());
    let relay = Arc::new(OutboxRelay::new(store, shop.broker.publisher(), admin, settings));
    let intake = shop.intake(&relay);
    let running = {
        let (relay, shutdown) = (Arc::clone(&relay), shop.shutdown.clone());
        tokio::spawn(async move { relay.run(shutdown).await })
    };
    let _ = intake.accept(request("Train", None)).await.unwrap();
    let mut consumer = shop.consumer(1).await;
    drop(next(&mut consumer).await);
    shop.shutdown.cancel();
    within(running).await.unwrap();
}

/// Stores and publishes `names`, as if the intake and a relay had.
async fn published(shop: &Shop, relay: &OutboxRelay, names: &[&str]) -> Vec<NewOrder<Details>> {
    let orders: Vec<NewOrder<Details>> = names.iter().map(|name| order(name)).collect();
    let _ = shop.store.insert(&orders, Duration::ZERO).await.unwrap();
    assert_eq!(relay.sweep().await.unwrap(), orders.len() as u64);
    orders
}

/// Takes a message off the queue behind everybody's back.
async fn lose_one(shop: &Shop) {
    let mut consumer = shop.consumer(1).await;
    let delivery = next(&mut consumer).await;
    acknowledge(delivery).await.unwrap();
    consumer.stop().await;
}

#[tokio::test]
async fn what_the_broker_lost_is_published_again_once_two_looks_have_missed_it() {
    let shop = Shop::open();
    let relay = shop.relay();
    let _ = published(&shop, &relay, &["Train", "Boat", "Plane"]).await;
    for _ in 0..2 {
        lose_one(&shop).await;
    }
    assert_eq!(relay.reconcile().await.unwrap(), 0, "nothing to compare with");
    assert_eq!(relay.reconcile().await.unwrap(), 0, "perhaps it is on its way back");
    assert_eq!(relay.reconcile().await.unwrap(), 2);
    assert_eq!(relay.sweep().await.unwrap(), 2);
    assert_eq!(shop.broker.admin().depth().await.unwrap().ready, 3);
    for _ in 0..5 {
        assert_eq!(relay.reconcile().await.unwrap(), 0);
    }
}

#[tokio::test]
async fn a_long_queue_is_not_taken_for_a_loss() {
    let shop = Shop::open();
    let relay = shop.relay();
    let _ = published(&shop, &relay, &["Train", "Boat"]).await;
    for _ in 0..5 {
        assert_eq!(relay.reconcile().await.unwrap(), 0);
    }
}

#[tokio::test]
async fn two_replicas_that_look_at_once_publish_a_lost_order_once() {
    let shop = Shop::open();
    let (one, other) = (shop.relay(), shop.relay());
    let _ = published(&shop, &one, &["Train", "Boat", "Plane"]).await;
    lose_one(&shop).await;
    let mut refilled = 0;
    for _ in 0..6 {
        let looks = tokio::join!(one.reconcile(), other.reconcile());
        refilled += looks.0.unwrap() + looks.1.unwrap();
        let _ = one.sweep().await.unwrap();
    }
    assert_eq!(refilled, 1);
}

#[tokio::test]
async fn a_depth_that_is_not_known_is_not_taken_for_an_empty_queue() {
    let shop = Shop::open();
    let depths = Arc::new(Depths(Mutex::new(VecDeque::new())));
    let relay = shop.relay_that_asks(Arc::clone(&depths) as Arc<dyn BrokerAdmin>);
    let _ = published(&shop, &relay, &["Train"]).await;
    let known = |ready| Ok(QueueDepth { ready, ..QueueDepth::default() });
    // Two looks running must know that it is missing.
    for _ in 0..4 {
        depths.0.lock().unwrap().extend([known(0), Err(())]);
        assert_eq!(relay.reconcile().await.unwrap(), 0);
        assert!(relay.reconcile().await.is_err());
    }
    assert_eq!(shop.store.counts().await.unwrap().outbox, 0);
}

/// A validation that waits holds its message, and the broker does not say so.
#[tokio::test(start_paused = true)]
async fn an_order_in_a_workers_hands_is_not_taken_for_lost() {
    let shop = Shop::open();
    let depths = Arc::new(Depths(Mutex::new(VecDeque::new())));
    let relay = shop.relay_that_asks(Arc::clone(&depths) as Arc<dyn BrokerAdmin>);
    let _ = published(&shop, &relay, &["Train"]).await;
    let worker = shop.worker(Arc::new(NeverReady));
    let ending = CancellationToken::new();
    let running = tokio::spawn(worker.run(shop.consumer(1).await, ending.clone()));
    for _ in 0..6 {
        depths.0.lock().unwrap().push_back(Ok(QueueDepth::default()));
        // Several of the worker's marks lie between two looks.
        tokio::time::sleep(Duration::from_secs(15)).await;
        assert_eq!(relay.reconcile().await.unwrap(), 0);
    }
    ending.cancel();
    running.await.unwrap();
}

/// What a broker does with a message that it has delivered too often.
#[tokio::test]
async fn an_order_whose_message_the_broker_gave_up_has_failed_and_is_not_published_again() {
    let shop = Shop::open();
    let admin = Arc::new(GaveUp(Mutex::default()));
    let relay = shop.relay_that_asks(Arc::clone(&admin) as Arc<dyn BrokerAdmin>);
    let orders = published(&shop, &relay, &["Train", "Boat", "Plane"]).await;
    *admin.0.lock().unwrap() = vec![
        letter(b"no order", None),
        letter(&OrderMessage::from(&orders[0]).to_bytes(), None),
        // A worker made this one: it saves how an order ends before that.
        letter(&OrderMessage::from(&orders[1]).to_bytes(), Some(now())),
    ];
    for look in 0..4 {
        let refilled = relay.reconcile().await.unwrap();
        assert_eq!(refilled, if look == 2 { 2 } else { 0 }, "look {look}");
    }
    let mut statuses = Vec::new();
    for order in &orders {
        statuses.push(shop.store.order(order.id).await.unwrap().unwrap().status);
    }
    let reason = "its message became a dead letter: the broker delivered it too often";
    let failed = OrderStatus::Ended(Outcome::Failed(reason.into()));
    assert_eq!(statuses, [failed, OrderStatus::Pending, OrderStatus::Pending]);
    assert_eq!(shop.store.counts().await.unwrap().outbox, 2);
}

fn letter(body: &[u8], died_at: Option<OffsetDateTime>) -> DeadLetter {
    DeadLetter {
        id: DeadLetterId::new(String::new()),
        body: Bytes::copy_from_slice(body),
        reason: "the broker delivered it too often".into(),
        attempts: 0,
        died_at,
    }
}

/// A broker whose queue is empty and that has dead letters.
struct GaveUp(Mutex<Vec<DeadLetter>>);

#[async_trait]
impl BrokerAdmin for GaveUp {
    fn queue(&self) -> String {
        "asked".into()
    }

    async fn depth(&self) -> Result<QueueDepth, BrokerError> {
        Ok(QueueDepth::default())
    }

    async fn dead_letters(&self, _: usize) -> Result<Vec<DeadLetter>, BrokerError> {
        Ok(self.0.lock().unwrap().clone())
    }

    async fn redrive(&self, _: &[DeadLetterId]) -> Result<u64, BrokerError> {
        Ok(0)
    }

    async fn resend(&self, _: &[Bytes]) -> Result<(), BrokerError> {
        Ok(())
    }

    async fn purge(&self, _: &[DeadLetterId]) -> Result<u64, BrokerError> {
        Ok(0)
    }
}

struct NeverReady;

#[async_trait]
impl Validator for NeverReady {
    async fn validate(&self, _: &NewOrder) -> Result<Verdict, ValidateError> {
        Err(ValidateError::Unavailable("the sawmill is closed".into()))
    }
}

/// What the broker answers when it is asked for its depth.
struct Depths(Mutex<VecDeque<Result<QueueDepth, ()>>>);

#[async_trait]
impl BrokerAdmin for Depths {
    fn queue(&self) -> String {
        "asked".into()
    }

    async fn depth(&self) -> Result<QueueDepth, BrokerError> {
        let next = self.0.lock().unwrap().pop_front();
        next.expect("a depth for each look").map_err(|()| BrokerError::unavailable("no leader"))
    }

    async fn dead_letters(&self, _: usize) -> Result<Vec<DeadLetter>, BrokerError> {
        Ok(Vec::new())
    }

    async fn redrive(&self, _: &[DeadLetterId]) -> Result<u64, BrokerError> {
        Ok(0)
    }

    async fn resend(&self, _: &[Bytes]) -> Result<(), BrokerError> {
        Ok(())
    }

    async fn purge(&self, _: &[DeadLetterId]) -> Result<u64, BrokerError> {
        Ok(0)
    }
}
