//! Workers that an operator pauses.

use std::{
    num::NonZeroU16,
    sync::{Arc, Mutex},
    time::Duration,
};

use async_trait::async_trait;
use tokio::sync::Semaphore;
use woody_core::{
    domain::{Label, NewOrder, Pause, Reason},
    ports::{
        Broker, Consumer, ConsumerState, Pauses, QueueDepth, StoreError, ValidateError, Validator,
        Verdict,
    },
    services::{PauseWatch, Pipeline},
    validation::AcceptAll,
};
use woody_store::MemoryStore;

use crate::shop::{Shop, next, order, request, within};

/// Validates one order for each permit.
struct Gate(Arc<Semaphore>);

#[async_trait]
impl Validator for Gate {
    async fn validate(&self, _: &NewOrder) -> Result<Verdict, ValidateError> {
        self.0.acquire().await.unwrap().forget();
        Ok(Verdict::Success(None))
    }
}

fn watch(pauses: &MemoryStore) -> Arc<PauseWatch> {
    Arc::new(PauseWatch::new(Arc::new(pauses.clone())))
}

async fn pause(pauses: &MemoryStore) -> Pause {
    pauses.pause(&"ada".into(), Some("a new saw".into())).await.unwrap()
}

async fn becomes(consumer: &dyn Consumer, state: ConsumerState) {
    within(consumer.state().wait_for(|now| *now == state)).await.unwrap();
}

async fn depth(shop: &Shop) -> QueueDepth {
    shop.broker.admin().depth().await.unwrap()
}

fn consumer(watch: &Arc<PauseWatch>, shop: &Shop, prefetch: u16) -> Box<dyn Consumer> {
    watch.consumer(Arc::clone(&shop.broker) as _, NonZeroU16::new(prefetch).unwrap())
}

#[tokio::test]
async fn a_paused_worker_finishes_what_it_has_and_takes_nothing_until_it_is_resumed() {
    let (shop, pauses) = (Shop::open(), MemoryStore::new());
    let (first, second) = (order("Train"), order("Boat"));
    let (watch, gate) = (watch(&pauses), Arc::new(Semaphore::new(0)));
    watch.look().await;
    let consumer = consumer(&watch, &shop, 5);
    let mut state = consumer.state();
    let worker = shop.worker(Arc::new(Gate(Arc::clone(&gate))));
    let running = tokio::spawn(worker.run(consumer, shop.shutdown.clone()));
    shop.publish(&first).await;
    within(async {
        while depth(&shop).await.in_flight != Some(1) {
            tokio::task::yield_now().await;
        }
    })
    .await;

    pause(&pauses).await;
    watch.look().await;
    within(state.wait_for(|now| *now == ConsumerState::Paused)).await.unwrap();
    shop.publish(&second).await;
    gate.add_permits(2);
    shop.ended(first.id).await;
    assert!(shop.order(second.id).await.is_none());
    let QueueDepth { ready, consumers, .. } = depth(&shop).await;
    assert_eq!((ready, consumers), (1, Some(0)));

    pauses.resume().await.unwrap();
    watch.look().await;
    shop.ended(second.id).await;
    assert_eq!(*state.borrow_and_update(), ConsumerState::Consuming);
    shop.shutdown.cancel();
    within(running).await.unwrap();
}

#[tokio::test]
async fn a_worker_that_is_paused_gives_back_what_it_has_not_begun() {
    let (shop, pauses) = (Shop::open(), MemoryStore::new());
    let watch = watch(&pauses);
    watch.look().await;
    let mut consumer = consumer(&watch, &shop, 5);
    for name in ["one", "two", "three"] {
        shop.publish(&order(name)).await;
    }
    let held = next(&mut consumer).await;
    pause(&pauses).await;
    watch.look().await;
    let state = consumer.state();
    let taking = async { consumer.next().await };
    tokio::select! {
        biased;
        _ = taking => panic!("nothing is to be taken"),
        () = within(async { while *state.borrow() != ConsumerState::Paused {
            tokio::task::yield_now().await;
        }}) => {}
    }
    let QueueDepth { ready, in_flight, .. } = depth(&shop).await;
    assert_eq!((ready, in_flight), (2, Some(1)));
    held.release().await.unwrap();
    assert_eq!(depth(&shop).await.ready, 3);
    within(consumer.stop()).await;
    assert!(consumer.next().await.is_none(), "it was stopped");
    becomes(&*consumer, ConsumerState::Stopped).await;
}

#[tokio::test]
async fn a_worker_that_starts_in_a_pause_takes_nothing() {
    let (shop, pauses) = (Shop::open(), MemoryStore::new());
    let made = pause(&pauses).await;
    let builder = Pipeline::builder(Arc::clone(&shop.store), Arc::clone(&shop.broker) as _);
    let builder = builder.validator(Arc::new(AcceptAll));
    let every = Duration::from_millis(1);
    let pipeline: Pipeline = builder.pauses(Arc::new(pauses.clone()), every).start().await.unwrap();
    let mut state = pipeline.consumer().unwrap();
    within(state.wait_for(|now| *now == ConsumerState::Paused)).await.unwrap();
    assert_eq!(pipeline.pauses().unwrap().current(), Some(made));
    // Accepting goes on.
    let accepted = within(pipeline.intake().accept(request("Train", None))).await.unwrap();
    within(async {
        while depth(&shop).await.ready != 1 {
            tokio::task::yield_now().await;
        }
    })
    .await;
    pauses.resume().await.unwrap();
    shop.ended(accepted.order.id).await;
    assert_eq!(pipeline.pauses().unwrap().current(), None);
    assert!(within(pipeline.stop()).await);
}

#[tokio::test]
async fn what_waits_for_paused_workers_is_not_taken_for_lost() {
    let (shop, pauses) = (Shop::open(), MemoryStore::new());
    let relay = shop.relay();
    let intake = shop.intake(&relay);
    for n in 0..3 {
        let _ = intake.accept(request(&format!("Toy {n}"), None)).await.unwrap();
    }
    relay.flush().await.unwrap();
    relay.sweep().await.unwrap();
    let watch = watch(&pauses);
    watch.look().await;
    let mut consumer = consumer(&watch, &shop, 3);
    drop(next(&mut consumer).await);
    pause(&pauses).await;
    watch.look().await;
    let state = consumer.state();
    tokio::select! {
        biased;
        _ = consumer.next() => panic!("nothing is to be taken"),
        () = within(async { while *state.borrow() != ConsumerState::Paused {
            tokio::task::yield_now().await;
        }}) => {}
    }
    for _ in 0..4 {
        assert_eq!(relay.reconcile().await.unwrap(), 0);
    }
    assert_eq!(shop.store.counts().await.unwrap().outbox, 0);
}

/// What a store says, and with which error it does not.
type Said = Result<Option<Pause>, fn(&'static str) -> StoreError>;

/// A store that says what it is told to say.
struct Says(Mutex<Said>);

impl Says {
    fn now(&self, says: Said) {
        *self.0.lock().unwrap() = says;
    }
}

#[async_trait]
impl Pauses for Says {
    async fn pause(&self, _: &Label, _: Option<Reason>) -> Result<Pause, StoreError> {
        Err(StoreError::unavailable("it only says"))
    }

    async fn resume(&self) -> Result<Option<Pause>, StoreError> {
        Err(StoreError::unavailable("it only says"))
    }

    async fn current(&self) -> Result<Option<Pause>, StoreError> {
        self.0.lock().unwrap().clone().map_err(|error| error("so it is told"))
    }
}

const AWAY: Said = Err(StoreError::unavailable);
const REFUSES: Said = Err(StoreError::refused);

/// Whether a consumer takes an order that is there.
async fn is_taken(consumer: &mut Box<dyn Consumer>) -> bool {
    let mut taken = std::pin::pin!(consumer.next());
    for _ in 0..100 {
        tokio::select! {
            biased;
            delivery = &mut taken => {
                drop(delivery.unwrap());
                return true;
            }
            () = tokio::task::yield_now() => {}
        }
    }
    false
}

#[tokio::test]
async fn a_store_that_is_away_changes_nothing_and_one_that_refuses_pauses_nobody() {
    let (shop, pause) = (Shop::open(), pause(&MemoryStore::new()).await);
    shop.publish(&order("Train")).await;
    let says = Arc::new(Says(Mutex::new(AWAY)));
    let watch = Arc::new(PauseWatch::new(Arc::clone(&says) as _));
    let mut consumer = consumer(&watch, &shop, 1);
    for (now, is_open) in [
        (AWAY, false),
        (Ok(None), true),
        (AWAY, true),
        (Ok(Some(pause.clone())), false),
        (AWAY, false),
        (REFUSES, false),
        (Ok(None), true),
    ] {
        says.now(now.clone());
        watch.look().await;
        assert_eq!(is_taken(&mut consumer).await, is_open, "{:?}", now.is_ok());
    }

    let watch = Arc::new(PauseWatch::new(Arc::clone(&says) as _));
    says.now(REFUSES);
    watch.look().await;
    let mut unbothered = watch.consumer(Arc::clone(&shop.broker) as _, NonZeroU16::MIN);
    within(consumer.stop()).await;
    assert!(is_taken(&mut unbothered).await);
}
