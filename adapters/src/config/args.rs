use std::{net::SocketAddr, num::NonZeroU16, path::PathBuf, time::Duration};

use clap::{Args, ValueEnum};

use super::{
    ConfigError, SecretArg,
    bounds::{HOUR, MILLISECOND, MONTH, time, whole},
};
use crate::http::Networks;

/// Where a service listens.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Addresses")]
pub struct ListenArgs {
    /// Address that serves clients.
    #[arg(long, env = "WOODY_LISTEN", default_value = "0.0.0.0:5000", value_name = "ADDR")]
    pub listen: SocketAddr,
}

/// Where the operator looks in.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Addresses")]
pub struct AdminArgs {
    /// Private address with /healthz, /readyz and /metrics.
    #[arg(long, env = "WOODY_ADMIN_LISTEN", default_value = "0.0.0.0:9000", value_name = "ADDR")]
    pub admin_listen: SocketAddr,
    /// Ask the service at the admin address whether it is alive, and exit 0 or 1.
    #[arg(long)]
    pub healthcheck: bool,
}

/// Where orders and products are kept.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Store")]
pub struct StoreArgs {
    /// memory:, sqlite:PATH or postgres://USER:PASSWORD@HOST/DATABASE
    #[arg(long, env = "WOODY_STORE_URL", value_name = "URL", hide_env_values = true)]
    pub store_url: Option<SecretArg>,
    /// File that holds the store's URL.
    #[arg(long, env = "WOODY_STORE_URL_FILE", value_name = "PATH")]
    pub store_url_file: Option<PathBuf>,
    /// Connections to PostgreSQL at most (1 to 1000).
    #[arg(long, env = "WOODY_STORE_CONNECTIONS", default_value = "10", value_name = "N",
          value_parser = whole::<NonZeroU16>(1, 1_000))]
    pub store_connections: NonZeroU16,
}

impl StoreArgs {
    /// Whether a store was named at all.
    pub fn is_given(&self) -> bool {
        self.store_url.is_some() || self.store_url_file.is_some()
    }

    /// The store's URL, from where it was given.
    ///
    /// # Errors
    /// [`ConfigError`] when it was not given or its file cannot be read.
    pub fn url(&self) -> Result<SecretArg, ConfigError> {
        SecretArg::resolve("WOODY_STORE_URL", self.store_url.as_ref(), self.store_url_file.as_ref())
    }
}

/// Where messages go through.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Broker")]
pub struct BrokerArgs {
    /// memory:, sqlite:PATH, amqp://USER:PASSWORD@HOST/VHOST or amqps://…
    #[arg(long, env = "WOODY_BROKER_URL", value_name = "URL", hide_env_values = true)]
    pub broker_url: Option<SecretArg>,
    /// File that holds the broker's URL.
    #[arg(long, env = "WOODY_BROKER_URL_FILE", value_name = "PATH")]
    pub broker_url_file: Option<PathBuf>,
    /// Queue of the orders.
    #[arg(long, env = "WOODY_QUEUE", default_value = "order_processing", value_name = "NAME")]
    pub queue: String,
}

impl BrokerArgs {
    /// The broker's URL, from where it was given.
    ///
    /// # Errors
    /// [`ConfigError`] when it was not given or its file cannot be read.
    pub fn url(&self) -> Result<SecretArg, ConfigError> {
        SecretArg::resolve(
            "WOODY_BROKER_URL",
            self.broker_url.as_ref(),
            self.broker_url_file.as_ref(),
        )
    }
}

/// How orders get from the store to the broker when the first attempt did not do it.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Outbox")]
pub struct RelayArgs {
    /// How long a process has for publishing an order; then any other may do it (100ms to 1h).
    #[arg(long, env = "WOODY_OUTBOX_LEASE", default_value = "15s", value_name = "TIME",
          value_parser = time(100 * MILLISECOND, HOUR))]
    pub outbox_lease: Duration,
    /// Pause between looks for orders whose messages the broker has lost (4s to 10m).
    #[arg(long, env = "WOODY_RECONCILE_EVERY", default_value = "15s", value_name = "TIME",
          value_parser = time(4_000 * MILLISECOND, HOUR / 6))]
    pub reconcile_every: Duration,
    /// An order that is pending for longer may have lost its message (100ms to 30days).
    #[arg(long, env = "WOODY_PENDING_FOR", default_value = "10s", value_name = "TIME",
          value_parser = time(100 * MILLISECOND, MONTH))]
    pub pending_for: Duration,
}

/// How orders are validated.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Worker")]
pub struct WorkerArgs {
    /// Deliveries in flight; also how many orders are validated at once (1 to 10000).
    #[arg(long, env = "WOODY_PREFETCH", default_value = "1", value_name = "N",
          value_parser = whole::<NonZeroU16>(1, 10_000))]
    pub prefetch: NonZeroU16,
    /// Attempts before an order is failed and its message a dead letter (1 to 1000).
    #[arg(long, env = "WOODY_MAX_ATTEMPTS", default_value = "5", value_name = "N",
          value_parser = whole::<u32>(1, 1_000))]
    pub max_attempts: u32,
    /// Pause before the second attempt; it doubles with each further one (1ms to 1h).
    #[arg(long, env = "WOODY_RETRY_BASE", default_value = "1s", value_name = "TIME",
          value_parser = time(MILLISECOND, HOUR))]
    pub retry_base: Duration,
    /// Longest time one validation may take (1ms to 15m).
    #[arg(long, env = "WOODY_VALIDATION_TIMEOUT", default_value = "10s", value_name = "TIME",
          value_parser = time(MILLISECOND, HOUR))]
    pub validation_timeout: Duration,
    /// What an order must pass.
    #[arg(long, env = "WOODY_VALIDATION", default_value = "workshop", value_name = "WHICH")]
    pub validation: Validation,
    /// HTTP service that must agree to each order too (payment, fraud, …).
    #[arg(long, env = "WOODY_VALIDATOR_URL", value_name = "URL", hide_env_values = true)]
    pub validator_url: Option<SecretArg>,
}

/// The validation that comes with the shop.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Validation {
    /// The workshop plans how the order is cut.
    Workshop,
    /// Every order passes; for measuring everything else.
    None,
}

/// How heavy work is done and remembered.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Heavy work")]
pub struct HeavyArgs {
    /// Threads for heavy work; 0 is one for each core (0 to 256).
    #[arg(long, env = "WOODY_HEAVY_THREADS", default_value = "0", value_name = "N",
          value_parser = whole::<usize>(0, 256))]
    pub heavy_threads: usize,
}

/// How long heavy answers are remembered.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Heavy work")]
pub struct HeavyCacheArgs {
    /// How long a heavy answer is remembered (1ms to 30days).
    #[arg(long, env = "WOODY_HEAVY_CACHE_TTL", default_value = "60s", value_name = "TIME",
          value_parser = time(MILLISECOND, MONTH))]
    pub heavy_cache_ttl: Duration,
    /// How many heavy answers are remembered (1 to 1000000).
    #[arg(long, env = "WOODY_HEAVY_CACHE_CAPACITY", default_value = "10000", value_name = "N",
          value_parser = whole::<u64>(1, 1_000_000))]
    pub heavy_cache_capacity: u64,
}

/// What HTTP clients may do.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "HTTP")]
pub struct HttpArgs {
    /// Whether the original GET routes that change state are served.
    #[arg(long, env = "WOODY_LEGACY_GET", default_value = "on", value_name = "on|off")]
    pub legacy_get: Switch,
    /// Requests handled at once; the next one is answered 503 (1 to 65535).
    #[arg(long, env = "WOODY_HTTP_CONCURRENCY", default_value = "1024", value_name = "N",
          value_parser = whole::<NonZeroU16>(1, 65_535))]
    pub http_concurrency: NonZeroU16,
}

/// On or off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Switch {
    /// On.
    On,
    /// Off.
    Off,
}

impl Switch {
    /// Whether it is on.
    pub fn is_on(self) -> bool {
        self == Self::On
    }
}

/// The limits that the gateway sets per client and service.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Gateway")]
pub struct GatewayArgs {
    /// Requests per second and client address, for each service; 0 sets no limit (0 to 1000000).
    #[arg(long, env = "WOODY_RATE_LIMIT", default_value = "10", value_name = "N",
          value_parser = whole::<u32>(0, 1_000_000))]
    pub rate_limit: u32,
    /// Addresses and networks that no limit holds for, parted by commas: 192.0.2.7,10.0.0.0/8
    #[arg(long, env = "WOODY_RATE_EXEMPT", value_name = "NETS")]
    pub rate_exempt: Vec<Networks>,
    /// Connections that one client address may hold; 0 sets no limit (0 to 1000000).
    #[arg(long, env = "WOODY_CLIENT_CONNECTIONS", default_value = "1024", value_name = "N",
          value_parser = whole::<u32>(0, 1_000_000))]
    pub client_connections: u32,
    /// Streams of events that one client address may follow; 0 sets no limit (0 to 1000000).
    #[arg(long, env = "WOODY_CLIENT_STREAMS", default_value = "128", value_name = "N",
          value_parser = whole::<u32>(0, 1_000_000))]
    pub client_streams: u32,
}

/// How a process ends.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Process")]
pub struct ProcessArgs {
    /// How long it goes on answering after SIGTERM while it is not ready any more (0s to 1h).
    #[arg(long, env = "WOODY_DRAIN_DELAY", default_value = "0s", value_name = "TIME",
          value_parser = time(Duration::ZERO, HOUR))]
    pub drain_delay: Duration,
    /// Time from SIGTERM by which everything is finished or given back (1ms to 1h).
    #[arg(long, env = "WOODY_GRACE", default_value = "25s", value_name = "TIME",
          value_parser = time(MILLISECOND, HOUR))]
    pub grace: Duration,
    /// How it logs.
    #[command(flatten)]
    pub log: LogArgs,
}

/// How a process logs.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Logging")]
pub struct LogArgs {
    /// What is logged: error, warn, info, debug, trace, or filters by module.
    #[arg(long, env = "WOODY_LOG", default_value = "info", value_name = "FILTER")]
    pub log: String,
    /// How it looks.
    #[arg(long, env = "WOODY_LOG_FORMAT", default_value = "text", value_name = "text|json")]
    pub log_format: LogFormat,
}

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

#[cfg(test)]
mod tests {
    use clap::{CommandFactory, Parser};

    use super::*;

    /// Everything that is told where something is.
    #[derive(Debug, Parser)]
    struct Addresses {
        #[command(flatten)]
        store: StoreArgs,
        #[command(flatten)]
        broker: BrokerArgs,
        #[command(flatten)]
        worker: WorkerArgs,
    }

    #[test]
    fn a_url_shows_its_password_neither_in_help_nor_in_debug() {
        let urls = ["--store-url", "--broker-url", "--validator-url"];
        let words = urls.map(|flag| format!("{flag}=amqp://woody:hunter2@host"));
        let args = Addresses::try_parse_from(["woodytoys".to_owned()].into_iter().chain(words));
        let args = args.unwrap();
        assert!(!format!("{args:?}").contains("hunter2"), "{args:?}");
        assert!(args.worker.validator_url.unwrap().expose().contains("hunter2"));
        let command = Addresses::command();
        let shown = command.get_arguments().filter(|flag| !flag.is_hide_env_values_set());
        assert!(!shown.into_iter().any(|flag| flag.get_id().as_str().ends_with("_url")));
    }

    #[derive(Debug, Parser)]
    struct Program {
        #[command(flatten)]
        gateway: GatewayArgs,
    }

    #[test]
    fn who_is_exempt_is_written_as_at_the_gateway() {
        let exempt = |given: &[&str]| {
            let given = given.iter().flat_map(|value| ["--rate-exempt", value]);
            let args = Program::try_parse_from(std::iter::once("woodytoys").chain(given))?;
            let mut all = Networks::default();
            all.extend(args.gateway.rate_exempt);
            Ok::<_, clap::Error>(all)
        };
        let networks = exempt(&["10.0.0.0/8, 192.0.2.7", "2001:db8::/32", ""]).unwrap();
        for address in ["10.1.2.3", "192.0.2.7", "2001:db8::7"] {
            assert!(networks.contains(address.parse().unwrap()), "{address}");
        }
        assert!(!networks.contains("192.0.2.8".parse().unwrap()));
        assert_eq!(exempt(&[""]).unwrap(), Networks::default());
        let error = exempt(&["10.0.0.0/33"]).unwrap_err().to_string();
        assert!(error.contains("--rate-exempt") && error.contains("10.0.0.0/33"), "{error}");
    }
}
