use std::{fmt, sync::Arc, time::Duration};

use woody_broker::{BrokerOptions, BrokerUrl};
use woody_core::{
    backend_url::UrlError,
    domain::OrderDetails,
    ports::{Broker, BrokerError, NoticeStore, OrderStore, ProductStore, Store, StoreError},
    services::{Pipeline, PipelineBuilder},
};
use woody_store::{StoreOptions, StoreUrl};

/// Opens the store and the broker that these URLs name, and brings the store's schema up to date.
///
/// A store is `memory:`, `sqlite:PATH` or `postgres://…`; a broker is `memory:`, `sqlite:PATH`, `amqp://…` or `amqps://…`.
/// Each has to be switched on as a feature of this crate. [`OpenOptions`] opens them otherwise.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let backends = woody::open("memory:", "memory:").await?;
/// let pipeline = backends.pipeline::<woody::domain::ToyOrder>().start().await?;
/// pipeline.stop().await;
/// backends.close().await;
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// [`OpenError`] when a URL is wrong, a file cannot be opened, or the schema cannot be brought up to date; see
/// [`OpenError::is_transient`] for a database that is not there yet. A RabbitMQ that is not there yet is no error: the
/// broker connects in the background.
pub async fn open(store: &str, broker: &str) -> Result<Backends, OpenError> {
    OpenOptions::new().open(store, broker).await
}

/// How a store and a broker are opened; the defaults are what [`open`] does.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let backends = woody::OpenOptions::new().queue("pizzas").open("memory:", "memory:").await?;
/// # backends.close().await;
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct OpenOptions {
    store: StoreOptions,
    broker: BrokerOptions,
    migrate: bool,
}

impl OpenOptions {
    /// Returns the defaults: the queue `order_processing`, a store as [`StoreOptions`] has it, the schema brought up to date.
    pub fn new() -> Self {
        Self { store: StoreOptions::default(), broker: BrokerOptions::default(), migrate: true }
    }

    /// Sets the queue's name. Each type of order has a queue of its own.
    #[must_use]
    pub fn queue(mut self, name: impl Into<String>) -> Self {
        self.broker.queue = name.into();
        self
    }

    /// Sets over how many queues of a RabbitMQ orders are spread, 1 to 16; other brokers have one. Other programs may have
    /// another number: workers take from all queues that exist.
    #[must_use]
    pub fn queue_shards(mut self, count: u16) -> Self {
        self.broker.shards = count;
        self
    }

    /// Sets how the program talks to the store.
    #[must_use]
    pub fn store(mut self, options: StoreOptions) -> Self {
        self.store = options;
        self
    }

    /// Leaves the schema as it is: for a program whose database user may not change it, or that has to start while the
    /// database is unavailable. Another process has brought the schema up to date.
    #[must_use]
    pub fn without_migration(mut self) -> Self {
        self.migrate = false;
        self
    }

    /// Opens the store and the broker that these URLs name.
    ///
    /// # Errors
    /// As [`open`] has it.
    pub async fn open(self, store: &str, broker: &str) -> Result<Backends, OpenError> {
        let store_url = StoreUrl::parse(store).map_err(OpenError::StoreUrl)?;
        let broker_url = BrokerUrl::parse(broker).map_err(OpenError::BrokerUrl)?;
        let store = woody_store::connect(&store_url, self.store).await.map_err(OpenError::Store)?;
        if self.migrate
            && let Err(error) = store.migrate().await
        {
            store.close().await;
            return Err(OpenError::Schema(error));
        }
        match woody_broker::connect(&broker_url, self.broker).await {
            Ok(broker) => Ok(Backends { store_url, broker_url, store, broker }),
            Err(error) => {
                store.close().await;
                Err(OpenError::Broker(error))
            }
        }
    }
}

impl Default for OpenOptions {
    fn default() -> Self {
        Self::new()
    }
}

/// How soon a worker sees that it was paused.
const PAUSE_CHECK: Duration = Duration::from_secs(3);

/// A store and a broker that are open: what a [`Pipeline`] runs over.
#[derive(Clone)]
pub struct Backends {
    store_url: StoreUrl,
    broker_url: BrokerUrl,
    store: Arc<dyn Store>,
    broker: Arc<dyn Broker>,
}

impl Backends {
    /// Returns a builder of a pipeline over this store and this broker, for orders that ask
    /// for a `D`; its worker takes nothing while this store says that workers are paused. The validator says which, or the caller: `pipeline::<ToyOrder>()`.
    pub fn pipeline<D: OrderDetails>(&self) -> PipelineBuilder<D> {
        Pipeline::builder(self.orders(), self.broker()).pauses(self.store.pauses(), PAUSE_CHECK)
    }

    /// Returns the port to the store.
    pub fn store(&self) -> Arc<dyn Store> {
        Arc::clone(&self.store)
    }

    /// Returns the port to the orders.
    pub fn orders(&self) -> Arc<dyn OrderStore> {
        self.store.orders()
    }

    /// Returns the port to the catalogue.
    pub fn products(&self) -> Arc<dyn ProductStore> {
        self.store.products()
    }

    /// Returns the port to the notices of orders that have ended.
    pub fn notices(&self) -> Arc<dyn NoticeStore> {
        self.store.notices()
    }

    /// Returns the port to the queue.
    pub fn broker(&self) -> Arc<dyn Broker> {
        Arc::clone(&self.broker)
    }

    /// Closes both, once what is under way has ended. Stop the pipelines over them first.
    pub async fn close(self) {
        self.broker.close().await;
        self.store.close().await;
    }
}

impl fmt::Debug for Backends {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // URLs show no password.
        f.debug_struct("Backends")
            .field("store", &self.store_url)
            .field("broker", &self.broker_url)
            .finish_non_exhaustive()
    }
}

/// A store or a broker cannot be opened.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let refused = woody::open("redis://example.org", "memory:").await.unwrap_err();
/// assert!(matches!(refused, woody::OpenError::StoreUrl(_)) && !refused.is_transient());
/// # }
/// ```
#[non_exhaustive]
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The store's URL is malformed, or its backend is not built in.
    #[error("the store's URL is refused")]
    StoreUrl(#[source] UrlError),
    /// The broker's URL is malformed, or its backend is not built in.
    #[error("the broker's URL is refused")]
    BrokerUrl(#[source] UrlError),
    /// The store cannot be opened.
    #[error(transparent)]
    Store(woody_store::OpenError),
    /// The store's schema cannot be brought up to date.
    #[error("the store's schema cannot be brought up to date")]
    Schema(#[source] StoreError),
    /// The broker cannot be opened.
    #[error("the broker cannot be opened")]
    Broker(#[source] BrokerError),
}

impl OpenError {
    /// Whether trying again may help, because a server does not respond yet.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Schema(error) => error.is_transient(),
            Self::Broker(error) => error.is_transient(),
            Self::StoreUrl(_) | Self::BrokerUrl(_) | Self::Store(_) => false,
        }
    }
}
