use std::{
    fmt::Display,
    num::{NonZeroU16, NonZeroU32},
    path::{Path, PathBuf},
    time::Duration,
};

use clap::{Args, ValueEnum};
use tokio_util::sync::CancellationToken;

use super::{
    ConfigError,
    bounds::{time, whole},
    text_file,
};
use crate::{
    http::{
        AccessControl, ClientShare, ConcurrencyLimit, GatewayLimits, Hosts, Networks, Origins,
        RateStatus, Sampling, ServerLimits, ServiceSettings, StreamSettings,
    },
    keys::{ApiKeys, NoKeys, Scope, Scopes},
};

/// The longest that a request may wait for its turn: well within what gateways wait.
const LONGEST_WAIT: Duration = Duration::from_secs(10);

/// What HTTP clients may do.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "HTTP")]
pub struct HttpArgs {
    /// Whether the original GET routes that change state are served.
    #[arg(long, env = "WOODY_LEGACY_GET", default_value = "on", value_name = "on|off")]
    pub legacy_get: Switch,
    /// Whether responses of text are packed (gzip) for clients that can read that, from 1 KiB on.
    #[arg(long, env = "WOODY_COMPRESSION", default_value = "on", value_name = "on|off")]
    pub compression: Switch,
    /// Requests handled at once; the next one waits for its turn (1 to 65535).
    #[arg(long, env = "WOODY_HTTP_CONCURRENCY", default_value = "1024", value_name = "N",
          value_parser = whole::<NonZeroU16>(1, 65_535))]
    pub http_concurrency: NonZeroU16,
    /// How long a request waits for its turn before it is answered 503 (0s to 10s).
    #[arg(long, env = "WOODY_HTTP_WAIT", default_value = "1s", value_name = "TIME",
          value_parser = time(Duration::ZERO, LONGEST_WAIT))]
    pub http_wait: Duration,
    /// Sites whose pages may use the API from a browser (CORS), parted by commas, each with its
    /// scheme, or * for any. The shop's own pages always may.
    #[arg(long, env = "WOODY_ORIGINS", value_name = "https://SITE")]
    pub origins: Vec<Origins>,
    /// File of the keys of clients that are programs, a line for each, as `woodyctl keys new` prints it. With it requests
    /// need a key.
    #[arg(long, env = "WOODY_API_KEYS_FILE", value_name = "PATH")]
    pub api_keys_file: Option<PathBuf>,
    /// What needs no key all the same, parted by commas: order, read, operate.
    #[arg(
        long,
        env = "WOODY_PUBLIC_SCOPES",
        default_value = "",
        hide_default_value = true,
        value_name = "SCOPES"
    )]
    pub public_scopes: Scopes,
}

impl HttpArgs {
    /// What goes around the routes of a service that has these names, and begins so many traces.
    ///
    /// # Errors
    /// [`ConfigError`] when the file of keys cannot be used.
    pub fn settings(
        &self,
        hosts: Hosts,
        sampling: Sampling,
    ) -> Result<ServiceSettings, ConfigError> {
        let mut origins = Origins::default();
        origins.extend(self.origins.iter().cloned());
        let concurrency = ConcurrencyLimit::new(usize::from(self.http_concurrency.get()));
        Ok(ServiceSettings {
            concurrency: concurrency.waiting(self.http_wait, ServiceSettings::WAITING_BYTES),
            compression: self.compression.is_on(),
            legacy_get: self.legacy_get.is_on(),
            hosts,
            origins,
            sampling,
            access: self.access()?,
            ..ServiceSettings::default()
        })
    }

    fn access(&self) -> Result<AccessControl, ConfigError> {
        match &self.api_keys_file {
            Some(path) => {
                let keys = read_keys(path)?;
                if !keys.grant(Scope::Order) && !self.public_scopes.contains(Scope::Order) {
                    tracing::warn!(
                        "no key has the scope order, and it is not public: nobody can order"
                    );
                }
                Ok(AccessControl::of(keys, self.public_scopes))
            }
            None if self.public_scopes.is_empty() => Ok(AccessControl::off()),
            None => Err(ConfigError::new(
                "WOODY_PUBLIC_SCOPES says what needs no key, and without WOODY_API_KEYS_FILE nothing does",
            )),
        }
    }
}

/// The largest file of keys, in bytes: some 10,000 lines.
const LARGEST_FILE: u64 = 2 * 1024 * 1024;

fn read_keys(path: &Path) -> Result<ApiKeys, ConfigError> {
    let unusable = |problem: &dyn Display| {
        ConfigError::new(format!("WOODY_API_KEYS_FILE names {}: {problem}", path.display()))
    };
    let text = text_file::read(path, LARGEST_FILE).map_err(|problem| unusable(&problem))?;
    text.parse().map_err(|error: NoKeys| unusable(&error))
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

/// Clients that follow their orders.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Events")]
pub struct StreamArgs {
    /// Clients that may follow an order, or wait for one, at once; one that follows several orders
    /// counts once for each four; the next one is answered 503 (1 to 1000000).
    #[arg(long, env = "WOODY_STREAMS", default_value = "10000", value_name = "N",
          value_parser = whole::<NonZeroU32>(1, 1_000_000))]
    pub streams: NonZeroU32,
}

impl StreamArgs {
    /// How orders are followed, until `stop`.
    pub fn settings(&self, stop: CancellationToken) -> StreamSettings {
        StreamSettings { streams: self.most(), ..StreamSettings::until(stop) }
    }

    /// `limits` with a connection more for each stream, so that followers take none from others.
    pub fn beside(&self, limits: ServerLimits) -> ServerLimits {
        let connections = limits.connections.saturating_add(self.most());
        ServerLimits { connections, ..limits }
    }

    fn most(&self) -> usize {
        usize::try_from(self.streams.get()).unwrap_or(usize::MAX)
    }
}

/// The status of what is refused for its client's rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum RefusalStatus {
    /// 503.
    #[value(name = "503")]
    ServiceUnavailable,
    /// 429.
    #[value(name = "429")]
    TooManyRequests,
}

impl From<RefusalStatus> for RateStatus {
    fn from(status: RefusalStatus) -> Self {
        match status {
            RefusalStatus::ServiceUnavailable => Self::ServiceUnavailable,
            RefusalStatus::TooManyRequests => Self::TooManyRequests,
        }
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
    /// What a client is told that has spent its requests: 503 as the original system has it, or 429 with a problem,
    /// and before that where it stands (RateLimit).
    #[arg(long, env = "WOODY_RATE_STATUS", default_value = "503", value_name = "503|429")]
    pub rate_status: RefusalStatus,
    /// Connections that one client address may hold; 0 sets no limit (0 to 1000000).
    #[arg(long, env = "WOODY_CLIENT_CONNECTIONS", default_value = "1024", value_name = "N",
          value_parser = whole::<u32>(0, 1_000_000))]
    pub client_connections: u32,
    /// Streams of events, and waits for an order, that one client address may hold; 0 sets no limit (0 to 1000000).
    #[arg(long, env = "WOODY_CLIENT_STREAMS", default_value = "128", value_name = "N",
          value_parser = whole::<u32>(0, 1_000_000))]
    pub client_streams: u32,
}

impl GatewayArgs {
    /// What a client may ask for.
    pub fn settings(&self) -> GatewayLimits {
        let limits =
            NonZeroU32::new(self.rate_limit).map_or_else(GatewayLimits::off, GatewayLimits::at);
        GatewayLimits { exempt: self.exempt(), status: self.rate_status.into(), ..limits }
    }

    /// Connection limits of a server that clients reach themselves. Behind a gateway the
    /// gateway keeps each client to its share.
    pub fn server_limits(&self) -> ServerLimits {
        let per_client = self.share(self.client_connections);
        ServerLimits { per_client, ..ServerLimits::default() }
    }

    /// How many orders one client address may follow.
    pub fn followers_per_client(&self) -> ClientShare {
        self.share(self.client_streams)
    }

    fn share(&self, each: u32) -> ClientShare {
        match usize::try_from(each) {
            Ok(0) | Err(_) => ClientShare::off(),
            Ok(each) => ClientShare::of(each, self.exempt()),
        }
    }

    fn exempt(&self) -> Networks {
        let mut all = Networks::default();
        all.extend(self.rate_exempt.iter().cloned());
        all
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

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

    #[test]
    fn a_stream_takes_no_connection_from_others() {
        #[derive(Debug, Parser)]
        struct Program {
            #[command(flatten)]
            streams: StreamArgs,
        }

        let Program { streams } = Program::parse_from(["order-service", "--streams", "5"]);
        let limits = streams.beside(ServerLimits { connections: 100, ..ServerLimits::default() });
        assert_eq!(limits.connections, 105);
        assert_eq!(streams.settings(CancellationToken::new()).streams, 5);
    }
}
