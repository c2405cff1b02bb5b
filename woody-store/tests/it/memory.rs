use std::future::{Ready, ready};
use std::sync::Arc;

use woody_store::MemoryStore;

mod store {
    use woody_core::ports::Store;

    fn fresh() -> Ready<(Arc<dyn Store>, ())> {
        ready((Arc::new(MemoryStore::new()), ()))
    }

    use super::*;
    woody_core::store_contract!(fresh);
}

mod order_store {
    use woody_core::ports::OrderStore;

    fn fresh() -> Ready<(Arc<dyn OrderStore>, ())> {
        ready((Arc::new(MemoryStore::new()), ()))
    }

    use super::*;
    woody_core::order_store_contract!(fresh);
}

mod product_store {
    use woody_core::ports::ProductStore;

    fn fresh() -> Ready<(Arc<dyn ProductStore>, ())> {
        ready((Arc::new(MemoryStore::new()), ()))
    }

    use super::*;
    woody_core::product_store_contract!(fresh);
}

mod act_log {
    use woody_core::ports::ActLog;

    fn fresh() -> Ready<(Arc<dyn ActLog>, ())> {
        ready((Arc::new(MemoryStore::new()), ()))
    }

    use super::*;
    woody_core::act_log_contract!(fresh);
}

mod pauses {
    use woody_core::ports::Pauses;

    fn fresh() -> Ready<(Arc<dyn Pauses>, ())> {
        ready((Arc::new(MemoryStore::new()), ()))
    }

    use super::*;
    woody_core::pauses_contract!(fresh);
}

mod notice_store {
    use woody_core::ports::Store;

    fn fresh() -> Ready<(Arc<dyn Store>, ())> {
        ready((Arc::new(MemoryStore::new()), ()))
    }

    use super::*;
    woody_core::notice_store_contract!(fresh);
}
