use std::error::Error;
use std::time::Duration;

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
