use std::sync::Arc;

use woody_core::backend_url::BackendUrl;
use woody_core::ports::{Broker, BrokerError};

use crate::BrokerUrl;

/// What every backend needs besides its URL.
#[non_exhaustive]
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BrokerOptions {
    /// The queue's name.
    pub queue: String,
    /// Over how many queues of a RabbitMQ orders are spread, 1 to 16. Other brokers have one.
    pub shards: u16,
}

impl BrokerOptions {
    /// Returns the options for the queue of this name.
    pub fn for_queue(queue: impl Into<String>) -> Self {
        Self { queue: queue.into(), shards: 1 }
    }
}

impl BrokerOptions {
    woody_core::__setters! {
        queue: String,
        shards: u16,
    }
}

impl Default for BrokerOptions {
    fn default() -> Self {
        Self::for_queue("order_processing")
    }
}

/// Opens the broker that `url` names.
///
/// An unavailable server is no error: the broker connects in the background, and
/// calls fail as `Unavailable` until it has. A file that cannot be opened is an
/// error, and so is a URL whose details its backend finds malformed.
///
/// ```
/// # #[cfg(feature = "memory")]
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use woody_broker::{BrokerOptions, BrokerUrl};
///
/// let url = BrokerUrl::parse("memory:")?;
/// let broker = woody_broker::connect(&url, BrokerOptions::default()).await?;
/// broker.publisher().ping().await?;
/// broker.close().await;
/// # Ok(())
/// # }
/// # #[cfg(not(feature = "memory"))]
/// # fn main() {}
/// ```
///
/// # Errors
/// [`BrokerError`] when trying again will not help, for example for a folder that
/// cannot be written, or for several queues of a broker that has one.
pub async fn connect(
    url: &BrokerUrl,
    options: BrokerOptions,
) -> Result<Arc<dyn Broker>, BrokerError> {
    if options.shards != 1 && !matches!(&url.0, BackendUrl::Server { .. }) {
        return Err(BrokerError::refused(format!(
            "orders cannot be spread over {} queues of {url}, only RabbitMQ has several",
            options.shards
        )));
    }
    match &url.0 {
        #[cfg(feature = "memory")]
        BackendUrl::Memory => Ok(Arc::new(crate::memory::MemoryBroker::new())),
        #[cfg(feature = "sqlite")]
        BackendUrl::Sqlite(path) => {
            use crate::sqlite::{SqliteBroker, SqliteOptions};
            Ok(Arc::new(SqliteBroker::open(path, SqliteOptions::for_queue(options.queue)).await?))
        }
        #[cfg(feature = "rabbitmq")]
        BackendUrl::Server { url, .. } => {
            use crate::rabbitmq::{RabbitMqBroker, RabbitMqOptions};
            let options = RabbitMqOptions::for_queue(options.queue).shards(options.shards);
            Ok(Arc::new(RabbitMqBroker::connect(url, options).await?))
        }
        #[cfg(not(all(feature = "memory", feature = "sqlite", feature = "rabbitmq")))]
        url => Err(BrokerError::refused(crate::url::BROKERS.not_built_in(url.scheme()))),
    }
}
