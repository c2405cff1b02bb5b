//! The store's URL, read strictly and shown without what is secret.

use std::str::FromStr;
use std::time::Duration;

use sqlx::postgres::PgConnectOptions;
use woody_core::backend_url::ServerUrl;

use crate::UrlError;

/// The parameters of a URL that have an effect: ours, then the driver's.
const KNOWN: [&str; 22] = [
    "target_session_attrs",
    "connect_timeout",
    "pooler",
    "sslmode",
    "sslrootcert",
    "sslcert",
    "sslkey",
    "application_name",
    "options",
    "options[NAME]",
    "host",
    "hostaddr",
    "port",
    "dbname",
    "user",
    "password",
    "statement-cache-capacity",
    "ssl-mode",
    "ssl-root-cert",
    "ssl-ca",
    "ssl-cert",
    "ssl-key",
];

/// What the driver does not know.
const OURS: [&str; 3] = ["target_session_attrs", "connect_timeout", "pooler"];

/// A login at one of several addresses may take so long.
const LOGIN_TIMEOUT: Duration = Duration::from_secs(1);

/// A parsed URL.
pub(super) struct Address {
    /// One for each host.
    pub(super) hosts: Vec<PgConnectOptions>,
    pub(super) is_pooled: bool,
    /// Whether the server must take writes; `None` if the URL does not say.
    pub(super) must_write: Option<bool>,
    /// How long each login may take, where there is another address to try.
    pub(super) login_timeout: Duration,
}

impl Address {
    pub(super) fn parse(url: &str) -> Result<Self, UrlError> {
        let malformed = |problem: &str| UrlError::malformed("postgres", problem);
        if url.split_once("://").is_some_and(|(_, rest)| rest.is_empty()) {
            return Err(malformed("a host must follow"));
        }
        let server = ServerUrl::split("postgres", url)?;
        server.only(&KNOWN)?;
        let is_pooled = match server.parameter("pooler").as_deref() {
            None => false,
            Some("transaction") => true,
            Some(_) => return Err(malformed("`pooler` must be `transaction`, or not be there")),
        };
        let must_write = match server.parameter("target_session_attrs").as_deref() {
            None => None,
            Some("any") => Some(false),
            Some("read-write") => Some(true),
            Some(_) => {
                return Err(malformed(
                    "`target_session_attrs` must be `read-write` or `any`: a store that takes no \
                     writes is of no use",
                ));
            }
        };
        let in_query = ["host", "hostaddr", "port"].map(|name| server.parameter(name));
        let has_list = in_query.iter().flatten().any(|value| value.contains(','));
        if has_list || (server.hosts().len() > 1 && in_query.iter().any(Option::is_some)) {
            return Err(malformed(
                "several hosts stand before the path, as in postgres://u:p@a:5432,b/db, and none in \
                 the parameters",
            ));
        }
        let login_timeout = server.whole("connect_timeout", 1, 60)?;
        Ok(Self {
            hosts: server
                .hosts()
                .iter()
                .map(|host| driver_s(&server.at(host, &OURS)).map_err(|said| malformed(&said)))
                .collect::<Result<_, _>>()?,
            is_pooled,
            must_write,
            login_timeout: login_timeout
                .map_or(LOGIN_TIMEOUT, |seconds| Duration::from_secs(seconds.into())),
        })
    }

    /// Returns the URL without what may be secret: no user, no password, no parameters.
    pub(super) fn shown(&self) -> String {
        let hosts: Vec<String> = self.hosts.iter().map(name_of).collect();
        let database = self
            .hosts
            .first()
            .map_or("", |server| server.get_database().unwrap_or_else(|| server.get_username()));
        format!("postgres://{}/{database}", hosts.join(","))
    }
}

/// How a server is called in the log, in errors and in what is shown of a URL.
pub(super) fn name_of(server: &PgConnectOptions) -> String {
    let (host, port) = (server.get_host(), server.get_port());
    if host.contains(':') && !host.starts_with('[') {
        format!("[{host}]:{port}")
    } else {
        format!("{host}:{port}")
    }
}

/// Has the driver read the URL of one host.
fn driver_s(url: &str) -> Result<PgConnectOptions, String> {
    let server = PgConnectOptions::from_str(url).map_err(|error| {
        // The error of a parameter's parser may quote a value.
        let query = url.split_once('?').map_or("", |(_, query)| query);
        let said = match error {
            sqlx::Error::Configuration(source) => source.to_string(),
            other => other.to_string(),
        };
        let quotes = query.split(['&', '=']).any(|value| value.len() > 3 && said.contains(value));
        if quotes { "a parameter has no such value".into() } else { said }
    })?;
    // It is for floating-point numbers, of which there are none, and poolers refuse it.
    Ok(server.extra_float_digits(None))
}

/// Checks that the URL can be parsed.
pub(crate) fn check_url(url: &str) -> Result<(), UrlError> {
    Address::parse(url).map(drop)
}

/// Returns the URL without what may be secret: no user, no password, no parameters.
pub(crate) fn shown_url(url: &str) -> String {
    Address::parse(url).map_or_else(|_| "postgres://…".into(), |address| address.shown())
}

#[cfg(test)]
mod tests {
    use sqlx::postgres::PgSslMode;

    use super::*;

    fn refusal(url: &str) -> String {
        check_url(url).unwrap_err().to_string()
    }

    #[test]
    fn a_pooler_is_told_of_in_the_url() {
        for (url, is_pooled) in [
            ("postgres://db/shop", false),
            ("postgres://db/shop?pooler=transaction", true),
            ("postgres://db/shop?sslmode=disable&pooler=transaction&user=woody", true),
        ] {
            let address = Address::parse(url).unwrap();
            assert_eq!(address.is_pooled, is_pooled, "{url}");
            assert_eq!(address.hosts[0].get_database(), Some("shop"), "{url}");
        }
        assert!(check_url("postgres://db/shop?pooler=session").is_err());
    }

    #[test]
    fn each_host_is_a_server_with_the_same_login_and_the_same_parameters() {
        let url = "postgres://u:p@a,b:5433,[::1]:1/shop?sslmode=require&application_name=till";
        let address = Address::parse(url).unwrap();
        let names: Vec<String> = address.hosts.iter().map(name_of).collect();
        assert_eq!(names, ["a:5432", "b:5433", "[::1]:1"]);
        for server in &address.hosts {
            assert_eq!((server.get_username(), server.get_database()), ("u", Some("shop")));
            assert_eq!(server.get_application_name(), Some("till"));
            assert!(matches!(server.get_ssl_mode(), PgSslMode::Require));
        }
        assert_eq!(address.shown(), "postgres://a:5432,b:5433,[::1]:1/shop");
    }

    #[test]
    fn a_url_says_whether_the_server_must_take_writes_and_no_other_wish_is_known() {
        for (parameters, must_write) in [
            ("", None),
            ("?target_session_attrs=any", Some(false)),
            ("?target_session_attrs=read-write", Some(true)),
        ] {
            let address = Address::parse(&format!("postgres://a,b/shop{parameters}")).unwrap();
            assert_eq!(address.must_write, must_write);
        }
        let says = refusal("postgres://a,b/shop?target_session_attrs=standby");
        assert!(says.contains("must be `read-write` or `any`"), "{says}");
    }

    #[test]
    fn a_login_s_time_is_libpq_s_in_seconds_and_has_bounds() {
        let time = |url| Address::parse(url).unwrap().login_timeout.as_secs();
        assert_eq!(time("postgres://a,b/shop"), 1);
        assert_eq!(time("postgres://a,b/shop?connect_timeout=5"), 5);
        let says = refusal("postgres://a,b/shop?connect_timeout=0");
        assert!(says.contains("from 1 to 60"), "{says}");
    }

    #[test]
    fn an_unknown_parameter_is_refused_and_the_known_ones_are_named() {
        let says = refusal("postgres://a/shop?sslmod=require");
        assert!(says.contains("`sslmod` is not known"), "{says}");
        assert!(KNOWN.iter().all(|name| says.contains(name)), "{says}");
    }

    #[test]
    fn every_parameter_that_is_known_is_the_driver_s_or_ours() {
        for parameter in [
            "sslmode=prefer",
            "ssl-mode=prefer",
            "sslrootcert=/ca",
            "ssl-root-cert=/ca",
            "ssl-ca=/ca",
            "sslcert=/c",
            "ssl-cert=/c",
            "sslkey=/k",
            "ssl-key=/k",
            "statement-cache-capacity=0",
            "host=/run",
            "hostaddr=::1",
            "port=1",
            "dbname=a",
            "user=a",
            "password=a",
            "application_name=a",
            "options=-cx%3Dy",
            "options[search_path]=a",
            "options%5Bsearch_path%5D=a",
        ] {
            check_url(&format!("postgres://db/shop?{parameter}")).unwrap();
        }
    }

    #[test]
    fn hosts_in_the_parameters_are_no_list() {
        for url in [
            "postgres:///shop?host=a,b",
            "postgres://a/shop?port=1,2",
            "postgres://a,b/shop?host=c",
            "postgres://a,b/shop?port=5433",
        ] {
            assert!(refusal(url).contains("several hosts stand before the path"), "{url}");
        }
        check_url("postgres:///shop?host=/run/postgresql&port=5433").unwrap();
    }
}
