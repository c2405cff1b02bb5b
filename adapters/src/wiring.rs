//! The one place that names backends: from a URL to the ports.

use std::{num::NonZeroUsize, path::Path, sync::Arc, time::Duration};

use tokio_util::sync::CancellationToken;
use woody_broker::{BrokerOptions, BrokerUrl};
use woody_core::{
    ports::{Broker, OrderStore, ProductStore, Validator},
    resilience::RetryDelays,
    services::WorkerSettings,
    validation::{AcceptAll, HeavyValidation, ValidatorChain},
    workshop::{HeavyPool, HeavyPoolConfig, Workshop},
};
use woody_store::{Store, StoreOptions, StoreUrl};

use crate::{
    config::{BrokerArgs, ConfigError, HeavyArgs, SecretArg, StoreArgs, Validation, WorkerArgs},
    http_validator::HttpValidator,
};

/// What to do about the file of an embedded backend.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Files {
    /// Create it when it is not there.
    Create,
    /// It must be there: who only looks should not leave an empty shop behind.
    MustExist,
}

/// Opens the store. A server that is away is no error.
///
/// # Errors
/// [`ConfigError`] when waiting would not help.
pub async fn open_store(args: &StoreArgs, files: Files) -> Result<Store, ConfigError> {
    let url = args.url()?;
    check_file(&url, files)?;
    let parsed = StoreUrl::parse(url.expose())
        .map_err(|error| ConfigError::because("WOODY_STORE_URL", &error))?;
    let mut options = StoreOptions::default();
    options.max_connections = u32::from(args.store_connections.get());
    woody_store::connect(&parsed, options)
        .await
        .map_err(|error| ConfigError::because("WOODY_STORE_URL", &error))
}

/// Opens the broker. A server that is away is no error.
///
/// # Errors
/// [`ConfigError`] when waiting would not help.
pub async fn open_broker(args: &BrokerArgs, files: Files) -> Result<Arc<dyn Broker>, ConfigError> {
    let url = args.url()?;
    check_file(&url, files)?;
    let parsed = BrokerUrl::parse(url.expose())
        .map_err(|error| ConfigError::because("WOODY_BROKER_URL", &error))?;
    let mut options = BrokerOptions::default();
    options.queue.clone_from(&args.queue);
    woody_broker::connect(&parsed, options)
        .await
        .map_err(|error| ConfigError::because("WOODY_BROKER_URL", &error))
}

/// Refuses `memory:` to a service that shares its backends with other processes:
/// everything would start, and nothing would ever arrive.
///
/// # Errors
/// [`ConfigError`] says which variable to change.
pub fn refuse_memory(variable: &str, url: &SecretArg) -> Result<(), ConfigError> {
    if url.expose().starts_with("memory:") {
        return Err(ConfigError::new(format!(
            "{variable} is memory:, which no other process sees: \
             only the all-in-one `woodytoys` can use it"
        )));
    }
    Ok(())
}

fn check_file(url: &SecretArg, files: Files) -> Result<(), ConfigError> {
    let Some(path) = url.expose().strip_prefix("sqlite:") else { return Ok(()) };
    if files == Files::MustExist && !Path::new(path.trim_start_matches("//")).exists() {
        return Err(ConfigError::new(format!(
            "there is no {path}: start the shop first, or name another by its URL"
        )));
    }
    Ok(())
}

/// Brings the store's schema up to date, however long the store is away.
/// Answers `false` when `stop` was cancelled before that.
pub async fn migrate(store: &Store, stop: &CancellationToken) -> bool {
    let mut delays = RetryDelays::new(Duration::from_millis(200), Duration::from_secs(5));
    let migrated = async {
        while let Err(error) = store.migrate().await {
            if delays.is_clear() {
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "the store's schema cannot be checked yet, it is tried again"
                );
            }
            tokio::time::sleep(delays.next_delay()).await;
        }
        tracing::info!("the store is there, its schema is up to date");
    };
    tokio::select! {
        () = migrated => true,
        () = stop.cancelled() => false,
    }
}

/// The threads for heavy work.
pub fn heavy_pool(args: &HeavyArgs) -> HeavyPool {
    let mut config = HeavyPoolConfig::default();
    if let Some(threads) = NonZeroUsize::new(args.heavy_threads) {
        config.threads = threads;
    }
    HeavyPool::new(config)
}

/// What an order must pass.
///
/// # Errors
/// [`ConfigError`] when the validator's URL cannot be one.
pub fn validator(
    args: &WorkerArgs,
    products: Arc<dyn ProductStore>,
    pool: impl FnOnce() -> HeavyPool,
) -> Result<Arc<dyn Validator>, ConfigError> {
    let mut chain = ValidatorChain::new();
    chain = match args.validation {
        Validation::None => chain.then("none", args.validation_timeout, Arc::new(AcceptAll)),
        Validation::Workshop => {
            let workshop = HeavyValidation::new(Arc::new(Workshop::default()), pool(), products);
            chain.then("workshop", args.validation_timeout, Arc::new(workshop))
        }
    };
    if let Some(url) = &args.validator_url {
        // Three tries and their pauses fit into the time of one validation.
        let each = args.validation_timeout / (HttpValidator::TRIES + 1);
        let service = Arc::new(HttpValidator::new(url, each)?);
        chain = chain.then("service", args.validation_timeout, service);
    }
    Ok(Arc::new(chain))
}

/// How a worker tries and gives up.
pub fn worker_settings(args: &WorkerArgs) -> WorkerSettings {
    WorkerSettings {
        max_attempts: args.max_attempts,
        retry_base: args.retry_base,
        validation_timeout: args.validation_timeout,
        ..WorkerSettings::default()
    }
}

/// Whether the store answers; what a service's readiness asks.
pub async fn store_answers(orders: &Arc<dyn OrderStore>) -> bool {
    orders.ping().await.is_ok()
}
