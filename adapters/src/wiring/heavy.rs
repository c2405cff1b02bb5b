use std::{num::NonZeroUsize, sync::Arc};

use woody_core::{
    ports::ProductStore,
    services::{HeavyComputation, HeavyConfig},
    workshop::{Effort, HeavyPool, HeavyPoolConfig, Workshop},
};

use crate::config::{HeavyArgs, HeavyCacheArgs};

/// The threads for heavy work.
pub fn heavy_pool(args: &HeavyArgs) -> HeavyPool {
    let mut config = HeavyPoolConfig::default();
    if let Some(threads) = NonZeroUsize::new(args.heavy_threads) {
        config.threads = threads;
    }
    HeavyPool::new(config)
}

/// Heavy plans and their cache.
pub fn heavy_computation(
    args: &HeavyCacheArgs,
    pool: HeavyPool,
    products: Option<Arc<dyn ProductStore>>,
) -> Arc<HeavyComputation> {
    let config = HeavyConfig { ttl: args.heavy_cache_ttl, capacity: args.heavy_cache_capacity };
    // A batch is planned once and cut many times: it is worth more search than an order.
    let effort = Effort { restarts: 48, ..Effort::default() };
    let workshop = Workshop::default().with_effort(effort);
    let heavy = HeavyComputation::new(Arc::new(workshop), pool, config);
    Arc::new(match products {
        Some(products) => heavy.with_products(products),
        None => heavy,
    })
}
