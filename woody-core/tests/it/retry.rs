//! Orders that an operator has validated once more.

use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use async_trait::async_trait;
use futures::future::join;
use woody_core::{
    domain::{Details, NewOrder, OrderId, OrderStatus, Outcome},
    ports::{Broker, Decision, ValidateError, Validator, Verdict},
    services::{Handled, OrderRetry, Pipeline, Retried},
};

use crate::{
    shop::{Shop, next, order, within},
    worker::{AsNamed, handle, nothing_is_left},
};

const RESENT: Retried = Retried::Resent { all_looked_through: true };

async fn insert(shop: &Shop, order: &NewOrder<Details>) {
    let one = std::slice::from_ref(order);
    let _ = shop.store.insert(one, Duration::from_mins(1)).await.unwrap();
}

async fn finish(shop: &Shop, order: &NewOrder<Details>, outcome: Outcome) {
    let decision = Decision { order: order.clone(), outcome, redriven: false, validation: None };
    let _ = shop.store.finish(&[decision]).await.unwrap();
}

/// Has an order fail, its message a dead letter.
async fn fail(shop: &Shop, order: &NewOrder<Details>) {
    insert(shop, order).await;
    shop.publish(order).await;
    finish(shop, order, Outcome::Failed("saw is stuck".into())).await;
    let mut consumer = shop.consumer(1).await;
    next(&mut consumer).await.dead_letter("saw is stuck".into()).await.unwrap();
    consumer.stop().await;
}

fn retrier(shop: &Shop) -> OrderRetry {
    OrderRetry::new(Arc::clone(&shop.store), shop.broker.admin())
}

async fn retry(shop: &Shop, id: OrderId) -> Retried {
    within(retrier(shop).retry(id)).await.unwrap()
}

async fn is_success(shop: &Shop, id: OrderId) -> bool {
    let status = shop.order(id).await.unwrap().status;
    matches!(status, OrderStatus::Ended(Outcome::Success(_)))
}

async fn dead(shop: &Shop) -> usize {
    shop.broker.admin().dead_letters(10).await.unwrap().len()
}

#[tokio::test]
async fn a_failed_order_that_is_retried_has_its_dead_letter_redriven_and_no_others() {
    let (shop, validator) = (Shop::open(), Arc::<AsNamed>::default());
    let (train, boat) = (order("Train"), order("Boat"));
    fail(&shop, &boat).await;
    fail(&shop, &train).await;
    assert_eq!(retry(&shop, train.id).await, Retried::Redriven { letters: 1 });
    assert_eq!(handle(&shop, &validator, 1).await, [Handled::Decided]);
    assert!(is_success(&shop, train.id).await && !is_success(&shop, boat.id).await);
    assert_eq!(dead(&shop).await, 1);
    nothing_is_left(&shop).await;
}

#[tokio::test]
async fn a_failed_order_whose_dead_letter_was_purged_is_retried_from_the_store() {
    let (shop, validator) = (Shop::open(), Arc::<AsNamed>::default());
    let train = order("Train");
    fail(&shop, &train).await;
    let letters = shop.broker.admin().dead_letters(1).await.unwrap();
    shop.broker.admin().purge(&[letters[0].id.clone()]).await.unwrap();
    assert_eq!(retry(&shop, train.id).await, RESENT);
    assert_eq!(handle(&shop, &validator, 1).await, [Handled::Decided]);
    assert!(is_success(&shop, train.id).await);
    nothing_is_left(&shop).await;
}

#[tokio::test]
async fn a_pending_order_is_retried_whether_its_message_is_gone_or_not() {
    for is_gone in [true, false] {
        let (shop, validator) = (Shop::open(), Arc::<AsNamed>::default());
        let train = order("Train");
        insert(&shop, &train).await;
        if !is_gone {
            shop.publish(&train).await;
        }
        assert_eq!(retry(&shop, train.id).await, RESENT);
        assert_eq!(handle(&shop, &validator, 1).await, [Handled::Decided]);
        if !is_gone {
            assert_eq!(handle(&shop, &validator, 1).await, [Handled::Duplicate]);
        }
        assert_eq!(validator.validations.load(Ordering::SeqCst), 1);
        assert!(is_success(&shop, train.id).await);
        nothing_is_left(&shop).await;
    }
}

#[tokio::test]
async fn an_order_that_is_retried_twice_ends_once() {
    let (shop, validator) = (Shop::open(), Arc::<AsNamed>::default());
    let train = order("Train");
    fail(&shop, &train).await;
    let retrier = retrier(&shop);
    let (one, other) = within(join(retrier.retry(train.id), retrier.retry(train.id))).await;
    let (one, other) = (one.unwrap(), other.unwrap());
    assert!([&one, &other].contains(&&Retried::Redriven { letters: 1 }), "{one:?}, {other:?}");
    assert_eq!(handle(&shop, &validator, 2).await, [Handled::Decided, Handled::Duplicate]);
    assert!(is_success(&shop, train.id).await);
    assert_eq!(dead(&shop).await, 0);
    nothing_is_left(&shop).await;
}

/// Retries the order that it validates, and then does what the order's name says, once.
struct Meanwhile(OrderRetry, Arc<AsNamed>);

#[async_trait]
impl Validator for Meanwhile {
    async fn validate(&self, order: &NewOrder) -> Result<Verdict, ValidateError> {
        assert_eq!(self.0.retry(order.id).await.unwrap(), RESENT);
        self.1.validate(order).await
    }
}

#[tokio::test]
async fn an_order_that_is_retried_while_its_worker_ends_it_ends_as_the_worker_says() {
    for name in ["Train", "too large"] {
        let (shop, validator) = (Shop::open(), Arc::<AsNamed>::default());
        let order = order(name);
        insert(&shop, &order).await;
        shop.publish(&order).await;
        let worker = shop.worker(Arc::new(Meanwhile(retrier(&shop), Arc::clone(&validator))));
        let mut consumer = shop.consumer(1).await;
        let delivery = next(&mut consumer).await;
        assert_eq!(within(worker.handle(delivery, &shop.shutdown)).await, Handled::Decided);
        consumer.stop().await;
        let ended = shop.order(order.id).await.unwrap().status;
        assert_eq!(handle(&shop, &validator, 1).await, [Handled::Duplicate]);
        assert_eq!(shop.order(order.id).await.unwrap().status, ended, "{name}");
        nothing_is_left(&shop).await;
    }
}

#[tokio::test]
async fn an_order_that_is_retried_while_its_worker_fails_it_has_its_chance() {
    let (shop, validator) = (Shop::open(), Arc::<AsNamed>::default());
    let hopeless = order("hopeless");
    insert(&shop, &hopeless).await;
    shop.publish(&hopeless).await;
    let worker = shop.worker(Arc::new(Meanwhile(retrier(&shop), validator)));
    let mut consumer = shop.consumer(1).await;
    let delivery = next(&mut consumer).await;
    assert_eq!(within(worker.handle(delivery, &shop.shutdown)).await, Handled::GivenUp);
    let again = next(&mut consumer).await;
    assert!(again.redriven());
    let mended = shop.worker(Arc::new(woody_core::validation::AcceptAll));
    assert_eq!(within(mended.handle(again, &shop.shutdown)).await, Handled::Decided);
    consumer.stop().await;
    assert!(is_success(&shop, hopeless.id).await);
    assert_eq!(dead(&shop).await, 1, "the first message's, which changes nothing any more");
}

#[tokio::test]
async fn an_order_that_has_ended_for_good_or_is_unknown_is_not_retried() {
    let shop = Shop::open();
    let pipeline: Pipeline =
        Pipeline::builder(Arc::clone(&shop.store), Arc::clone(&shop.broker) as _)
            .start()
            .await
            .unwrap();
    for outcome in
        [Outcome::Success(None), Outcome::Rejected("too large".into()), Outcome::Cancelled(None)]
    {
        let train = order("Train");
        insert(&shop, &train).await;
        finish(&shop, &train, outcome.clone()).await;
        let retried = within(pipeline.retry(train.id)).await.unwrap();
        assert_eq!(retried, Retried::Ended(outcome.into()));
    }
    assert_eq!(retry(&shop, OrderId::fresh()).await, Retried::Unknown);
    assert_eq!(shop.broker.admin().depth().await.unwrap().ready, 0);
    assert!(within(pipeline.stop()).await);
}
