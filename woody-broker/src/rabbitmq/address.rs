//! The broker's URL, read strictly and never shown with its password.

use std::{fmt, time::Duration};

use lapin::uri::{AMQPScheme, AMQPUri};
use woody_core::ports::BrokerError;

use super::RabbitMqOptions;

/// Frames of this size keep lapin's two buffers of 32 frames at 2 MiB in all;
/// with the broker's own 128 KiB it would be 8.
const FRAME_MAX: u32 = 32 * 1024;

/// The broker's host and the login there.
#[derive(Clone)]
pub(super) struct Address {
    uri: AMQPUri,
    pub(super) connect_timeout: Duration,
}

impl Address {
    /// Parses a URL and fills in defaults.
    ///
    /// `amqp://host/` means the virtual host `/`, as pika reads it, and not the empty one
    /// of the specification, which no broker has.
    pub(super) fn parse(url: &str, options: &RabbitMqOptions) -> Result<Self, BrokerError> {
        // The parser's error may quote the URL, and with it the password.
        let mut uri: AMQPUri = url.parse().map_err(|_| {
            BrokerError::refused("not a URL of the form amqp://user:password@host:port/vhost")
        })?;
        if let Some(host) = ipv6_host(url) {
            // The parser reads `localhost` for an IPv6 address.
            host.clone_into(&mut uri.authority.host);
        }
        if uri.authority.host.is_empty() {
            return Err(BrokerError::refused("the AMQP URL names no host"));
        }
        if uri.vhost.is_empty() {
            "/".clone_into(&mut uri.vhost);
        }
        let heartbeat = uri.query.heartbeat.filter(|seconds| *seconds > 0);
        let default = u16::try_from(options.heartbeat.as_secs()).unwrap_or(u16::MAX).max(1);
        uri.query.heartbeat = Some(heartbeat.unwrap_or(default));
        uri.query.frame_max = uri.query.frame_max.or(Some(FRAME_MAX));
        let connect_timeout =
            uri.query.connection_timeout.map_or(options.connect_timeout, Duration::from_millis);
        Ok(Self { uri, connect_timeout })
    }

    pub(super) fn uri(&self) -> &AMQPUri {
        &self.uri
    }

    pub(super) fn is_encrypted(&self) -> bool {
        self.uri.scheme == AMQPScheme::AMQPS
    }

    pub(super) fn host(&self) -> &str {
        &self.uri.authority.host
    }

    pub(super) fn port(&self) -> u16 {
        self.uri.authority.port
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Address")
            .field("scheme", &self.uri.scheme)
            .field("user", &self.uri.authority.userinfo.username)
            .field("host", &self.uri.authority.host)
            .field("port", &self.uri.authority.port)
            .field("vhost", &self.uri.vhost)
            .finish_non_exhaustive()
    }
}

/// Returns the address between the brackets of `scheme://user@[::1]:5672/…`.
fn ipv6_host(url: &str) -> Option<&str> {
    let rest = url.split_once("://")?.1;
    let authority = rest.split(['/', '?', '#']).next()?;
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    host.strip_prefix('[')?.split_once(']').map(|(address, _)| address)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(url: &str) -> Result<Address, BrokerError> {
        Address::parse(url, &RabbitMqOptions::default())
    }

    #[test]
    fn a_malformed_url_is_an_error_that_keeps_the_password_to_itself() {
        for bad in [
            "amqp:user:hunter2@host",
            "http://u:hunter2@host",
            "amqp://u:hunter2@host:port",
            "amqp://u:hunter2@host?heartbeat=x",
            "hunter2",
            "",
        ] {
            let error = parse(bad).unwrap_err();
            assert!(!format!("{error:?} {error}").contains("hunter2"), "{error:?}");
        }
    }

    #[test]
    fn neither_debug_nor_its_pretty_form_shows_the_password() {
        let address = parse("amqp://woody:hunter2@host:1/vhost").unwrap();
        let shown = format!("{address:?} {address:#?}");
        assert!(shown.contains("woody") && !shown.contains("hunter2"), "{shown}");
    }

    #[test]
    fn every_usual_form_is_understood() {
        for (url, host, port, vhost) in [
            ("amqp://rabbitmq", "rabbitmq", 5672, "/"),
            ("amqp://rabbitmq/", "rabbitmq", 5672, "/"),
            ("amqp://u:p@rabbitmq:1/%2f", "rabbitmq", 1, "/"),
            ("amqp://u:p@rabbitmq:1/shop", "rabbitmq", 1, "shop"),
            ("amqps://10.0.0.7/shop", "10.0.0.7", 5671, "shop"),
            ("amqp://u:p@[::1]:99/shop", "::1", 99, "shop"),
        ] {
            let address = parse(url).unwrap();
            assert_eq!((address.host(), address.port()), (host, port), "{url}");
            assert_eq!(address.uri().vhost, vhost, "{url}");
        }
    }

    #[test]
    fn the_heartbeat_of_the_url_wins_but_it_cannot_be_switched_off() {
        for (url, heartbeat) in
            [("amqp://h", 5), ("amqp://h?heartbeat=20", 20), ("amqp://h?heartbeat=0", 5)]
        {
            assert_eq!(parse(url).unwrap().uri().query.heartbeat, Some(heartbeat), "{url}");
        }
    }
}
