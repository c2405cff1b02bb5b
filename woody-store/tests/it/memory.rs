use std::sync::Arc;

use woody_store::MemoryStore;

mod order_store {
    use woody_core::ports::OrderStore;

    async fn fresh() -> (Arc<dyn OrderStore>, ()) {
        (Arc::new(MemoryStore::new()), ())
    }

    use super::*;
    woody_core::order_store_contract!(fresh);
}

mod product_store {
    use woody_core::ports::ProductStore;

    async fn fresh() -> (Arc<dyn ProductStore>, ()) {
        (Arc::new(MemoryStore::new()), ())
    }

    use super::*;
    woody_core::product_store_contract!(fresh);
}
