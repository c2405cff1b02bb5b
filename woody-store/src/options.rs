use std::error::Error;
use std::time::Duration;

/// Connection limits; the defaults are meant for a service.
#[non_exhaustive]
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoreOptions {
    /// The largest number of connections to a database server; 8 by default.
    pub max_connections: u32,
    /// How long a call waits for a connection, including the time to open one; 500 ms by
    /// default. So this is also how soon an unavailable server is noticed.
    pub acquire_timeout: Duration,
    /// How long a call may take in all, 5 s by default, even if the server never replies.
    pub call_timeout: Duration,
}

impl StoreOptions {
    woody_core::__setters! {
        max_connections: u32,
        acquire_timeout: Duration,
        call_timeout: Duration,
    }
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

/// A store cannot be opened, and trying again will not help.
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
