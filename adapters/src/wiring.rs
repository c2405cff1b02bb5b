//! The one place that names backends: from a URL to the ports.

use std::{
    num::{NonZeroU32, NonZeroUsize},
    path::Path,
    sync::{Arc, OnceLock},
    time::Duration,
};

use futures::future::BoxFuture;
use tokio::sync::watch;
use woody_broker::{BrokerOptions, BrokerUrl};
use woody_core::{
    ports::{
        Broker, BrokerError, Consumer, ConsumerState, ProductStore, Store, StoreError, Validator,
    },
    services::{
        HeavyComputation, HeavyConfig, IntakeSettings, RelaySettings, Waits, WorkerSettings,
    },
    validation::{AcceptAll, HeavyValidation, ValidatorChain},
    workshop::{Effort, HeavyPool, HeavyPoolConfig, Workshop},
};
use woody_store::{StoreOptions, StoreUrl};

use crate::{
    config::{
        BrokerArgs, ConfigError, GatewayArgs, HeavyArgs, HeavyCacheArgs, HttpArgs, ProcessArgs,
        RelayArgs, SecretArg, StoreArgs, Validation, WorkerArgs,
    },
    http::{ClientShare, ConcurrencyLimit, GatewayLimits, Networks, ServerLimits, ServiceSettings},
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
pub async fn open_store(args: &StoreArgs, files: Files) -> Result<Arc<dyn Store>, ConfigError> {
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

/// The store's URL without its password.
///
/// # Errors
/// [`ConfigError`] when it names no store.
pub fn store_name(args: &StoreArgs) -> Result<String, ConfigError> {
    StoreUrl::parse(args.url()?.expose())
        .map(|url| url.to_string())
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
    pool: HeavyPool,
) -> Result<Arc<dyn Validator>, ConfigError> {
    // A stack file writes `${WOODY_VALIDATOR_URL:-}`, so empty is none.
    let url = args.validator_url.as_ref().map(SecretArg::expose).filter(|url| !url.is_empty());
    // The worker's own limit comes a little later than the links', which have an equal
    // share each: so the reason names the link that was late.
    let links = if url.is_some() { 2 } else { 1 };
    let share = args.validation_timeout.mul_f64(0.95) / links;
    let mut chain = ValidatorChain::new();
    chain = match args.validation {
        Validation::None => chain.then("none", share, Arc::new(AcceptAll)),
        Validation::Workshop => {
            let workshop = HeavyValidation::new(Arc::new(Workshop::default()), pool, products);
            chain.then("workshop", share, Arc::new(workshop))
        }
    };
    if let Some(url) = url {
        let service = Arc::new(HttpValidator::new(url, share.mul_f64(0.95))?);
        chain = chain.then("service", share, service);
    }
    Ok(Arc::new(chain))
}

/// How orders are accepted.
pub fn intake_settings(args: &RelayArgs) -> IntakeSettings {
    IntakeSettings { outbox_lease: args.outbox_lease, ..IntakeSettings::default() }
}

/// How the outbox is emptied.
pub fn relay_settings(args: &RelayArgs) -> RelaySettings {
    RelaySettings {
        lease: args.outbox_lease,
        reconcile_every: args.reconcile_every,
        pending_for: args.pending_for,
        ..RelaySettings::default()
    }
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

/// The consumer of a worker.
///
/// # Errors
/// [`ConfigError`] when the broker was closed, which it was not.
pub async fn consumer(
    args: &WorkerArgs,
    broker: &Arc<dyn Broker>,
) -> Result<Box<dyn Consumer>, ConfigError> {
    broker
        .consumer(args.prefetch)
        .await
        .map_err(|error| ConfigError::because("WOODY_BROKER_URL", &error))
}

/// A validation that may outlast the grace would be begun anew at every update.
///
/// # Errors
/// [`ConfigError`] names both variables.
pub fn check_validation_timeout(
    worker: &WorkerArgs,
    process: &ProcessArgs,
) -> Result<(), ConfigError> {
    let left = process.grace.saturating_sub(process.drain_delay);
    if worker.validation_timeout >= left {
        tracing::warn!(
            "WOODY_VALIDATION_TIMEOUT ({:?}) is not shorter than what WOODY_GRACE leaves after \
             WOODY_DRAIN_DELAY ({left:?}): a validation under way at the end may be begun anew",
            worker.validation_timeout
        );
    }
    if worker.validation_timeout > LONGEST_VALIDATION {
        return Err(ConfigError::new(format!(
            "WOODY_VALIDATION_TIMEOUT is {:?}, longer than {LONGEST_VALIDATION:?}: RabbitMQ takes \
             a message away from whoever holds it for 30 minutes",
            worker.validation_timeout
        )));
    }
    Ok(())
}

/// Well within RabbitMQ's consumer timeout of 30 minutes.
pub const LONGEST_VALIDATION: Duration = Duration::from_mins(15);

/// Heavy plans and their cache.
pub fn heavy_computation(
    args: &HeavyCacheArgs,
    pool: HeavyPool,
    products: Option<Arc<dyn ProductStore>>,
) -> Arc<HeavyComputation> {
    let config = HeavyConfig { ttl: args.heavy_cache_ttl, capacity: args.heavy_cache_capacity };
    // A batch is planned once and cut many times: it is worth more search than an order.
    let effort = Effort { restarts: 48, ..Effort::default() };
    let workshop = Workshop::default().with_effort(effort);
    let heavy = HeavyComputation::new(Arc::new(workshop), pool, config);
    Arc::new(match products {
        Some(products) => heavy.with_products(products),
        None => heavy,
    })
}

/// What goes around a service's routes.
pub fn service_settings(args: &HttpArgs) -> ServiceSettings {
    ServiceSettings {
        concurrency: ConcurrencyLimit::new(usize::from(args.http_concurrency.get())),
        legacy_get: args.legacy_get.is_on(),
        ..ServiceSettings::default()
    }
}

/// Connection limits of a server behind a gateway, which keeps each client to its share.
pub fn server_limits() -> ServerLimits {
    ServerLimits::default()
}

/// Connection limits of a server that clients reach themselves.
pub fn public_server_limits(args: &GatewayArgs) -> ServerLimits {
    let per_client = client_share(args.client_connections, args);
    ServerLimits { per_client, ..ServerLimits::default() }
}

/// How many orders one client address may follow.
pub fn followers_per_client(args: &GatewayArgs) -> ClientShare {
    client_share(args.client_streams, args)
}

fn client_share(each: u32, args: &GatewayArgs) -> ClientShare {
    match usize::try_from(each) {
        Ok(0) | Err(_) => ClientShare::off(),
        Ok(each) => ClientShare::of(each, exempt(args)),
    }
}

fn exempt(args: &GatewayArgs) -> Networks {
    let mut all = Networks::default();
    all.extend(args.rate_exempt.iter().cloned());
    all
}

/// What a client may ask for.
pub fn gateway_limits(args: &GatewayArgs) -> GatewayLimits {
    let limits =
        NonZeroU32::new(args.rate_limit).map_or_else(GatewayLimits::off, GatewayLimits::at);
    GatewayLimits { exempt: exempt(args), ..limits }
}

/// A check that passes while the store answers.
pub fn store_check(
    store: &Arc<dyn Store>,
) -> impl Fn() -> BoxFuture<'static, Result<(), StoreError>> + use<> {
    let orders = store.orders();
    move || {
        let orders = Arc::clone(&orders);
        Box::pin(async move { orders.ping().await })
    }
}

/// A check that passes while the broker takes messages.
pub fn broker_check(
    broker: &Arc<dyn Broker>,
) -> impl Fn() -> BoxFuture<'static, Result<(), BrokerError>> + use<> {
    let publisher = broker.publisher();
    move || {
        let publisher = Arc::clone(&publisher);
        Box::pin(async move { publisher.ping().await })
    }
}

/// A check that passes while orders can be accepted in one way or the other.
pub fn either_check(
    store: &Arc<dyn Store>,
    broker: &Arc<dyn Broker>,
) -> impl Fn() -> BoxFuture<'static, Result<(), StoreError>> + use<> {
    let (store, broker) = (store_check(store), broker_check(broker));
    move || {
        let (store, broker) = (store(), broker());
        Box::pin(async move {
            let (store, broker) = tokio::join!(store, broker);
            if broker.is_ok() { Ok(()) } else { store }
        })
    }
}

/// A check that passes while the consumer that is put into `consuming` is on the
/// broker's list.
pub fn late_consumer_check(
    consuming: &Arc<OnceLock<watch::Receiver<ConsumerState>>>,
) -> impl Fn() -> BoxFuture<'static, Result<(), &'static str>> + use<> {
    let consuming = Arc::clone(consuming);
    move || match consuming.get() {
        Some(state) => consumer_check(state.clone())(),
        None => Box::pin(std::future::ready(Err("no orders are taken before the schema is there"))),
    }
}

/// A check that passes while a consumer is on the broker's list.
pub fn consumer_check(
    state: watch::Receiver<ConsumerState>,
) -> impl Fn() -> BoxFuture<'static, Result<(), &'static str>> {
    move || {
        let state = *state.borrow();
        Box::pin(async move {
            match state {
                ConsumerState::Consuming => Ok(()),
                ConsumerState::Recovering => Err("the consumer is on its way back to the broker"),
                ConsumerState::Stopped => Err("the consumer was stopped"),
            }
        })
    }
}

/// A check that passes while no validation waits for something that refuses, where
/// only an operator can help; with `refused` false, for something that is unavailable.
pub fn waits_check(
    waits: Arc<Waits>,
    refused: bool,
) -> impl Fn() -> BoxFuture<'static, Result<(), String>> {
    move || {
        let wait = waits.current().filter(|wait| wait.refused == refused);
        Box::pin(async move {
            wait.map_or(Ok(()), |wait| {
                Err(format!("validations wait since {}: {}", wait.since, wait.reason))
            })
        })
    }
}
