use std::sync::Arc;

#[cfg(any(feature = "memory", feature = "sqlite", feature = "postgres"))]
use woody_core::backend_url::BackendUrl;
use woody_core::ports::Store;

use crate::options::{OpenError, StoreOptions};
use crate::url::StoreUrl;

/// Opens the store that `url` names.
///
/// An unavailable database server is no error: calls fail as
/// [`Unavailable`](woody_core::ports::StoreError::Unavailable) until it is there. Before the first
/// call, [`Store::migrate`] must have succeeded once.
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
/// [`OpenError`] when trying again will not help, for example for a folder that cannot
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
