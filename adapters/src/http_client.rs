//! The client by which a validator asks, and a webhook tells, another service.

use std::error::Error;

use http_body_util::Full;
use hyper::{Uri, body::Bytes};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::{
    client::legacy::{
        Client,
        connect::{Connect, HttpConnector},
    },
    rt::{TokioExecutor, TokioTimer},
};
use woody_core::domain::Reason;

use crate::{causes::with_causes, config::ConfigError};

/// A client over TCP or TLS that finds hosts by `R`. It follows no redirects.
pub(crate) type HttpClient<R> = Client<HttpsConnector<HttpConnector<R>>, Full<Bytes>>;

/// Puts TLS over `tcp`, and makes a client that keeps at most so many idle connections to a host.
pub(crate) fn over<R: Clone>(
    mut tcp: HttpConnector<R>,
    idle: usize,
) -> Result<HttpClient<R>, ConfigError>
where
    HttpsConnector<HttpConnector<R>>: Connect,
{
    tcp.enforce_http(false);
    let connector = HttpsConnectorBuilder::new()
        .with_provider_and_webpki_roots(rustls::crypto::ring::default_provider())
        .map_err(|error| ConfigError::because("TLS cannot start", &error))?
        .https_or_http()
        .enable_http1()
        .wrap_connector(tcp);
    let client = Client::builder(TokioExecutor::new())
        .pool_timer(TokioTimer::new())
        .pool_max_idle_per_host(idle)
        .build(connector);
    Ok(client)
}

/// Where it is, without what may be secret: no user, no password, no query.
pub(crate) fn address(url: &Uri) -> String {
    let (scheme, host) = (url.scheme_str().unwrap_or("http"), url.host().unwrap_or_default());
    let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
    format!("{scheme}://{host}{port}{}", url.path())
}

/// Says `what` went wrong, and why, down to the last cause.
pub(crate) fn told(what: &str, error: &(dyn Error + 'static)) -> Reason {
    Reason::new(format!("{what}: {}", with_causes(error)))
}
