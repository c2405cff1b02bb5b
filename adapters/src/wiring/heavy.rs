use std::sync::Arc;

use woody_core::{
    ports::ProductStore,
    services::HeavyComputation,
    workshop::{Effort, HeavyPool, Workshop},
};

use crate::config::{HeavyArgs, HeavyCacheArgs};

/// The threads for heavy work.
pub fn heavy_pool(args: &HeavyArgs) -> HeavyPool {
    HeavyPool::new(args.settings())
}

/// Heavy plans and their cache.
pub fn heavy_computation(
    args: &HeavyCacheArgs,
    pool: HeavyPool,
    products: Option<Arc<dyn ProductStore>>,
) -> Arc<HeavyComputation> {
    // A batch is planned once and cut many times: it is worth more search than an order.
    let effort = Effort { restarts: 48, ..Effort::default() };
    let workshop = Workshop::default().with_effort(effort);
    let heavy = HeavyComputation::new(Arc::new(workshop), pool, args.settings());
    Arc::new(match products {
        Some(products) => heavy.with_products(products),
        None => heavy,
    })
}
