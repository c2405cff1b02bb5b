//! The broker's URL, read strictly and never shown with its password.

use std::{fmt, path::PathBuf, time::Duration};

use lapin::uri::{AMQPScheme, AMQPUri};
use woody_core::backend_url::{ServerUrl, UrlError};

use super::RabbitMqOptions;

/// Frames of this size keep lapin's two buffers of 32 frames at 2 MiB in all;
/// with the broker's own 128 KiB it would be 8.
const FRAME_MAX: u32 = 32 * 1024;

/// The parameters of a URL that have an effect here.
const KNOWN: [&str; 6] =
    ["heartbeat", "connection_timeout", "cacertfile", "frame_max", "channel_max", "auth_mechanism"];

/// The broker's hosts and the login that all of them have.
#[derive(Clone)]
pub(super) struct Address {
    /// One for each host.
    uris: Vec<AMQPUri>,
    /// How long a login may take where there is another address to try.
    pub(super) login_timeout: Duration,
    /// How long it may take where there is none.
    pub(super) connect_timeout: Duration,
    /// The file with the certificates of authorities to trust besides the system's.
    pub(super) authorities: Option<PathBuf>,
}

impl Address {
    /// Parses a URL and fills in defaults.
    ///
    /// `amqp://host/` means the virtual host `/`, as pika reads it, and not the empty one
    /// of the specification, which no broker has.
    pub(super) fn parse(url: &str, options: &RabbitMqOptions) -> Result<Self, UrlError> {
        let (scheme, form) = match url.split_once(':') {
            Some(("amqps", _)) => ("amqps", "amqps://user:password@host:port,host:port/vhost"),
            _ => ("amqp", "amqp://user:password@host:port,host:port/vhost"),
        };
        let malformed = |problem: &str| UrlError::malformed(scheme, problem);
        let server = ServerUrl::split(scheme, url)?;
        if server.hosts().iter().any(|host| host.is_empty() || host.starts_with(':')) {
            return Err(malformed(&format!("a host must follow, as in `{scheme}://rabbitmq`")));
        }
        server.only(&KNOWN)?;
        let timeout = server.whole("connection_timeout", 100, 60_000)?;
        let timeout = timeout.map(|millis| Duration::from_millis(millis.into()));
        let authorities = server.parameter("cacertfile").map(PathBuf::from);
        if authorities.is_some() && scheme != "amqps" {
            return Err(malformed("`cacertfile` is for amqps:// alone, this speaks no TLS"));
        }
        let uri = |host: &&str| {
            // The parser's error may quote the URL, and with it the password.
            let url: Option<AMQPUri> = server.at(host, &["cacertfile"]).parse().ok();
            let uri = url.and_then(|uri| with_defaults(uri, host, options));
            uri.ok_or_else(|| malformed(&format!("it is not of the form {form}")))
        };
        Ok(Self {
            uris: server.hosts().iter().map(uri).collect::<Result<_, _>>()?,
            login_timeout: timeout.unwrap_or(options.login_timeout),
            connect_timeout: timeout.unwrap_or(options.connect_timeout),
            authorities,
        })
    }

    /// Returns one URI for each host.
    pub(super) fn uris(&self) -> &[AMQPUri] {
        &self.uris
    }
}

fn with_defaults(mut uri: AMQPUri, host: &str, options: &RabbitMqOptions) -> Option<AMQPUri> {
    if let Some(host) = ipv6_host(host) {
        // The parser reads `localhost` for an IPv6 address.
        host.clone_into(&mut uri.authority.host);
    }
    if uri.authority.host.is_empty() {
        return None;
    }
    if uri.vhost.is_empty() {
        "/".clone_into(&mut uri.vhost);
    }
    let heartbeat = uri.query.heartbeat.filter(|seconds| *seconds > 0);
    let default = u16::try_from(options.heartbeat.as_secs()).unwrap_or(u16::MAX).max(1);
    uri.query.heartbeat = Some(heartbeat.unwrap_or(default));
    uri.query.frame_max = uri.query.frame_max.or(Some(FRAME_MAX));
    Some(uri)
}

/// Checks that a URL can be used.
pub(crate) fn check_url(url: &str) -> Result<(), UrlError> {
    Address::parse(url, &RabbitMqOptions::default()).map(drop)
}

/// How a host is called in the log and in errors.
pub(super) fn name_of(uri: &AMQPUri) -> String {
    let (host, port) = (&uri.authority.host, uri.authority.port);
    if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") }
}

pub(super) fn is_encrypted(uri: &AMQPUri) -> bool {
    uri.scheme == AMQPScheme::AMQPS
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hosts: Vec<String> = self.uris.iter().map(name_of).collect();
        let mut shown = f.debug_struct("Address");
        if let Some(uri) = self.uris.first() {
            shown.field("scheme", &uri.scheme);
            shown.field("user", &uri.authority.userinfo.username);
            shown.field("hosts", &hosts).field("vhost", &uri.vhost);
        }
        shown.finish_non_exhaustive()
    }
}

/// Returns the address between the brackets of `[::1]:5672`.
fn ipv6_host(host: &str) -> Option<&str> {
    host.strip_prefix('[')?.split_once(']').map(|(address, _)| address)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(url: &str) -> Result<Address, UrlError> {
        Address::parse(url, &RabbitMqOptions::default())
    }

    #[test]
    fn a_malformed_url_is_an_error_that_keeps_the_password_to_itself() {
        for bad in [
            "amqp:user:hunter2@host",
            "http://u:hunter2@host",
            "amqp://u:hunter2@host:port",
            "amqp://u:hunter2@host,other:port",
            "amqp://u:hunter2@host?heartbeat=x",
            "amqp://u:hunter2@host?heartbeet=5",
            "amqp://u:hunter2@host?connection_timeout=99",
            "amqp://u:hunter2@host?cacertfile=/ca.pem",
            "hunter2",
            "",
        ] {
            let error = parse(bad).unwrap_err();
            assert!(!format!("{error:?} {error}").contains("hunter2"), "{error:?}");
        }
    }

    #[test]
    fn an_unknown_parameter_is_refused_and_the_known_ones_are_named() {
        let says = parse("amqps://h/?verify=verify_none").unwrap_err().to_string();
        assert!(says.contains("`verify` is not known"), "{says}");
        assert!(KNOWN.iter().all(|name| says.contains(name)), "{says}");
    }

    #[test]
    fn neither_debug_nor_its_pretty_form_shows_the_password() {
        let address = parse("amqp://woody:hunter2@host:1,other/vhost").unwrap();
        let shown = format!("{address:?} {address:#?}");
        assert!(shown.contains("woody") && !shown.contains("hunter2"), "{shown}");
    }

    #[test]
    fn every_usual_form_is_understood() {
        for (url, hosts, vhost) in [
            ("amqp://rabbitmq", &["rabbitmq:5672"][..], "/"),
            ("amqp://rabbitmq/", &["rabbitmq:5672"], "/"),
            ("amqp://u:p@rabbitmq:1/%2f", &["rabbitmq:1"], "/"),
            ("amqp://u:p@rabbitmq:1/shop", &["rabbitmq:1"], "shop"),
            ("amqps://10.0.0.7/shop", &["10.0.0.7:5671"], "shop"),
            ("amqp://u:p@[::1]:99/shop", &["[::1]:99"], "shop"),
            ("amqp://u:p@a,b:1,[::1]/shop", &["a:5672", "b:1", "[::1]:5672"], "shop"),
            ("amqps://u:p@a,b/?heartbeat=9", &["a:5671", "b:5671"], "/"),
        ] {
            let address = parse(url).unwrap();
            let names: Vec<String> = address.uris().iter().map(name_of).collect();
            assert_eq!(names, hosts, "{url}");
            assert!(address.uris().iter().all(|uri| uri.vhost == vhost), "{url}");
        }
    }

    #[test]
    fn the_heartbeat_of_the_url_wins_but_it_cannot_be_switched_off() {
        for (url, heartbeat) in
            [("amqp://h", 5), ("amqp://g,h?heartbeat=20", 20), ("amqp://h?heartbeat=0", 5)]
        {
            let address = parse(url).unwrap();
            assert!(address.uris().iter().all(|uri| uri.query.heartbeat == Some(heartbeat)));
        }
    }

    #[test]
    fn a_login_has_its_time_wherever_there_is_another_host() {
        let times = |url| {
            let address = parse(url).unwrap();
            (address.login_timeout.as_millis(), address.connect_timeout.as_millis())
        };
        assert_eq!(times("amqp://a,b"), (1_000, 3_000));
        assert_eq!(times("amqp://a,b?connection_timeout=250"), (250, 250));
    }

    #[test]
    fn an_own_authority_is_a_file_and_no_parameter_of_the_drivers() {
        let address = parse("amqps://a,b/shop?cacertfile=/etc/own%20ca.pem&heartbeat=9").unwrap();
        assert_eq!(address.authorities, Some("/etc/own ca.pem".into()));
        assert_eq!(address.uris()[1].query.heartbeat, Some(9));
    }
}
