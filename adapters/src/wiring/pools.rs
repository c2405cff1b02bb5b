//! How full what a process has is, as its `/metrics` says it.

use std::sync::Arc;

use woody_core::{domain::PoolUse, ports::Store, workshop::HeavyPool};

use crate::http::{ServerLimits, ServiceSettings};

/// The connections that a server has.
pub fn connections(limits: &ServerLimits) -> impl Fn() -> Option<PoolUse> + Send + Sync + 'static {
    let limits = limits.clone();
    move || Some(limits.usage())
}

/// The requests that are under way at the services of these settings.
pub fn requests(
    settings: &ServiceSettings,
) -> impl Fn() -> Option<PoolUse> + Send + Sync + 'static {
    let concurrency = settings.concurrency.clone();
    move || Some(concurrency.usage())
}

/// The connections to a store's server.
pub fn store_connections(
    store: &Arc<dyn Store>,
) -> impl Fn() -> Option<PoolUse> + Send + Sync + 'static {
    let store = Arc::clone(store);
    move || store.connections()
}

/// The threads of heavy work.
pub fn threads(pool: Option<&HeavyPool>) -> impl Fn() -> Option<PoolUse> + Send + Sync + 'static {
    let pool = pool.cloned();
    move || pool.as_ref().map(HeavyPool::usage)
}
