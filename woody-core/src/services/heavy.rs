mod flights;

use std::sync::Arc;
use std::time::{Duration, Instant};

use moka::Equivalent;
use moka::future::Cache;

use self::flights::Flights;
use super::HeavyAnswer;
use crate::domain::{ProductName, Quantity};
use crate::ports::{ProductStore, StoreError};
use crate::workshop::{CuttingList, HeavyError, HeavyPool, Wanted, Workshop};

/// How long heavy answers are cached, and how many.
#[non_exhaustive]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HeavyConfig {
    /// How long an answer is served after it was computed; a year at most.
    pub ttl: Duration,
    /// How many answers are kept, at most; each counts for at least 8 KiB of
    /// memory, and a larger one for several, so that all of them together stay
    /// below `capacity` times 8 KiB however they are asked for.
    pub capacity: u64,
}

/// Longer than any process runs; longer times might overflow the clock or the cache.
const LONGEST_TTL: Duration = Duration::from_hours(365 * 24);

impl HeavyConfig {
    crate::__setters! {
        ttl: Duration,
        capacity: u64,
    }
}

impl Default for HeavyConfig {
    /// A minute, 10,000 answers (80 MB).
    fn default() -> Self {
        Self { ttl: Duration::from_mins(1), capacity: 10_000 }
    }
}

/// Whether an answer came from the cache, for `Cache-Status` (RFC 9211).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CacheStatus {
    /// It was there, and will be for this long.
    Hit {
        /// Time until it is computed anew.
        ttl_left: Duration,
    },
    /// This call computed it.
    Miss,
    /// Another call was computing it already; this one waited for that.
    Collapsed,
}

/// There is no heavy answer.
#[non_exhaustive]
#[derive(Debug, Clone, thiserror::Error)]
pub enum HeavyFailure {
    /// The heavy work was not done.
    #[error(transparent)]
    Work(HeavyError),
    /// The toy's parts could not be looked up.
    #[error("the parts of the toy could not be looked up")]
    Catalogue(#[source] Arc<StoreError>),
}

impl HeavyFailure {
    /// Whether the same call may succeed later.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Work(error) => error.is_transient(),
            Self::Catalogue(error) => error.is_transient(),
        }
    }
}

/// Plans a workshop batch of a toy, and remembers the plan for a while.
///
/// # Contract
/// - Calls for the same toy and quantity at the same time compute once.
/// - Failures are not remembered; that a toy cannot be made is an answer, and is.
/// - Heavy work is done on the [`HeavyPool`]; when that is full the call fails
///   at once with [`HeavyError::Busy`].
/// - A plan that takes as long as the pool lets a job run is the best that was found by
///   then, and is remembered like another: the same call would take as long again. Where
///   there is no plan by then, and no certain verdict, the call fails with
///   [`HeavyError::TookTooLong`].
///
/// # Cancel safety
/// A computation belongs to all calls that wait for it: it goes on while one is left,
/// whichever began it, and is given up with the last, which frees its thread.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// use std::sync::Arc;
/// use woody_core::domain::ProductName;
/// use woody_core::services::{CacheStatus, HeavyComputation, HeavyConfig};
/// use woody_core::workshop::{HeavyPool, HeavyPoolConfig, Workshop};
///
/// let pool = HeavyPool::new(HeavyPoolConfig::default());
/// let heavy =
///     HeavyComputation::new(Arc::new(Workshop::default()), pool, HeavyConfig::default());
/// let name = ProductName::parse("Train").unwrap();
/// let batch = HeavyComputation::BATCH;
///
/// let (answer, status) = heavy.answer(&name, batch).await.unwrap();
/// assert_eq!(status, CacheStatus::Miss);
/// assert!(answer.text().ends_with(b": Woody -Train- Woody"));
///
/// let (again, status) = heavy.answer(&name, batch).await.unwrap();
/// assert!(matches!(status, CacheStatus::Hit { .. }));
/// assert_eq!(again.computed_at, answer.computed_at);
/// # }
/// ```
#[derive(Clone)]
pub struct HeavyComputation {
    workshop: Arc<Workshop>,
    pool: HeavyPool,
    products: Option<Arc<dyn ProductStore>>,
    cache: Cache<Key, Kept>,
    flights: Flights<Key, Landed>,
    ttl: Duration,
}

#[derive(Clone)]
struct Kept {
    answer: Arc<HeavyAnswer>,
    until: Instant,
}

/// What a computation ends with: the answer, and whether it was computed or there already.
type Landed = Result<(Kept, bool), HeavyFailure>;

impl Kept {
    fn hit(&self) -> CacheStatus {
        CacheStatus::Hit { ttl_left: self.until.saturating_duration_since(Instant::now()) }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Key {
    name: ProductName,
    quantity: Quantity,
}

/// A [`Key`] that is looked up without being made. It hashes alike: a name
/// hashes as its text.
#[derive(Hash)]
struct KeyRef<'a> {
    name: &'a str,
    quantity: Quantity,
}

impl Equivalent<Key> for KeyRef<'_> {
    fn equivalent(&self, key: &Key) -> bool {
        self.quantity == key.quantity && self.name == key.name.as_str()
    }
}

/// Answers are weighed in slots of this size.
const SLOT_BYTES: usize = 1024;
/// The least that an answer weighs.
const MIN_SLOTS: u32 = 8;

impl HeavyComputation {
    /// How many toys are planned unless another number is given: a workshop batch.
    pub const BATCH: Quantity = Quantity::BATCH;

    /// Plans in `workshop`, on `pool`; every toy is cut as the letters of its name.
    pub fn new(workshop: Arc<Workshop>, pool: HeavyPool, config: HeavyConfig) -> Self {
        let weigh = |_: &Key, kept: &Kept| {
            let slots = kept.answer.weight_bytes().div_ceil(SLOT_BYTES);
            u32::try_from(slots).unwrap_or(u32::MAX).max(MIN_SLOTS)
        };
        let ttl = config.ttl.min(LONGEST_TTL);
        let cache = Cache::builder()
            .weigher(weigh)
            .max_capacity(config.capacity.saturating_mul(u64::from(MIN_SLOTS)))
            .time_to_live(ttl)
            .build();
        Self { workshop, pool, products: None, cache, flights: Flights::default(), ttl }
    }

    /// Cuts toys that are in this catalogue from their parts there.
    #[must_use]
    pub fn with_products(self, products: Arc<dyn ProductStore>) -> Self {
        Self { products: Some(products), ..self }
    }

    /// Returns the answer for `quantity` toys called `name`, if it is there already.
    ///
    /// The cheapest way to ask: nothing is allocated. A name that is not as
    /// [`ProductName`] has it is not there.
    pub async fn cached(
        &self,
        name: &str,
        quantity: Quantity,
    ) -> Option<(Arc<HeavyAnswer>, CacheStatus)> {
        let kept = self.cache.get(&KeyRef { name, quantity }).await?;
        let status = kept.hit();
        Some((kept.answer, status))
    }

    /// Returns the answer for `quantity` toys called `name`.
    ///
    /// # Errors
    /// [`HeavyFailure`].
    pub async fn answer(
        &self,
        name: &ProductName,
        quantity: Quantity,
    ) -> Result<(Arc<HeavyAnswer>, CacheStatus), HeavyFailure> {
        if let Some(found) = self.cached(name.as_str(), quantity).await {
            return Ok(found);
        }
        let key = Key { name: name.clone(), quantity };
        let (flight, is_ours) = self.flights.join(key.clone(), self.clone().land(key));
        let (kept, was_computed) = flight.await?;
        let status = match (is_ours, was_computed) {
            (true, true) => CacheStatus::Miss,
            (true, false) => kept.hit(),
            (false, _) => CacheStatus::Collapsed,
        };
        Ok((kept.answer, status))
    }

    /// Computes and caches what is not in the cache.
    async fn land(self, key: Key) -> Landed {
        // The flight before this one may have landed since its caller looked.
        if let Some(kept) = self.cache.get(&key).await {
            return Ok((kept, false));
        }
        let answer = Arc::new(self.compute(&key.name, key.quantity).await?);
        let kept = Kept { answer, until: Instant::now() + self.ttl };
        self.cache.insert(key, kept.clone()).await;
        Ok((kept, true))
    }

    async fn compute(
        &self,
        name: &ProductName,
        quantity: Quantity,
    ) -> Result<HeavyAnswer, HeavyFailure> {
        let product = match &self.products {
            None => None,
            Some(products) => products
                .newest_named(name)
                .await
                .map_err(|error| HeavyFailure::Catalogue(Arc::new(error)))?,
        };
        let (workshop, name) = (Arc::clone(&self.workshop), name.clone());
        let job = move |wanted: &Wanted| {
            let list = product.map_or_else(
                || CuttingList::letters(&name),
                |product| CuttingList::of(&name, &product.parts),
            );
            let plan = workshop.plan_while_wanted(&list, quantity, wanted)?;
            Ok(HeavyAnswer::new(name, quantity, plan))
        };
        let done = self.pool.try_run_while_wanted(job).await;
        done.and_then(|answer| answer).map_err(HeavyFailure::Work)
    }
}

impl std::fmt::Debug for HeavyComputation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("HeavyComputation")
            .field("workshop", &self.workshop)
            .field("pool", &self.pool)
            .field("ttl", &self.ttl)
            .field("answers", &self.cache.entry_count())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
