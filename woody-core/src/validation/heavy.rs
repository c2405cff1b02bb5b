use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use moka::future::Cache;

use crate::domain::{NewOrder, ProductName, Reason};
use crate::ports::{ProductStore, StoreError, ValidateError, Validator, Verdict};
use crate::workshop::{CuttingList, HeavyError, HeavyPool, Wanted, Workshop};

/// How long a product's cutting list is cached.
const LIST_TTL: Duration = Duration::from_secs(5);
/// How many cutting lists are cached.
const LISTS: u64 = 1_000;

/// Plans how the order is cut: the shop's own validation.
///
/// The parts are those of the newest product of the order's name, and the
/// letters of the name when there is none. The verdict is a success with the
/// plan's figures, or a rejection with the reason.
///
/// # Contract
/// - Planning runs on the [`HeavyPool`]; this waits for a slot in it, for as long as the
///   pool is configured to.
/// - A cutting list is cached for five seconds, and that there is none, too.
/// - No order is to blame for a store that is unavailable or refuses, or for a pool
///   that is full: [`ValidateError::Unavailable`] and [`ValidateError::Refused`]. A row
///   that cannot be read says nothing about the orders of other toys:
///   [`ValidateError::Undecided`]. A job that panics is a transient failure, as is one that
///   takes longer than the pool allows and has neither a plan nor a certain verdict.
/// - A validation that is given up frees its thread.
#[derive(Clone)]
pub struct HeavyValidation {
    workshop: Arc<Workshop>,
    pool: HeavyPool,
    products: Arc<dyn ProductStore>,
    lists: Cache<ProductName, Arc<CuttingList>>,
}

impl HeavyValidation {
    /// Plans in `workshop`, on `pool`, toys of the catalogue `products`.
    pub fn new(workshop: Arc<Workshop>, pool: HeavyPool, products: Arc<dyn ProductStore>) -> Self {
        let lists = Cache::builder().max_capacity(LISTS).time_to_live(LIST_TTL).build();
        Self { workshop, pool, products, lists }
    }

    async fn list(&self, name: &ProductName) -> Result<Arc<CuttingList>, Arc<StoreError>> {
        let find = async {
            let product = self.products.newest_named(name).await?;
            let list = product.map_or_else(
                || CuttingList::letters(name),
                |product| CuttingList::of(name, &product.parts),
            );
            Ok(Arc::new(list))
        };
        self.lists.try_get_with_by_ref(name, find).await
    }
}

impl std::fmt::Debug for HeavyValidation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("HeavyValidation")
            .field("workshop", &self.workshop)
            .field("pool", &self.pool)
            .finish_non_exhaustive()
    }
}

#[async_trait]
impl Validator for HeavyValidation {
    async fn validate(&self, order: &NewOrder) -> Result<Verdict, ValidateError> {
        let list = self.list(&order.details.product).await.map_err(|error| from_store(&error))?;
        let (workshop, quantity) = (Arc::clone(&self.workshop), order.details.quantity);
        let job = move |wanted: &Wanted| workshop.plan_while_wanted(&list, quantity, wanted);
        let planned = self.pool.run_while_wanted(job).await.and_then(|plan| plan);
        Ok(match planned.map_err(|error| from_pool(&error))? {
            Ok(plan) => Verdict::Success(Some(plan.summary())),
            Err(cannot) => Verdict::Rejected(cannot.into()),
        })
    }
}

fn from_store(error: &StoreError) -> ValidateError {
    let mut text = format!("the store of products: {error}");
    if let Some(source) = std::error::Error::source(error) {
        text = format!("{text}: {source}");
    }
    let reason = Reason::new(text);
    match error {
        StoreError::Unavailable(_) => ValidateError::Unavailable(reason),
        StoreError::Refused(_) => ValidateError::Refused(reason),
        StoreError::Corrupt(_) => ValidateError::Undecided(reason),
    }
}

fn from_pool(error: &HeavyError) -> ValidateError {
    let reason = error.to_string().into();
    match error {
        HeavyError::Closed | HeavyError::Busy => ValidateError::Unavailable(reason),
        HeavyError::Panicked(_) | HeavyError::TookTooLong => ValidateError::Transient(reason),
    }
}

#[cfg(test)]
mod tests;
