//! When orders will be ready, and which would wait too long. No time passes but that of the tests.

use std::{num::NonZeroU16, sync::Arc, time::Duration};

use async_trait::async_trait;
use futures::StreamExt;
use woody_broker::memory::MemoryBroker;
use woody_core::{
    domain::{IdempotencyKey, NewOrder, OrderId, ToyOrder, now},
    ports::{ValidateError, Validator, Verdict},
    services::{Accepted, IntakeError, IntakeSettings, Kept, OrderRequest, Pipeline},
};
use woody_store::MemoryStore;

const TAKES: Duration = Duration::from_secs(1);

struct Slow;

#[async_trait]
impl Validator for Slow {
    async fn validate(&self, _: &NewOrder) -> Result<Verdict, ValidateError> {
        tokio::time::sleep(TAKES).await;
        Ok(Verdict::Success(None))
    }
}

fn lion() -> ToyOrder {
    ToyOrder::parse("lion", 1).unwrap()
}

/// A shop with one worker, which takes a second for each order.
async fn shop(settings: IntakeSettings) -> Pipeline {
    let store = Arc::new(MemoryStore::new());
    let builder = Pipeline::builder(store, Arc::new(MemoryBroker::new()));
    let builder = builder.intake_settings(settings).validator(Arc::new(Slow));
    builder.prefetch(NonZeroU16::MIN).start().await.unwrap()
}

async fn ended(pipeline: &Pipeline, id: OrderId) {
    let tracker = pipeline.tracker();
    let changes = tracker.watch(id).await.unwrap().unwrap();
    std::pin::pin!(changes).fold((), |(), _| async {}).await;
}

fn keyed(key: &str) -> OrderRequest {
    OrderRequest::keyed(lion(), IdempotencyKey::parse(key).unwrap())
}

/// Has so many orders end, one after the other and then some that wait.
async fn learned(pipeline: &Pipeline) {
    for _ in 0..40 {
        let accepted = pipeline.intake().accept(lion()).await.unwrap();
        ended(pipeline, accepted.order.id).await;
    }
    let mut last = None;
    for _ in 0..20 {
        last = Some(pipeline.intake().accept(lion()).await.unwrap().order.id);
    }
    ended(pipeline, last.unwrap()).await;
}

#[tokio::test(start_paused = true)]
async fn an_order_is_told_when_it_will_be_ready_once_there_is_data() {
    let pipeline = shop(IntakeSettings::default()).await;
    let first = pipeline.intake().accept(lion()).await.unwrap();
    assert_eq!(first.ready, None, "nothing is known yet");
    learned(&pipeline).await;
    let Accepted { order, ready, .. } = pipeline.intake().accept(lion()).await.unwrap();
    let ready = ready.expect("orders have ended");
    let within = Duration::try_from(ready.p90 - order.accepted_at).unwrap();
    assert!(ready.p50 <= ready.p90 && ready.p50 >= order.accepted_at, "{ready:?}");
    assert!(within > TAKES / 2 && within < TAKES * 4, "{within:?}");

    let tracker = pipeline.tracker();
    let pending = tracker.order(order.id).await.unwrap().unwrap();
    assert!(tracker.ready(&pending).is_some(), "it is told later, too");
    ended(&pipeline, order.id).await;
    let after = tracker.order(order.id).await.unwrap().unwrap();
    assert_eq!(tracker.ready(&after), None, "it is ready");
    pipeline.stop().await;
}

#[tokio::test(start_paused = true)]
async fn an_order_that_comes_again_is_not_told_anew() {
    let pipeline = shop(IntakeSettings::default()).await;
    learned(&pipeline).await;
    let first = pipeline.intake().accept(keyed("one")).await.unwrap();
    assert!(first.ready.is_some());
    let again = pipeline.intake().accept(keyed("one")).await.unwrap();
    assert_eq!((again.kept, again.ready), (Kept::Already, None));
    pipeline.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_later_order_is_ready_later() {
    let pipeline = shop(IntakeSettings::default()).await;
    learned(&pipeline).await;
    let orders: Vec<ToyOrder> = (0..60).map(|_| lion()).collect();
    let accepted = pipeline.intake().accept_all(orders).await;
    let times: Vec<_> = accepted.into_iter().map(|one| one.unwrap().ready.unwrap()).collect();
    assert!(times.windows(2).all(|pair| pair[0].p90 <= pair[1].p90), "{times:?}");
    let last = Duration::try_from(times[59].p50 - now()).unwrap();
    assert!(last > TAKES * 30 && last < TAKES * 120, "{last:?}");
    pipeline.stop_within(Duration::from_secs(2)).await;
}

const MOST: Duration = Duration::from_secs(10);

/// Fills the queue until an order is refused; returns after how long it may come again.
async fn full(pipeline: &Pipeline) -> Duration {
    for _ in 0..200 {
        match pipeline.intake().accept(lion()).await {
            Ok(_) => {}
            Err(IntakeError::Backlogged { retry_after }) => return retry_after,
            Err(error) => panic!("{error}"),
        }
    }
    panic!("200 orders of a second each were accepted");
}

#[tokio::test(start_paused = true)]
async fn none_is_refused_before_there_is_data() {
    let pipeline = shop(IntakeSettings::default().max_wait(Some(MOST))).await;
    for _ in 0..100 {
        assert!(pipeline.intake().accept(lion()).await.is_ok());
    }
    pipeline.stop_within(Duration::from_secs(2)).await;
}

#[tokio::test(start_paused = true)]
async fn an_order_that_would_wait_too_long_may_come_when_it_is_told() {
    let pipeline = shop(IntakeSettings::default().max_wait(Some(MOST))).await;
    learned(&pipeline).await;
    let retry_after = full(&pipeline).await;
    assert!(retry_after <= TAKES * 3, "{retry_after:?}");
    tokio::time::sleep(retry_after + TAKES).await;
    assert!(pipeline.intake().accept(lion()).await.is_ok(), "after {retry_after:?} and one more");
    pipeline.stop_within(Duration::from_secs(2)).await;
}

#[tokio::test(start_paused = true)]
async fn an_order_that_is_known_by_its_key_is_answered_however_long_others_would_wait() {
    let pipeline = shop(IntakeSettings::default().max_wait(Some(MOST))).await;
    learned(&pipeline).await;
    let known = pipeline.intake().accept(keyed("known")).await.unwrap();
    full(&pipeline).await;
    let again = pipeline.intake().accept(keyed("known")).await.unwrap();
    assert_eq!((again.order.id, again.kept), (known.order.id, Kept::Already));
    let new = pipeline.intake().accept(keyed("new")).await;
    assert!(matches!(new, Err(IntakeError::Backlogged { .. })), "{new:?}");

    let batch = [lion().into(), keyed("known"), keyed("newer"), lion().into()];
    let told = pipeline.intake().accept_all(batch).await;
    assert!(matches!(&told[1], Ok(Accepted { kept: Kept::Already, .. })), "{told:?}");
    for refused in [0, 2, 3] {
        assert!(matches!(told[refused], Err(IntakeError::Backlogged { .. })), "{told:?}");
    }
    let unknown = OrderId::from_key(&IdempotencyKey::parse("newer").unwrap());
    let stored = pipeline.tracker().order(unknown).await.unwrap();
    assert!(stored.is_none_or(|order| order.stored.is_none()), "it was not kept");
    pipeline.stop_within(Duration::from_secs(2)).await;
}
