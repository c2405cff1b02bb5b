use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

#[cfg(any(feature = "memory", feature = "sqlite", feature = "postgres"))]
use woody_core::backend_url::BackendUrl;
use woody_core::ports::Store;

use crate::StoreUrl;

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

/// A store cannot be opened, and waiting will not help.
#[derive(Debug, thiserror::Error)]
#[error("cannot open the store {store}")]
pub struct OpenError {
    store: String,
    source: Box<dyn Error + Send + Sync>,
}

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
/// [`Unavailable`](woody_core::ports::StoreError::Unavailable) until it is there. Before the first
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
pub async fn connect(url: &StoreUrl, options: StoreOptions) -> Result<Arc<dyn Store>, OpenError> {
    match &url.0 {
        #[cfg(feature = "memory")]
        BackendUrl::Memory => Ok(Arc::new(crate::MemoryStore::new())),
        #[cfg(feature = "sqlite")]
        BackendUrl::Sqlite(path) => Ok(Arc::new(crate::SqliteStore::open(path).await?)),
        #[cfg(feature = "postgres")]
        BackendUrl::Server { url, .. } => {
            Ok(Arc::new(crate::PostgresStore::connect(url, options)?))
        }
        #[cfg(not(all(feature = "memory", feature = "sqlite", feature = "postgres")))]
        url => {
            let scheme = url.scheme();
            Err(OpenError::new(scheme, crate::url::STORES.not_built_in(scheme)))
        }
    }
}
