use std::sync::Arc;

use woody_core::{
    ports::ProductStore,
    services::HeavyComputation,
    workshop::{HeavyPool, Workshop},
};

use crate::config::{HeavyArgs, HeavyCacheArgs};

/// The threads for heavy work.
pub fn heavy_pool(args: &HeavyArgs) -> HeavyPool {
    HeavyPool::new(args.settings())
}

/// Heavy plans and their cache.
pub fn heavy_computation(
    args: &HeavyCacheArgs,
    workshop: Arc<Workshop>,
    pool: HeavyPool,
    products: Option<Arc<dyn ProductStore>>,
) -> Arc<HeavyComputation> {
    let heavy = HeavyComputation::new(workshop, pool, args.settings());
    Arc::new(match products {
        Some(products) => heavy.with_products(products),
        None => heavy,
    })
}
