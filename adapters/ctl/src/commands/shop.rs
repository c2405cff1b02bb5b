use std::sync::Arc;

use woody_adapters::{
    config::{BrokerArgs, ConfigError, StoreArgs},
    wiring,
};
use woody_core::ports::{Broker, Store};

/// Where the shop's things are.
pub(super) struct Shop<'a> {
    pub(super) store: &'a StoreArgs,
    pub(super) broker: &'a BrokerArgs,
}

impl Shop<'_> {
    pub(super) async fn store(&self) -> Result<Arc<dyn Store>, ConfigError> {
        wiring::open_store(self.store, wiring::Files::MustExist).await
    }

    pub(super) async fn broker(&self) -> Result<Arc<dyn Broker>, ConfigError> {
        wiring::open_broker(self.broker, wiring::Files::MustExist).await
    }
}

/// How many dead letters are looked through at most.
pub(super) const MOST_LETTERS: usize = 100_000;
