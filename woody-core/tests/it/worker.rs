use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering},
};

use async_trait::async_trait;
use bytes::Bytes;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use woody_core::{
    domain::{Details, NewOrder, OrderStatus, Outcome},
    ports::{Broker, Decision, Delivery, OrderStore, ValidateError, Validator, Verdict},
    services::{Handled, OrderWorker},
};

use crate::faulty::UNSTORABLE;
use crate::shop::{Shop, next, order, within};

/// Does what the product's name says, and counts.
#[derive(Default)]
pub struct AsNamed {
    pub validations: AtomicU32,
}

#[async_trait]
impl Validator for AsNamed {
    async fn validate(&self, order: &NewOrder) -> Result<Verdict, ValidateError> {
        let nth = self.validations.fetch_add(1, Ordering::SeqCst) + 1;
        match order.details.product.as_str() {
            "too large" => Ok(Verdict::Rejected("larger than any sheet".into())),
            "fails" => Err(ValidateError::Transient("saw is stuck".into())),
            "fails twice" if nth <= 2 => Err(ValidateError::Transient("saw is stuck".into())),
            "hopeless" => Err(ValidateError::Permanent("no such wood".into())),
            "away twice" if nth <= 2 => Err(ValidateError::Unavailable("closed".into())),
            "refused" => Err(ValidateError::Refused("no right to read".into())),
            "undecided" => Err(ValidateError::Undecided("no order succeeds".into())),
            "panics" => panic!("splinter"),
            "hangs" => std::future::pending().await,
            _ => Ok(Verdict::Success(Some("1 sheet".into()))),
        }
    }
}

pub async fn handle(shop: &Shop, validator: &Arc<AsNamed>, times: usize) -> Vec<Handled> {
    let worker = shop.worker(Arc::clone(validator) as Arc<dyn Validator>);
    let mut consumer = shop.consumer(1).await;
    let mut handled = Vec::new();
    for _ in 0..times {
        let delivery = next(&mut consumer).await;
        handled.push(within(worker.handle(delivery, &shop.shutdown)).await);
    }
    consumer.stop().await;
    handled
}

pub async fn nothing_is_left(shop: &Shop) {
    let depth = shop.broker.admin().depth().await.unwrap();
    assert_eq!((depth.ready, depth.in_flight, depth.delayed), (0, Some(0), 0));
}

#[tokio::test]
async fn a_good_order_succeeds_and_its_message_is_gone() {
    let (shop, validator) = (Shop::open(), Arc::default());
    let train = order("Train");
    shop.publish(&train).await;
    assert_eq!(handle(&shop, &validator, 1).await, [Handled::Decided]);
    let stored = shop.order(train.id).await.unwrap();
    assert_eq!(stored.status, OrderStatus::Ended(Outcome::Success(Some("1 sheet".into()))));
    assert!(stored.finished_at.is_some());
    nothing_is_left(&shop).await;
}

#[tokio::test]
async fn a_refused_order_is_rejected_with_its_reason() {
    let (shop, validator) = (Shop::open(), Arc::default());
    let huge = order("too large");
    shop.publish(&huge).await;
    assert_eq!(handle(&shop, &validator, 1).await, [Handled::Decided]);
    let status = shop.order(huge.id).await.unwrap().status;
    assert_eq!(status, OrderStatus::Ended(Outcome::Rejected("larger than any sheet".into())));
}

#[tokio::test]
async fn the_second_delivery_of_an_order_changes_nothing() {
    let (shop, validator) = (Shop::open(), Arc::default());
    let train = order("Train");
    shop.publish(&train).await;
    shop.publish(&train).await;
    assert_eq!(handle(&shop, &validator, 2).await, [Handled::Decided, Handled::Duplicate]);
    assert_eq!(shop.store.counts().await.unwrap().success, 1);
    nothing_is_left(&shop).await;
}

#[tokio::test]
async fn a_validation_that_fails_for_now_is_tried_again() {
    let (shop, validator) = (Shop::open(), Arc::<AsNamed>::default());
    let stubborn = order("fails twice");
    shop.publish(&stubborn).await;
    let handled = handle(&shop, &validator, 3).await;
    assert_eq!(handled, [Handled::Retry, Handled::Retry, Handled::Decided]);
    assert!(matches!(
        shop.order(stubborn.id).await.unwrap().status,
        OrderStatus::Ended(Outcome::Success(_))
    ));
    nothing_is_left(&shop).await;
}

#[tokio::test]
async fn after_the_last_attempt_the_order_fails_and_the_message_is_a_dead_letter() {
    for name in ["fails", "panics"] {
        let (shop, validator) = (Shop::open(), Arc::default());
        let doomed = order(name);
        shop.publish(&doomed).await;
        let handled = handle(&shop, &validator, 3).await;
        assert_eq!(handled, [Handled::Retry, Handled::Retry, Handled::GivenUp]);
        let status = shop.order(doomed.id).await.unwrap().status;
        assert!(matches!(status, OrderStatus::Ended(Outcome::Failed(_))), "{status:?}");
        let dead = shop.broker.admin().dead_letters(10).await.unwrap();
        assert_eq!(dead.len(), 1);
        assert_eq!(Some(&dead[0].reason), status.reason());
        nothing_is_left(&shop).await;
    }
}

#[tokio::test]
async fn a_permanent_error_is_given_up_at_once() {
    let (shop, validator) = (Shop::open(), Arc::default());
    shop.publish(&order("hopeless")).await;
    assert_eq!(handle(&shop, &validator, 1).await, [Handled::GivenUp]);
}

#[tokio::test(start_paused = true)]
async fn a_validation_that_hangs_is_cut_off_and_tried_again() {
    let (shop, validator) = (Shop::open(), Arc::default());
    shop.publish(&order("hangs")).await;
    assert_eq!(handle(&shop, &validator, 1).await, [Handled::Retry]);
}

#[tokio::test]
async fn a_dependency_that_is_away_costs_no_attempt() {
    let (shop, validator) = (Shop::open(), Arc::default());
    shop.publish(&order("away twice")).await;
    assert_eq!(handle(&shop, &validator, 1).await, [Handled::Decided]);
}

#[tokio::test]
async fn poison_goes_to_the_dead_letters_at_once() {
    let (shop, validator) = (Shop::open(), Arc::<AsNamed>::default());
    let bodies = ["not json", "{}", r#"{"order_id": "1", "product": "x"}"#];
    let poison: Vec<Bytes> =
        bodies.iter().map(|body| Bytes::from_static(body.as_bytes())).collect();
    shop.broker.publisher().send(&poison).await.unwrap();
    assert_eq!(handle(&shop, &validator, 3).await, [Handled::Poison; 3]);
    assert_eq!(validator.validations.load(Ordering::SeqCst), 0);
    let dead = shop.broker.admin().dead_letters(10).await.unwrap();
    assert!(dead.iter().all(|letter| letter.reason.as_str().contains("malformed")));
    assert_eq!(
        dead.iter().map(|letter| &letter.body).collect::<Vec<_>>(),
        poison.iter().collect::<Vec<_>>()
    );
}

#[tokio::test]
async fn a_verdict_waits_for_the_store_and_is_not_reached_twice() {
    let (shop, validator) = (Shop::open(), Arc::<AsNamed>::default());
    let train = order("Train");
    shop.publish(&train).await;
    shop.store_fault.begin();
    let worker = shop.worker(Arc::clone(&validator) as Arc<dyn Validator>);
    let consumer = shop.consumer(1).await;
    let running = tokio::spawn(Arc::clone(&worker).run(consumer, shop.shutdown.clone()));
    within(async {
        while worker.store_is_up() {
            tokio::task::yield_now().await;
        }
    })
    .await;
    shop.store_fault.end();
    shop.ended(train.id).await;
    assert_eq!(validator.validations.load(Ordering::SeqCst), 1);
    shop.shutdown.cancel();
    within(running).await.unwrap();
    nothing_is_left(&shop).await;
}

/// Counts how many validations run at once, and lets them end by permits.
struct Gate {
    permits: Semaphore,
    running: AtomicU32,
    most: AtomicU32,
}

#[async_trait]
impl Validator for Gate {
    async fn validate(&self, _: &NewOrder) -> Result<Verdict, ValidateError> {
        let running = self.running.fetch_add(1, Ordering::SeqCst) + 1;
        self.most.fetch_max(running, Ordering::SeqCst);
        self.permits.acquire().await.unwrap().forget();
        self.running.fetch_sub(1, Ordering::SeqCst);
        Ok(Verdict::Success(None))
    }
}

#[tokio::test]
async fn the_prefetch_is_how_many_are_validated_at_once() {
    for prefetch in [1, 4] {
        let shop = Shop::open();
        let gate = Arc::new(Gate {
            permits: Semaphore::new(0),
            running: AtomicU32::new(0),
            most: AtomicU32::new(0),
        });
        let orders: Vec<NewOrder<Details>> = (0..12).map(|n| order(&format!("Toy {n}"))).collect();
        for order in &orders {
            shop.publish(order).await;
        }
        let worker = shop.worker(Arc::clone(&gate) as Arc<dyn Validator>);
        let consumer = shop.consumer(prefetch).await;
        let running = tokio::spawn(worker.run(consumer, shop.shutdown.clone()));
        for order in &orders {
            within(async {
                while gate.running.load(Ordering::SeqCst) == 0 {
                    tokio::task::yield_now().await;
                }
            })
            .await;
            gate.permits.add_permits(1);
            let _ = order;
        }
        for order in &orders {
            shop.ended(order.id).await;
        }
        assert!(gate.most.load(Ordering::SeqCst) <= u32::from(prefetch));
        shop.shutdown.cancel();
        within(running).await.unwrap();
    }
}

#[tokio::test]
async fn what_is_under_way_at_shutdown_is_finished() {
    let shop = Shop::open();
    let gate = Arc::new(Gate {
        permits: Semaphore::new(0),
        running: AtomicU32::new(0),
        most: AtomicU32::new(0),
    });
    let train = order("Train");
    shop.publish(&train).await;
    shop.publish(&order("Boat")).await;
    let worker = shop.worker(Arc::clone(&gate) as Arc<dyn Validator>);
    let consumer = shop.consumer(1).await;
    let running = tokio::spawn(worker.run(consumer, shop.shutdown.clone()));
    within(async {
        while gate.running.load(Ordering::SeqCst) == 0 {
            tokio::task::yield_now().await;
        }
    })
    .await;
    shop.shutdown.cancel();
    gate.permits.add_permits(1);
    within(running).await.unwrap();
    assert!(shop.order(train.id).await.unwrap().status.is_final());
    // The second order was never begun: its message waits for another worker.
    assert_eq!(shop.broker.admin().depth().await.unwrap().ready, 1);
}

#[tokio::test]
async fn a_worker_that_is_dropped_gives_its_deliveries_back() {
    let shop = Shop::open();
    shop.publish(&order("hangs")).await;
    let validator = Arc::<AsNamed>::default();
    let worker = shop.worker(Arc::clone(&validator) as Arc<dyn Validator>);
    let consumer = shop.consumer(1).await;
    let running = tokio::spawn(worker.run(consumer, shop.shutdown.clone()));
    within(async {
        while validator.validations.load(Ordering::SeqCst) == 0 {
            tokio::task::yield_now().await;
        }
    })
    .await;
    running.abort();
    let mut other = shop.consumer(1).await;
    let again = next(&mut other).await;
    assert_eq!(again.attempt(), 1);
}

#[tokio::test]
async fn a_redriven_order_reaches_the_verdict_it_never_got() {
    let (shop, validator) = (Shop::open(), Arc::<AsNamed>::default());
    let mended = order("fails twice");
    let failed = Decision {
        order: mended.clone(),
        outcome: Outcome::Failed("saw is stuck".into()),
        redriven: false,
        validation: None,
    };
    let _ = shop.store.finish(&[failed]).await.unwrap();
    validator.validations.store(2, Ordering::SeqCst);
    shop.publish(&mended).await;
    let mut consumer = shop.consumer(1).await;
    next(&mut consumer).await.dead_letter("saw is stuck".into()).await.unwrap();
    consumer.stop().await;
    let dead = shop.broker.admin().dead_letters(1).await.unwrap();
    assert_eq!(shop.broker.admin().redrive(&[dead[0].id.clone()]).await.unwrap(), 1);
    assert_eq!(handle(&shop, &validator, 1).await, [Handled::Decided]);
    assert!(matches!(
        shop.order(mended.id).await.unwrap().status,
        OrderStatus::Ended(Outcome::Success(_))
    ));
}

/// Stores `order` as failed, as a worker does before it moves the message.
async fn fail(shop: &Shop, order: &NewOrder<Details>) {
    let failed = Decision {
        order: order.clone(),
        outcome: Outcome::Failed("saw is stuck".into()),
        redriven: false,
        validation: None,
    };
    let _ = shop.store.finish(&[failed]).await.unwrap();
}

async fn is_the_only_dead_letter(shop: &Shop, order: &NewOrder<Details>) {
    let dead = shop.broker.admin().dead_letters(10).await.unwrap();
    assert_eq!(dead.len(), 1);
    let message = woody_core::domain::OrderMessage::parse(&dead[0].body).unwrap();
    assert_eq!(message.order_id, order.id);
    nothing_is_left(shop).await;
}

#[tokio::test]
async fn a_worker_that_died_between_failing_an_order_and_its_dead_letter_leaves_both() {
    let (shop, validator) = (Shop::open(), Arc::<AsNamed>::default());
    let doomed = order("hopeless");
    shop.publish(&doomed).await;
    let mut consumer = shop.consumer(1).await;
    let held = next(&mut consumer).await;
    fail(&shop, &doomed).await;
    drop(held);
    consumer.stop().await;
    assert_eq!(handle(&shop, &validator, 1).await, [Handled::Duplicate]);
    is_the_only_dead_letter(&shop, &doomed).await;
}

#[tokio::test]
async fn a_failure_that_was_saved_without_an_answer_is_a_dead_letter_too() {
    let shop = Shop::open();
    let doomed = order("hopeless");
    shop.publish(&doomed).await;
    let worker = shop.worker(Arc::new(SavedBefore(Arc::clone(&shop.store))));
    let mut consumer = shop.consumer(1).await;
    let delivery = next(&mut consumer).await;
    assert_eq!(within(worker.handle(delivery, &shop.shutdown)).await, Handled::GivenUp);
    is_the_only_dead_letter(&shop, &doomed).await;
}

/// Its order is failed in the store before the worker saves that: as if a first save had been done
/// and its answer lost.
struct SavedBefore(Arc<dyn OrderStore>);

#[async_trait]
impl Validator for SavedBefore {
    async fn validate(&self, order: &NewOrder) -> Result<Verdict, ValidateError> {
        let order = order.encode(Details::MAX_BYTES).unwrap();
        let outcome = Outcome::Failed("no such wood".into());
        let _ = self
            .0
            .finish(&[Decision { order, outcome, redriven: false, validation: None }])
            .await
            .unwrap();
        Err(ValidateError::Permanent("no such wood".into()))
    }
}

#[tokio::test]
async fn a_redriven_order_that_fails_again_is_a_dead_letter_again() {
    let (shop, validator) = (Shop::open(), Arc::<AsNamed>::default());
    let hopeless = order("hopeless");
    shop.publish(&hopeless).await;
    for _ in 0..2 {
        assert_eq!(handle(&shop, &validator, 1).await, [Handled::GivenUp]);
        is_the_only_dead_letter(&shop, &hopeless).await;
        let dead = shop.broker.admin().dead_letters(1).await.unwrap();
        assert_eq!(shop.broker.admin().redrive(&[dead[0].id.clone()]).await.unwrap(), 1);
    }
}

#[tokio::test]
async fn an_end_that_the_store_refuses_holds_up_no_other() {
    let shop = Shop::open();
    let mut good = Vec::new();
    for n in 0..50 {
        let order = order(if n == 20 { UNSTORABLE } else { "Train" });
        shop.publish(&order).await;
        if n != 20 {
            good.push(order.id);
        }
    }
    let worker = shop.worker(Arc::new(AsNamed::default()));
    let consumer = shop.consumer(50).await;
    let working = tokio::spawn(worker.run(consumer, shop.shutdown.clone()));
    for id in good {
        assert_eq!(shop.ended(id).await.status.as_str(), "success");
    }
    shop.shutdown.cancel();
    within(working).await.unwrap();
    // It is not lost: an operator may make room for it.
    assert_eq!(shop.broker.admin().depth().await.unwrap().ready, 1);
}

/// It is moved several times until it is a task: of 4.0 kB that was a tenth of what a worker spent on an order.
#[test]
fn what_handles_a_delivery_takes_little_room() {
    fn size_of_future<'a, F: Future + 'a>(
        _handle: impl FnOnce(&'a OrderWorker, Delivery, &'a CancellationToken) -> F,
    ) -> usize {
        size_of::<F>()
    }
    let size = size_of_future(OrderWorker::handle);
    assert!(size <= 2_048, "{size} bytes");
}
