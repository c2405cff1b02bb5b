//! Orders that are taken back.

use std::{
    num::NonZeroU16,
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use async_trait::async_trait;
use futures::StreamExt;
use uuid::Uuid;
use woody_core::{
    domain::{Details, NewOrder, OrderId, OrderStatus, Outcome},
    ports::{Broker, Decision, OrderStore, StoreError, ValidateError, Validator, Verdict},
    services::{Cancellation, Handled, Kept, Pipeline},
};

use crate::{
    shop::{Shop, next, order, request, within},
    worker::{AsNamed, handle, nothing_is_left},
};

fn cancelled() -> OrderStatus {
    Outcome::Cancelled(Some("changed their mind".into())).into()
}

async fn insert(shop: &Shop, order: &NewOrder<Details>) {
    shop.store.insert(std::slice::from_ref(order), Duration::from_mins(1)).await.unwrap();
}

async fn replica(shop: &Shop) -> Pipeline {
    let broker = Arc::clone(&shop.broker);
    Pipeline::builder(Arc::clone(&shop.store), broker).start().await.unwrap()
}

async fn cancel(pipeline: &Pipeline, id: OrderId) -> Result<Cancellation, StoreError> {
    within(pipeline.cancel(id, Some("changed their mind".into()))).await
}

/// Cancels the order that it validates, and then does what the order's name says.
struct TooLate(Arc<dyn OrderStore>, AsNamed);

#[async_trait]
impl Validator for TooLate {
    async fn validate(&self, order: &NewOrder) -> Result<Verdict, ValidateError> {
        self.0.cancel(order.id, Some("changed their mind".into())).await.unwrap();
        self.1.validate(order).await
    }
}

#[tokio::test]
async fn a_cancelled_order_is_not_validated_and_its_message_is_gone() {
    let (shop, validator) = (Shop::open(), Arc::<AsNamed>::default());
    let train = order("Train");
    insert(&shop, &train).await;
    shop.publish(&train).await;
    let pipeline = replica(&shop).await;
    assert_eq!(cancel(&pipeline, train.id).await.unwrap(), Cancellation::Cancelled);
    assert_eq!(handle(&shop, &validator, 1).await, [Handled::Duplicate]);
    assert_eq!(validator.validations.load(Ordering::SeqCst), 0);
    assert_eq!(shop.order(train.id).await.unwrap().status, cancelled());
    nothing_is_left(&shop).await;
}

#[tokio::test]
async fn a_verdict_that_comes_after_a_cancel_changes_nothing_and_its_message_is_gone() {
    for name in ["Train", "too large", "hopeless"] {
        let shop = Shop::open();
        let order = order(name);
        insert(&shop, &order).await;
        shop.publish(&order).await;
        let validator = TooLate(Arc::clone(&shop.store), AsNamed::default());
        let worker = shop.worker(Arc::new(validator));
        let delivery = next(&mut shop.consumer(1).await).await;
        assert_eq!(within(worker.handle(delivery, &shop.shutdown)).await, Handled::Duplicate);
        assert_eq!(shop.order(order.id).await.unwrap().status, cancelled(), "{name}");
        assert_eq!(shop.broker.admin().dead_letters(1).await.unwrap(), [], "{name}");
        nothing_is_left(&shop).await;
    }
}

#[tokio::test]
async fn a_redriven_message_does_not_bring_a_cancelled_order_back() {
    let (shop, validator) = (Shop::open(), Arc::<AsNamed>::default());
    let train = order("Train");
    insert(&shop, &train).await;
    shop.publish(&train).await;
    next(&mut shop.consumer(1).await).await.dead_letter("by a mistake".into()).await.unwrap();
    let pipeline = replica(&shop).await;
    assert_eq!(cancel(&pipeline, train.id).await.unwrap(), Cancellation::Cancelled);
    let dead = shop.broker.admin().dead_letters(1).await.unwrap();
    shop.broker.admin().redrive(&[dead[0].id.clone()]).await.unwrap();
    assert_eq!(handle(&shop, &validator, 1).await, [Handled::Duplicate]);
    assert_eq!(validator.validations.load(Ordering::SeqCst), 0);
    assert_eq!(shop.order(train.id).await.unwrap().status, cancelled());
}

#[tokio::test]
async fn who_follows_an_order_is_told_that_it_was_cancelled() {
    let shop = Shop::open();
    let builder = Pipeline::builder(Arc::clone(&shop.store), Arc::clone(&shop.broker) as _);
    // They would not look by themselves within this test's patience.
    let pipeline: Pipeline = builder.look_every(Duration::from_hours(1)).start().await.unwrap();
    // Announcements are heard from some time on.
    let heard = async {
        loop {
            let id = pipeline.intake().accept(request("Train", None)).await.unwrap().order.id;
            let changes = pipeline.tracker().watch(id).await.unwrap().unwrap();
            assert_eq!(cancel(&pipeline, id).await.unwrap(), Cancellation::Cancelled);
            let words = changes.map(|order| order.status.as_str()).collect::<Vec<_>>();
            if let Ok(words) = tokio::time::timeout(Duration::from_millis(200), words).await {
                return words;
            }
        }
    };
    assert_eq!(within(heard).await, ["pending", "cancelled"]);
    assert!(within(pipeline.stop()).await);
}

#[tokio::test]
async fn an_order_is_cancelled_once_and_not_after_its_end() {
    let shop = Shop::open();
    let pipeline = replica(&shop).await;
    let accepted = pipeline.intake().accept(request("Train", None)).await.unwrap();
    for _ in 0..2 {
        assert_eq!(cancel(&pipeline, accepted.order.id).await.unwrap(), Cancellation::Cancelled);
    }
    let ended = order("Boat");
    let outcome = Outcome::Rejected("too large".into());
    let decision = Decision {
        order: ended.clone(),
        outcome: outcome.clone(),
        redriven: false,
        validation: None,
    };
    let _ = shop.store.finish(&[decision]).await.unwrap();
    assert_eq!(cancel(&pipeline, ended.id).await.unwrap(), Cancellation::Ended(outcome));
    let foreign = Uuid::new_v4().into();
    assert_eq!(cancel(&pipeline, foreign).await.unwrap(), Cancellation::Unknown);
}

#[tokio::test(start_paused = true)]
async fn while_the_store_is_away_nothing_is_cancelled_and_nothing_half_done() {
    let shop = Shop::open();
    let pipeline = replica(&shop).await;
    let train = pipeline.intake().accept(request("Train", None)).await.unwrap().order;
    shop.store_fault.begin();
    for _ in 0..9 {
        let error = cancel(&pipeline, train.id).await.unwrap_err();
        assert!(error.is_transient(), "{error:?}");
    }
    // Nor does the intake ask the store again at once: they share a breaker.
    let other = pipeline.intake().accept(request("Boat", None)).await.unwrap();
    assert_eq!(other.kept, Kept::InBroker);
    shop.store_fault.end();
    assert_eq!(shop.order(train.id).await.unwrap().status, OrderStatus::Pending);
    tokio::time::advance(Duration::from_secs(3)).await;
    assert_eq!(cancel(&pipeline, train.id).await.unwrap(), Cancellation::Cancelled);
}

#[tokio::test]
async fn an_order_that_only_the_broker_has_is_not_unknown() {
    let shop = Shop::open();
    let pipeline = replica(&shop).await;
    shop.store_fault.begin();
    let accepted = pipeline.intake().accept(request("Train", Some("cart"))).await.unwrap();
    assert_eq!(accepted.kept, Kept::InBroker);
    shop.store_fault.end();
    let error = cancel(&pipeline, accepted.order.id).await.unwrap_err();
    assert!(error.is_transient(), "{error:?}");
    // It comes from the broker, whole.
    let validator = Arc::<AsNamed>::default();
    assert_eq!(handle(&shop, &validator, 1).await, [Handled::Decided]);
    let answer = cancel(&pipeline, accepted.order.id).await.unwrap();
    assert!(matches!(answer, Cancellation::Ended(Outcome::Success(_))), "{answer:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_order_that_is_cancelled_among_others_stays_so() {
    let shop = Shop::open();
    let builder = Pipeline::builder(Arc::clone(&shop.store), Arc::clone(&shop.broker) as _);
    let builder = builder.validator(Arc::<AsNamed>::default());
    let pipeline: Pipeline = builder.prefetch(NonZeroU16::new(16).unwrap()).start().await.unwrap();
    let mut answers = Vec::new();
    for n in 0..200 {
        let id = pipeline.intake().accept(request("Train", None)).await.unwrap().order.id;
        let answer = if n % 2 == 0 { Some(cancel(&pipeline, id).await.unwrap()) } else { None };
        answers.push((id, answer));
    }
    for (id, answer) in answers {
        let ended = shop.ended(id).await.status;
        let is_cancelled = answer == Some(Cancellation::Cancelled);
        assert_eq!(ended == cancelled(), is_cancelled, "{answer:?}, {ended:?}");
    }
    assert!(within(pipeline.stop()).await);
    nothing_is_left(&shop).await;
}
