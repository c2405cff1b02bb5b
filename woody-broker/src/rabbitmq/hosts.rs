//! Which of the broker's hosts a connection goes to.
//!
//! All hosts of a cluster are alike, so any will do, and those that failed lately are
//! tried last. A host that accepts and says nothing costs one login's time.

use std::{net::SocketAddr, time::Duration};

use lapin::{tcp::OwnedTLSConfig, uri::AMQPUri};
use tracing::warn;
use woody_core::{ports::BrokerError, resilience::Turns};

use super::{
    address::{Address, name_of},
    error::{Cause, Fault},
    session::{Login, Session},
};

/// For this long a host that has failed comes after the others.
const LATELY: Duration = Duration::from_secs(30);

/// As many addresses of one name as are tried.
const MOST_ADDRESSES: usize = 32;

/// The broker's hosts. All connections to one broker share them, and what is known of them.
pub(super) struct Hosts {
    address: Address,
    tls: OwnedTLSConfig,
    names: Turns<usize>,
    addresses: Turns<SocketAddr>,
}

impl Hosts {
    /// Reads the file of the authorities, if there is one.
    pub(super) fn of(address: Address) -> Result<Self, BrokerError> {
        let authorities = address.authorities.as_ref().map(|path| {
            let read = std::fs::read_to_string(path);
            let refused = |why: &str| BrokerError::refused(format!("{}: {why}", path.display()));
            let pem = read.map_err(|error| refused(&error.to_string()))?;
            if pem.contains("-----BEGIN CERTIFICATE-----") {
                Ok(pem)
            } else {
                Err(refused("it holds no certificate in PEM format"))
            }
        });
        Ok(Self {
            address,
            tls: OwnedTLSConfig { identity: None, cert_chain: authorities.transpose()? },
            names: Turns::new(LATELY),
            addresses: Turns::new(LATELY),
        })
    }

    /// Logs in at one of the hosts.
    ///
    /// # Errors
    /// What each host said; [`BrokerError::Refused`] only if all of them refuse.
    pub(super) async fn open(&self, name: &str) -> Result<Session, BrokerError> {
        let mut failures = Failures::default();
        let uris = self.address.uris();
        for host in self.names.order(0..uris.len()) {
            let uri = &uris[host];
            let addresses = match self.resolve(uri).await {
                Ok(addresses) => self.addresses.order(addresses),
                Err(error) => {
                    failures.add(name_of(uri), error, self.names.failed(host));
                    continue;
                }
            };
            let is_alone = uris.len() == 1 && addresses.len() == 1;
            let limit =
                if is_alone { self.address.connect_timeout } else { self.address.login_timeout };
            let has_several = addresses.len() > 1;
            for at in addresses {
                let login = Login { uri, at: (host, at), tls: &self.tls, limit };
                match Session::open(login, name).await {
                    Ok(session) => {
                        self.addresses.good(&at);
                        self.names.good(&host);
                        failures.report();
                        return Ok(session);
                    }
                    Err(error) => {
                        let host = name_of(uri);
                        let host = if has_several { format!("{host} ({})", at.ip()) } else { host };
                        failures.add(host, error, self.addresses.failed(at));
                    }
                }
            }
            self.names.failed(host);
        }
        Err(failures.into_error())
    }

    /// Notes that a connection was lost without our doing: its host comes last.
    pub(super) fn lost(&self, session: &Session) {
        let (host, at) = session.at;
        self.names.failed(host);
        self.addresses.failed(at);
    }

    pub(super) fn address(&self) -> &Address {
        &self.address
    }

    async fn resolve(&self, uri: &AMQPUri) -> Result<Vec<SocketAddr>, BrokerError> {
        let limit = self.address.connect_timeout;
        let place = (uri.authority.host.as_str(), uri.authority.port);
        let found = tokio::time::timeout(limit, tokio::net::lookup_host(place)).await;
        let found = found.map_err(|_| Fault::TimedOut { what: "looking up the host", limit })?;
        let mut found: Vec<SocketAddr> =
            found.map_err(BrokerError::unavailable)?.take(MOST_ADDRESSES).collect();
        found.dedup();
        if found.is_empty() {
            return Err(BrokerError::unavailable("the host's name has no address"));
        }
        Ok(found)
    }
}

/// What the hosts said that were tried in vain.
#[derive(Default)]
struct Failures(Vec<Failure>);

struct Failure {
    host: String,
    cause: Cause,
    is_news: bool,
    error: BrokerError,
}

impl Failures {
    fn add(&mut self, host: String, error: BrokerError, is_news: bool) {
        self.0.push(Failure { host, cause: Cause::of(&error), is_news, error });
    }

    /// Another host was used, so nobody else hears of these.
    fn report(self) {
        for Failure { host, cause, .. } in self.0.into_iter().filter(|failure| failure.is_news) {
            warn!(broker.host = host, error = %cause, "a host of the broker cannot be used, another is");
        }
    }

    fn into_error(mut self) -> BrokerError {
        if self.0.len() == 1
            && let Some(only) = self.0.pop()
        {
            return only.error;
        }
        let said: Vec<String> =
            self.0.iter().map(|failure| format!("{}: {}", failure.host, failure.cause)).collect();
        let said = format!("no host of the broker can be used: {}", said.join("; "));
        if self.0.iter().all(|failure| matches!(failure.error, BrokerError::Refused(_))) {
            BrokerError::refused(said)
        } else {
            BrokerError::unavailable(said)
        }
    }
}
