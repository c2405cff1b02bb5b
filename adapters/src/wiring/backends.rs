use std::{path::Path, sync::Arc, time::Duration};

use woody_broker::{BrokerOptions, BrokerUrl};
use woody_core::ports::{Broker, Store};
use woody_store::{StoreOptions, StoreUrl};

use crate::{
    config::{BrokerArgs, ConfigError, SecretArg, StoreArgs},
    status::{Servers, StatusBoard},
};

/// What to do about the file of an embedded backend.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Files {
    /// Create it when it is not there.
    Create,
    /// It must be there: who only looks should not leave an empty shop behind.
    MustExist,
}

/// Opens the store. A server that is unavailable is no error.
///
/// # Errors
/// [`ConfigError`] when waiting would not help.
pub async fn open_store(args: &StoreArgs, files: Files) -> Result<Arc<dyn Store>, ConfigError> {
    open_store_with(args, files, StoreOptions::default().acquire_timeout).await
}

/// The same where calls wait for a connection for another time than a service's.
///
/// # Errors
/// [`ConfigError`] when waiting would not help.
pub async fn open_store_with(
    args: &StoreArgs,
    files: Files,
    acquire_timeout: Duration,
) -> Result<Arc<dyn Store>, ConfigError> {
    let url = args.url()?;
    check_file(&url, files)?;
    let parsed = StoreUrl::parse(url.expose())
        .map_err(|error| ConfigError::because("WOODY_STORE_URL", &error))?;
    let options = StoreOptions::default()
        .max_connections(u32::from(args.store_connections.get()))
        .acquire_timeout(acquire_timeout);
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

/// The broker's URL without its password.
///
/// # Errors
/// [`ConfigError`] when it names no broker.
pub fn broker_name(args: &BrokerArgs) -> Result<String, ConfigError> {
    BrokerUrl::parse(args.url()?.expose())
        .map(|url| url.to_string())
        .map_err(|error| ConfigError::because("WOODY_BROKER_URL", &error))
}

/// Returns what people call the store and the broker.
fn servers(store: &StoreArgs, broker: &BrokerArgs) -> Result<Servers, ConfigError> {
    let (store, broker) = (store.url()?, broker.url()?);
    let kind = |url: &str| url.split(':').next().unwrap_or_default().to_ascii_lowercase();
    Ok(Servers {
        store: match &*kind(store.expose()) {
            "postgres" | "postgresql" => "PostgreSQL",
            "sqlite" => "SQLite (the orders)",
            _ => "The store",
        },
        broker: match &*kind(broker.expose()) {
            "amqp" | "amqps" => "RabbitMQ",
            "sqlite" => "SQLite (the queue)",
            _ => "The broker",
        },
    })
}

/// Returns what says how the shop of this store and this broker is.
///
/// # Errors
/// [`ConfigError`] when their URLs cannot be read.
pub fn status_board(
    store_args: &StoreArgs,
    broker_args: &BrokerArgs,
    store: &Arc<dyn Store>,
    broker: &Arc<dyn Broker>,
) -> Result<StatusBoard, ConfigError> {
    let servers = servers(store_args, broker_args)?;
    Ok(StatusBoard::new(&**store, Arc::clone(broker), servers))
}

/// Opens the broker. A server that is unavailable is no error.
///
/// # Errors
/// [`ConfigError`] when waiting would not help.
pub async fn open_broker(args: &BrokerArgs, files: Files) -> Result<Arc<dyn Broker>, ConfigError> {
    let url = args.url()?;
    check_file(&url, files)?;
    let parsed = BrokerUrl::parse(url.expose())
        .map_err(|error| ConfigError::because("WOODY_BROKER_URL", &error))?;
    if args.queue_shards.get() > 1 && !url.expose().starts_with("amqp") {
        return Err(ConfigError::new(format!(
            "WOODY_QUEUE_SHARDS is {}, and only RabbitMQ has several queues: \
             leave it at 1, or give WOODY_BROKER_URL an amqp:// URL",
            args.queue_shards
        )));
    }
    let options = BrokerOptions::for_queue(&args.queue).shards(args.queue_shards.get());
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
