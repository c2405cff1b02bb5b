use std::{sync::Arc, time::Duration};

use woody_adapters::{
    config::{BrokerArgs, ConfigError, StoreArgs},
    wiring,
};
use woody_core::ports::{Broker, Store};

/// How long a command waits for a connection: longer than a service, whose clients wait. A machine
/// that has much to do may need more than half a second to open one, and that is when it is asked.
const PATIENCE: Duration = Duration::from_secs(2);

/// Where the shop's things are.
pub(super) struct Shop<'a> {
    pub(super) store: &'a StoreArgs,
    pub(super) broker: &'a BrokerArgs,
}

impl Shop<'_> {
    pub(super) async fn store(&self) -> Result<Arc<dyn Store>, ConfigError> {
        wiring::open_store_with(self.store, wiring::Files::MustExist, PATIENCE).await
    }

    pub(super) async fn broker(&self) -> Result<Arc<dyn Broker>, ConfigError> {
        wiring::open_broker(self.broker, wiring::Files::MustExist).await
    }
}

/// How many dead letters are looked through at most.
pub(super) const MOST_LETTERS: usize = 100_000;
