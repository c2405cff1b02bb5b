//! The addresses at which the database may be, and whether it is there.

use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgSslMode};
use sqlx::{Connection, PgConnection};
use tokio::time::timeout;

use super::address::name_of;
use super::error::{Error, NoAnswer, Standby};
use super::server::is_read_only;

/// As many addresses of one name as are tried.
const MOST_ADDRESSES: usize = 32;

/// One address of one of the URL's hosts.
#[derive(Clone)]
pub(super) struct Candidate {
    /// How it is called, in the log and in errors.
    pub(super) name: String,
    pub(super) server: PgConnectOptions,
}

/// Returns the addresses of all hosts. A name that is not found is kept as it was written:
/// the attempt to connect says why.
pub(super) async fn candidates(hosts: &[PgConnectOptions], limit: Duration) -> Vec<Candidate> {
    let lookups = hosts.iter().map(|server| addresses(server, limit));
    futures::future::join_all(lookups).await.into_iter().flatten().collect()
}

async fn addresses(server: &PgConnectOptions, limit: Duration) -> Vec<Candidate> {
    let as_written = || Candidate { name: name_of(server), server: server.clone() };
    // A certificate is for a name, and the driver has no other place for an address.
    let is_by_name =
        !matches!(server.get_ssl_mode(), PgSslMode::Disable | PgSslMode::Allow | PgSslMode::Prefer);
    if is_by_name || server.get_socket().is_some() {
        return vec![as_written()];
    }
    let place = (server.get_host(), server.get_port());
    let Ok(Ok(found)) = timeout(limit, tokio::net::lookup_host(place)).await else {
        return vec![as_written()];
    };
    let mut found: Vec<_> = found.map(|at| at.ip()).take(MOST_ADDRESSES).collect();
    found.dedup();
    if found.len() < 2 {
        return vec![as_written()];
    }
    let at = |ip: &std::net::IpAddr| Candidate {
        name: format!("{} ({ip})", name_of(server)),
        server: server.clone().host(&ip.to_string()),
    };
    found.iter().map(at).collect()
}

impl Candidate {
    /// Logs in, within `limit`, and checks that the server takes writes if it `must`.
    pub(super) async fn probe(&self, limit: Duration, must_write: bool) -> Result<(), Error> {
        let probing = async {
            let mut pg = PgConnection::connect_with(&self.server).await?;
            if must_write && is_read_only(&mut pg).await? {
                return Err(Error(woody_core::ports::StoreError::unavailable(Standby)));
            }
            Ok(pg.close().await?)
        };
        match timeout(limit, Box::pin(probing)).await {
            Ok(said) => said,
            Err(_) => Err(Error(woody_core::ports::StoreError::unavailable(NoAnswer(limit)))),
        }
    }
}
