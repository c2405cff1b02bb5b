use std::error::Error;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use woody_core::ports::{OrderStore, ProductStore, StoreError};

use crate::StoreUrl;
#[cfg(any(feature = "memory", feature = "sqlite", feature = "postgres"))]
use crate::url::Kind;

/// How to talk to a store; the defaults are meant for a service.
#[non_exhaustive]
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoreOptions {
    /// The most connections to a database server; 8.
    pub max_connections: u32,
    /// How long a call waits for a connection; 500 ms. Connecting is part of
    /// it, so this is also how soon a server that is away is noticed.
    pub acquire_timeout: Duration,
    /// How long a call may take in all; 5 s. It bounds what a server that
    /// answers nothing can hold up.
    pub call_timeout: Duration,
}

impl Default for StoreOptions {
    fn default() -> Self {
        Self {
            max_connections: 8,
            acquire_timeout: Duration::from_millis(500),
            call_timeout: Duration::from_secs(5),
        }
    }
}

/// A store that a [`StoreUrl`] has chosen: both ports, and what its owner does
/// with it.
#[derive(Clone)]
pub struct Store {
    url: StoreUrl,
    orders: Arc<dyn OrderStore>,
    products: Arc<dyn ProductStore>,
    backend: Backend,
}

#[derive(Clone)]
enum Backend {
    #[cfg(feature = "memory")]
    Memory,
    #[cfg(feature = "sqlite")]
    Sqlite(Arc<crate::SqliteStore>),
    #[cfg(feature = "postgres")]
    Postgres(Arc<crate::PostgresStore>),
}

/// A store cannot be opened, and waiting will not help.
#[derive(Debug, thiserror::Error)]
#[error("cannot open the store {store}")]
pub struct OpenError {
    store: String,
    source: Box<dyn Error + Send + Sync>,
}

#[cfg(any(feature = "sqlite", feature = "postgres"))]
impl OpenError {
    pub(crate) fn new(
        store: impl Into<String>,
        source: impl Into<Box<dyn Error + Send + Sync>>,
    ) -> Self {
        Self { store: store.into(), source: source.into() }
    }
}

/// Opens the store that `url` names.
///
/// A database server that is away is no error: calls are answered
/// [`Unavailable`](StoreError::Unavailable) until it is there. Before the first
/// call, [`Store::migrate`] must have worked once.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use woody_store::{StoreOptions, StoreUrl};
///
/// let url = StoreUrl::parse("memory:")?;
/// let store = woody_store::connect(&url, StoreOptions::default()).await?;
/// store.migrate().await?;
/// assert_eq!(store.orders().counts().await?.pending, 0);
/// store.close().await;
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// [`OpenError`] when waiting will not help, for example a folder that cannot
/// be written.
#[cfg_attr(
    not(feature = "postgres"),
    expect(unused_variables, reason = "only a server has options")
)]
pub async fn connect(url: &StoreUrl, options: StoreOptions) -> Result<Store, OpenError> {
    match url.0 {
        #[cfg(feature = "memory")]
        Kind::Memory => Ok(Store::over(url, Arc::new(crate::MemoryStore::new()), Backend::Memory)),
        #[cfg(feature = "sqlite")]
        Kind::Sqlite(ref path) => {
            let store = Arc::new(crate::SqliteStore::open(path).await?);
            Ok(Store::over(url, store.clone(), Backend::Sqlite(store)))
        }
        #[cfg(feature = "postgres")]
        Kind::Postgres(ref text) => {
            let store = Arc::new(crate::PostgresStore::connect(text, options)?);
            Ok(Store::over(url, store.clone(), Backend::Postgres(store)))
        }
    }
}

impl Store {
    #[cfg(any(feature = "memory", feature = "sqlite", feature = "postgres"))]
    fn over<S: OrderStore + ProductStore + 'static>(
        url: &StoreUrl,
        store: Arc<S>,
        backend: Backend,
    ) -> Self {
        Self { url: url.clone(), orders: store.clone(), products: store, backend }
    }

    /// The port to the orders.
    pub fn orders(&self) -> Arc<dyn OrderStore> {
        self.orders.clone()
    }

    /// The port to the catalogue.
    pub fn products(&self) -> Arc<dyn ProductStore> {
        self.products.clone()
    }

    /// Brings the schema up to date. Any number of processes may do so at once,
    /// and again at any time; the embedded stores have done so by opening.
    ///
    /// # Errors
    /// [`StoreError`]; a program that starts before its database tries again
    /// while it is [transient](StoreError::is_transient).
    #[cfg_attr(
        not(feature = "postgres"),
        expect(clippy::unused_async, reason = "only a server has a schema of its own")
    )]
    pub async fn migrate(&self) -> Result<(), StoreError> {
        match self.backend {
            #[cfg(feature = "memory")]
            Backend::Memory => Ok(()),
            #[cfg(feature = "sqlite")]
            Backend::Sqlite(_) => Ok(()),
            #[cfg(feature = "postgres")]
            Backend::Postgres(ref store) => store.migrate().await,
        }
    }

    /// Lets the connections go, once what is under way has ended. Calls after
    /// it are answered `Unavailable`; a memory store has nothing to close.
    #[cfg_attr(
        not(any(feature = "sqlite", feature = "postgres")),
        expect(clippy::unused_async, reason = "memory has nothing to close")
    )]
    pub async fn close(&self) {
        match self.backend {
            #[cfg(feature = "memory")]
            Backend::Memory => {}
            #[cfg(feature = "sqlite")]
            Backend::Sqlite(ref store) => store.close().await,
            #[cfg(feature = "postgres")]
            Backend::Postgres(ref store) => store.close().await,
        }
    }

    /// Whether programs that are given the same URL see each other's orders.
    pub fn is_shared_between_processes(&self) -> bool {
        self.url.is_shared_between_processes()
    }
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Store({})", self.url)
    }
}
