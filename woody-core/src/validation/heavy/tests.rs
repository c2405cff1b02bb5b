use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;
use crate::domain::{Part, Parts, Product, ProductId, Quantity, ToyOrder, now};
use crate::ports::CatalogueSummary;
use crate::workshop::{HeavyPoolConfig, windmill};

/// A catalogue of one answer, which counts how often it is asked.
struct One {
    answer: fn() -> Result<Option<Product>, StoreError>,
    lookups: AtomicUsize,
}

#[async_trait]
impl ProductStore for One {
    async fn newest_named(&self, _: &ProductName) -> Result<Option<Product>, StoreError> {
        self.lookups.fetch_add(1, Ordering::SeqCst);
        (self.answer)()
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

fn validation(
    answer: fn() -> Result<Option<Product>, StoreError>,
) -> (HeavyValidation, Arc<One>, HeavyPool) {
    let products = Arc::new(One { answer, lookups: AtomicUsize::new(0) });
    let pool = HeavyPool::new(HeavyPoolConfig::default());
    let workshop = Arc::new(Workshop::default());
    (HeavyValidation::new(workshop, pool.clone(), products.clone()), products, pool)
}

fn ship(width_mm: u32, height_mm: u32, grain: bool) -> Product {
    let mast = Part { name: name("mast"), width_mm, height_mm, count: 1, grain };
    let parts = Parts::new(vec![mast]).unwrap();
    Product { id: ProductId::fresh(), name: name("Ship"), parts, created_at: now() }
}

fn order(product: &str, quantity: Quantity) -> NewOrder {
    NewOrder::new(ToyOrder { product: name(product), quantity })
}

#[tokio::test]
async fn a_toy_that_nobody_added_is_cut_in_letters_and_looked_up_once() {
    let (validation, products, _) = validation(|| Ok(None));
    for quantity in [Quantity::ONE, Quantity::BATCH] {
        let verdict = validation.validate(&order("Train", quantity)).await.unwrap();
        let pieces = 5 * quantity.get();
        let Verdict::Success(Some(reason)) = verdict else { panic!("{verdict:?}") };
        assert!(reason.as_str().contains(&format!("{pieces} pieces")), "{reason}");
    }
    assert_eq!(products.lookups.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_toy_of_parts_too_large_is_rejected_by_name() {
    let (validation, ..) = validation(|| Ok(Some(ship(5_000, 40, false))));
    let verdict = validation.validate(&order("Ship", Quantity::ONE)).await;
    let reason = "part mast (5000 x 40 mm) is larger than any sheet; the largest has room for 2440 x 1220 mm".into();
    assert_eq!(verdict, Ok(Verdict::Rejected(reason)));
}

#[tokio::test]
async fn a_toy_whose_part_would_fit_only_turned_is_rejected_for_its_grain() {
    let (turned, ..) = validation(|| Ok(Some(ship(1_000, 2_000, false))));
    let verdict = turned.validate(&order("Ship", Quantity::ONE)).await;
    assert!(matches!(verdict, Ok(Verdict::Success(_))), "{verdict:?}");
    let (grain, ..) = validation(|| Ok(Some(ship(1_000, 2_000, true))));
    let verdict = grain.validate(&order("Ship", Quantity::ONE)).await;
    let reason = "part mast (1000 x 2000 mm) would fit only turned, which its grain does not allow; the largest has room for 2440 x 1220 mm".into();
    assert_eq!(verdict, Ok(Verdict::Rejected(reason)));
}

#[tokio::test]
async fn what_a_store_cannot_do_is_no_orders_end() {
    for (answer, expected) in [
        (
            (|| Err(StoreError::unavailable("gone"))) as fn() -> _,
            ValidateError::Unavailable(
                "the store of products: the store is unavailable: gone".into(),
            ),
        ),
        (
            || Err(StoreError::refused("no table")),
            ValidateError::Refused("the store of products: the store refused: no table".into()),
        ),
        (
            || Err(StoreError::Corrupt("parts".into())),
            ValidateError::Undecided(
                "the store of products: the store holds a value that cannot be read: parts".into(),
            ),
        ),
    ] {
        let (validation, products, _) = validation(answer);
        for asked in 1..3 {
            let failed = validation.validate(&order("Train", Quantity::ONE)).await;
            assert_eq!(failed, Err(expected.clone()));
            assert_eq!(products.lookups.load(Ordering::SeqCst), asked, "errors are not kept");
        }
    }
}

#[tokio::test]
async fn a_validation_that_is_given_up_frees_its_thread() {
    let threads = std::num::NonZeroUsize::MIN;
    let pool = HeavyPool::new(HeavyPoolConfig::default().threads(threads).limit(Duration::MAX));
    let products =
        One { answer: || Ok(Some(windmill::product())), lookups: AtomicUsize::default() };
    let workshop = Arc::new(windmill::workshop(2));
    let validation = HeavyValidation::new(workshop, pool.clone(), Arc::new(products));
    let order = order("Windmill", Quantity::ONE);
    let mut given_up = validation.validate(&order);
    assert!(futures::FutureExt::now_or_never(given_up.as_mut()).is_none());
    assert_eq!(pool.load(), (1, 0));
    drop(given_up);
    assert_eq!(pool.run(|| 7).await, Ok(7));
}

#[tokio::test]
async fn a_pool_that_is_shut_down_costs_the_order_no_attempt() {
    let (validation, _, pool) = validation(|| Ok(None));
    pool.shutdown().await;
    let failed = validation.validate(&order("Train", Quantity::ONE)).await;
    assert!(matches!(failed, Err(ValidateError::Unavailable(_))), "{failed:?}");
}
