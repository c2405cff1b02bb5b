use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use futures::FutureExt;
use futures::future::join_all;
use tokio::sync::Semaphore;

use super::*;
use crate::domain::{Part, Parts, Product, ProductId, now};
use crate::ports::CatalogueSummary;
use crate::workshop::{HeavyPoolConfig, windmill};

type Found = Result<Option<Product>, StoreError>;

/// A catalogue that counts its look-ups and answers each when it is let.
struct Gated {
    lookups: AtomicUsize,
    gate: Semaphore,
    answer: Mutex<Box<dyn FnMut() -> Found + Send>>,
}

impl Gated {
    fn new(answer: impl FnMut() -> Found + Send + 'static) -> Arc<Self> {
        Arc::new(Self {
            lookups: AtomicUsize::new(0),
            gate: Semaphore::new(0),
            answer: Mutex::new(Box::new(answer)),
        })
    }

    fn lookups(&self) -> usize {
        self.lookups.load(Ordering::SeqCst)
    }
}

#[async_trait]
impl ProductStore for Gated {
    async fn newest_named(&self, _: &ProductName) -> Found {
        self.lookups.fetch_add(1, Ordering::SeqCst);
        self.gate.acquire().await.unwrap().forget();
        (self.answer.lock().unwrap())()
    }

    async fn add(&self, _: &Product) -> Result<(), StoreError> {
        unreachable!("not asked for")
    }
    async fn product(&self, _: ProductId) -> Result<Option<Product>, StoreError> {
        unreachable!("not asked for")
    }
    async fn summary(&self) -> Result<CatalogueSummary, StoreError> {
        unreachable!("not asked for")
    }
    async fn page(&self, _: Option<ProductId>, _: usize) -> Result<Vec<Product>, StoreError> {
        unreachable!("not asked for")
    }
}

fn name(text: &str) -> ProductName {
    ProductName::parse(text).unwrap()
}

fn heavy(config: HeavyConfig) -> HeavyComputation {
    let pool = HeavyPool::new(HeavyPoolConfig::default());
    HeavyComputation::new(Arc::new(Workshop::default()), pool, config)
}

#[tokio::test]
async fn a_hundred_callers_at_once_compute_once() {
    let catalogue = Gated::new(|| Ok(None));
    let heavy = heavy(HeavyConfig::default()).with_products(catalogue.clone());
    let train = name("Train");
    let mut calls: Vec<_> =
        (0..100).map(|_| Box::pin(heavy.answer(&train, Quantity::BATCH))).collect();
    for call in &mut calls {
        assert!(call.as_mut().now_or_never().is_none());
    }
    assert_eq!(catalogue.lookups(), 1, "all hundred wait for one look-up");
    catalogue.gate.add_permits(1);

    let answers: Vec<_> = join_all(calls).await.into_iter().map(Result::unwrap).collect();
    assert_eq!(catalogue.lookups(), 1);
    let computed = answers.iter().filter(|(_, status)| *status == CacheStatus::Miss).count();
    let waited = answers.iter().filter(|(_, status)| *status == CacheStatus::Collapsed).count();
    assert_eq!((computed, waited), (1, 99));
    assert!(answers.iter().all(|(answer, _)| Arc::ptr_eq(answer, &answers[0].0)));

    let (again, status) = heavy.answer(&train, Quantity::BATCH).await.unwrap();
    assert!(Arc::ptr_eq(&again, &answers[0].0));
    let CacheStatus::Hit { ttl_left } = status else { panic!("{status:?}") };
    assert!(ttl_left <= HeavyConfig::default().ttl);
}

#[tokio::test]
async fn a_computation_goes_on_while_one_caller_is_left_whichever_began_it() {
    let catalogue = Gated::new(|| Ok(None));
    let heavy = heavy(HeavyConfig::default()).with_products(catalogue.clone());
    let train = name("Train");
    let mut first = Box::pin(heavy.answer(&train, Quantity::BATCH));
    let mut second = Box::pin(heavy.answer(&train, Quantity::BATCH));
    assert!(first.as_mut().now_or_never().is_none());
    assert!(second.as_mut().now_or_never().is_none());
    drop(first);
    let mut third = Box::pin(heavy.answer(&train, Quantity::BATCH));
    assert!(third.as_mut().now_or_never().is_none());
    catalogue.gate.add_permits(1);
    assert_eq!(second.await.unwrap().1, CacheStatus::Collapsed);
    assert_eq!(third.await.unwrap().1, CacheStatus::Collapsed);
    assert_eq!((catalogue.lookups(), heavy.flights.len()), (1, 0));
}

fn one_thread(limit: Duration) -> HeavyPool {
    let threads = std::num::NonZeroUsize::MIN;
    HeavyPool::new(HeavyPoolConfig::default().threads(threads).waiting(0).limit(limit))
}

#[tokio::test]
async fn a_plan_is_given_up_with_its_last_caller_and_its_thread_is_free() {
    let catalogue = Gated::new(|| Ok(Some(windmill::product())));
    catalogue.gate.add_permits(1);
    let (toy, pool) = (name("Windmill"), one_thread(Duration::MAX));
    let workshop = Arc::new(windmill::workshop(2));
    let heavy = HeavyComputation::new(workshop, pool.clone(), HeavyConfig::default())
        .with_products(catalogue.clone());
    let mut first = Box::pin(heavy.answer(&toy, Quantity::ONE));
    let mut second = Box::pin(heavy.answer(&toy, Quantity::ONE));
    assert!(first.as_mut().now_or_never().is_none());
    assert!(second.as_mut().now_or_never().is_none());
    assert_eq!(pool.load(), (1, 0));
    assert!(matches!(pool.try_run(|| ()).await, Err(HeavyError::Busy)));

    drop(first);
    // Somebody still waits: the same plan goes on, and others join it.
    let mut third = Box::pin(heavy.answer(&toy, Quantity::ONE));
    assert!(third.as_mut().now_or_never().is_none());
    assert!(second.as_mut().now_or_never().is_none());
    assert_eq!((pool.load(), catalogue.lookups()), ((1, 0), 1));

    drop((second, third));
    // There is one thread: this can only run on the one that planned.
    assert_eq!(pool.run(|| 7).await, Ok(7));
    assert_eq!(heavy.flights.len(), 0);
    assert!(heavy.cached("Windmill", Quantity::ONE).await.is_none());
}

#[tokio::test]
async fn a_plan_at_its_limit_is_the_best_that_was_found() {
    let catalogue = Gated::new(|| Ok(Some(windmill::product())));
    catalogue.gate.add_permits(1);
    let (toy, pool) = (name("Windmill"), one_thread(Duration::ZERO));
    let workshop = Arc::new(windmill::workshop(2));
    let heavy =
        HeavyComputation::new(workshop, pool, HeavyConfig::default()).with_products(catalogue);
    let (answer, status) = heavy.answer(&toy, Quantity::ONE).await.unwrap();
    assert_eq!(answer.plan.as_ref().unwrap().figures.pieces, 5);
    assert_eq!(status, CacheStatus::Miss);
    assert!(heavy.cached("Windmill", Quantity::ONE).await.is_some());
}

#[tokio::test]
async fn at_the_limit_an_uncertain_verdict_is_none_and_is_not_remembered() {
    let catalogue = Gated::new(|| Ok(Some(windmill::product())));
    catalogue.gate.add_permits(2);
    let (workshop, pool) = (Arc::new(windmill::workshop(1)), one_thread(Duration::ZERO));
    let heavy = HeavyComputation::new(workshop, pool, HeavyConfig::default())
        .with_products(catalogue.clone());
    for lookups in 1..3 {
        let failure = heavy.answer(&name("Windmill"), Quantity::ONE).await.unwrap_err();
        assert!(matches!(failure, HeavyFailure::Work(HeavyError::TookTooLong)), "{failure:?}");
        assert!(failure.is_transient());
        assert_eq!(catalogue.lookups(), lookups);
    }
}

#[tokio::test]
async fn a_refusal_for_want_of_places_is_not_remembered() {
    let pool = one_thread(Duration::MAX);
    let (end, ended) = std::sync::mpsc::channel::<()>();
    let mut held = Box::pin(pool.run(move || ended.recv().unwrap_or_default()));
    assert!(held.as_mut().now_or_never().is_none());
    let workshop = Arc::new(Workshop::default());
    let heavy = HeavyComputation::new(workshop, pool.clone(), HeavyConfig::default());
    let refused = heavy.answer(&name("Train"), Quantity::ONE).await;
    assert!(matches!(refused, Err(HeavyFailure::Work(HeavyError::Busy))));
    drop(end);
    held.await.unwrap();
    assert_eq!(heavy.answer(&name("Train"), Quantity::ONE).await.unwrap().1, CacheStatus::Miss);
}

#[tokio::test]
async fn failures_are_not_remembered() {
    let mut first = true;
    let catalogue = Gated::new(move || {
        if std::mem::take(&mut first) { Err(StoreError::unavailable("gone")) } else { Ok(None) }
    });
    catalogue.gate.add_permits(2);
    let heavy = heavy(HeavyConfig::default()).with_products(catalogue.clone());
    let failure = heavy.answer(&name("Train"), Quantity::ONE).await.unwrap_err();
    assert!(matches!(failure, HeavyFailure::Catalogue(_)) && failure.is_transient());
    let (_, status) = heavy.answer(&name("Train"), Quantity::ONE).await.unwrap();
    assert_eq!((status, catalogue.lookups()), (CacheStatus::Miss, 2));
}

#[tokio::test]
async fn a_verdict_is_remembered_and_rendered() {
    let table = |width_mm| {
        let parts =
            vec![Part { name: name("top"), width_mm, height_mm: 1_300, count: 1, grain: false }];
        let parts = Parts::new(parts).unwrap();
        Product { id: ProductId::fresh(), name: name("Table"), parts, created_at: now() }
    };
    let catalogue = Gated::new(move || Ok(Some(table(9_000))));
    catalogue.gate.add_permits(1);
    let heavy = heavy(HeavyConfig::default()).with_products(catalogue);
    let (answer, _) = heavy.answer(&name("Table"), Quantity::ONE).await.unwrap();
    let json: serde_json::Value = serde_json::from_slice(&answer.json()).unwrap();
    assert_eq!(
        json["cannot_make"],
        "part top (9000 x 1300 mm) is larger than any sheet; the largest has room for 2440 x 1220 mm"
    );
    assert!(json.get("plan").is_none());
    let (_, status) = heavy.answer(&name("Table"), Quantity::ONE).await.unwrap();
    assert!(matches!(status, CacheStatus::Hit { .. }));
}

#[tokio::test]
async fn toy_and_quantity_make_the_key() {
    let heavy = heavy(HeavyConfig::default());
    heavy.answer(&name("Train"), Quantity::BATCH).await.unwrap();
    assert!(heavy.cached("Train", Quantity::BATCH).await.is_some());
    for (text, quantity) in
        [("train", Quantity::BATCH), ("Train", Quantity::ONE), (" Train", Quantity::BATCH)]
    {
        assert!(heavy.cached(text, quantity).await.is_none(), "{text:?} {quantity}");
    }
}

#[tokio::test]
async fn the_text_is_the_original_systems() {
    let (answer, _) =
        heavy(HeavyConfig::default()).answer(&name("Woody"), Quantity::ONE).await.unwrap();
    let text = String::from_utf8(answer.text().to_vec()).unwrap();
    let (stamp, rest) = text.split_at(26);
    assert_eq!(rest, ": Woody -Woody- Woody");
    assert_eq!(stamp, crate::domain::python_stamp(answer.computed_at));
    assert!(answer.svg().starts_with(b"<svg"));
    assert_eq!(answer.json().as_ptr(), answer.json().as_ptr(), "written once");
}

#[tokio::test]
async fn nothing_outlives_its_time() {
    let heavy = heavy(HeavyConfig { ttl: Duration::ZERO, capacity: 10 });
    heavy.answer(&name("Train"), Quantity::ONE).await.unwrap();
    let (_, status) = heavy.answer(&name("Train"), Quantity::ONE).await.unwrap();
    assert_eq!(status, CacheStatus::Miss);
}

#[tokio::test]
async fn an_answer_may_be_remembered_for_ever() {
    let heavy = heavy(HeavyConfig { ttl: Duration::MAX, capacity: u64::MAX });
    heavy.answer(&name("Train"), Quantity::ONE).await.unwrap();
    let (_, status) = heavy.answer(&name("Train"), Quantity::ONE).await.unwrap();
    assert!(matches!(status, CacheStatus::Hit { .. }));
}

#[tokio::test]
async fn an_answer_weighs_at_least_what_its_bodies_are() {
    let heavy = heavy(HeavyConfig::default());
    let long: String = ('!'..='~').cycle().take(200).collect();
    for text in ["W", "Woody", &long, &"&".repeat(200), &"蛇".repeat(200)] {
        for quantity in [Quantity::ONE, Quantity::BATCH, Quantity::MAX] {
            let (answer, _) = heavy.answer(&name(text), quantity).await.unwrap();
            let bodies = answer.text().len() + answer.json().len() + answer.svg().len();
            let weight = answer.weight_bytes();
            assert!(bodies < weight, "{text} x {quantity}: {bodies} bytes weigh {weight}");
        }
    }
}
