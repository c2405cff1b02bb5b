use std::{fmt, path::Path, str::FromStr};

use woody_core::backend_url::{BackendUrl, Scheme, Schemes, UrlError};

/// The schemes that brokers have.
pub(crate) const BROKERS: Schemes = Schemes {
    port: "broker",
    example_file: "data/woody-queue.db",
    all: &[
        Scheme::memory(cfg!(feature = "memory")),
        Scheme::sqlite(cfg!(feature = "sqlite")),
        Scheme {
            names: &["amqp"],
            form: "amqp://USER:PASSWORD@HOST,HOST/VHOST",
            feature: "rabbitmq",
            is_built_in: cfg!(feature = "rabbitmq"),
        },
        Scheme {
            names: &["amqps"],
            form: "amqps://USER:PASSWORD@HOST,HOST/VHOST",
            feature: "rabbitmq",
            is_built_in: cfg!(feature = "rabbitmq"),
        },
    ],
};

/// Which broker to use: `memory:`, `sqlite:PATH`, `amqp://…` or `amqps://…`.
///
/// What it shows of itself, by `Display` and by `Debug`, never holds a password.
///
/// ```
/// use woody_broker::BrokerUrl;
///
/// # #[cfg(feature = "memory")]
/// assert!(!BrokerUrl::parse("memory:").unwrap().is_shared_between_processes());
/// # #[cfg(feature = "memory")]
/// assert!(BrokerUrl::parse("redis://host").unwrap_err().to_string().contains("memory:"));
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct BrokerUrl(pub(crate) BackendUrl);

impl BrokerUrl {
    /// Reads a URL. Nothing is opened, and no server is asked.
    ///
    /// # Errors
    /// [`UrlError`] says which URLs are known, or what is wrong with this one.
    pub fn parse(text: &str) -> Result<Self, UrlError> {
        let url = BROKERS.parse(text)?;
        #[cfg(feature = "rabbitmq")]
        if let BackendUrl::Server { ref url, .. } = url {
            crate::rabbitmq::check_url(url)?;
        }
        Ok(Self(url))
    }

    /// Whether programs that are given this URL share a queue.
    ///
    /// `memory:` is each process's own, and what one publishes no other receives:
    /// a deployment of several refuses it.
    pub fn is_shared_between_processes(&self) -> bool {
        self.0.is_shared_between_processes()
    }

    /// Returns the file that holds the queue, if one does.
    pub fn file(&self) -> Option<&Path> {
        self.0.file()
    }
}

impl FromStr for BrokerUrl {
    type Err = UrlError;

    fn from_str(text: &str) -> Result<Self, UrlError> {
        Self::parse(text)
    }
}

impl fmt::Display for BrokerUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            BackendUrl::Server { scheme, url } => f.write_str(&without_password(scheme, url)),
            embedded => write!(f, "{embedded}"),
        }
    }
}

impl fmt::Debug for BrokerUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "BrokerUrl({self})")
    }
}

/// Returns the URL without its password and its parameters.
///
/// A password may hold any character, escaped or not, so all up to the last `@` is
/// taken to be the login. An `@` that may as well stand in the parameters leaves
/// nothing that can be shown.
fn without_password(scheme: &str, url: &str) -> String {
    let rest = url.split_once("://").map_or("", |(_, rest)| rest);
    let (login, place) = rest.rsplit_once('@').unwrap_or(("", rest));
    if login.contains(['?', '#']) {
        return format!("{scheme}://…");
    }
    let place = place.split(['?', '#']).next().unwrap_or_default();
    match login.split_once(':') {
        Some((user, _)) => format!("{scheme}://{user}:***@{place}"),
        None if login.is_empty() => format!("{scheme}://{place}"),
        None => format!("{scheme}://{login}@{place}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(text: &str) -> String {
        BrokerUrl::parse(text).unwrap_err().to_string()
    }

    #[test]
    fn an_unknown_url_is_told_which_are_known() {
        for text in ["", "redis://h", "memory", "kafka:x", "AMQP://h", "hunter2@host:5672"] {
            let says = refusal(text);
            assert!(says.contains("this program knows"), "{text}: {says}");
            assert!(!says.contains("hunter2"), "{says}");
            assert_eq!(says.contains("memory:"), cfg!(feature = "memory"), "{says}");
            assert_eq!(says.contains("sqlite:PATH"), cfg!(feature = "sqlite"), "{says}");
            assert_eq!(says.contains("amqps://"), cfg!(feature = "rabbitmq"), "{says}");
        }
    }

    #[test]
    fn a_backend_that_is_left_out_is_named() {
        for (built, text) in [
            (cfg!(feature = "memory"), "memory:"),
            (cfg!(feature = "sqlite"), "sqlite:queue.db"),
            (cfg!(feature = "rabbitmq"), "amqp://host"),
            (cfg!(feature = "rabbitmq"), "amqps://host"),
        ] {
            match BrokerUrl::parse(text) {
                Ok(url) => {
                    assert!(built, "{text}");
                    assert_eq!(url.is_shared_between_processes(), text != "memory:");
                }
                Err(error) => {
                    assert!(!built, "{text}: {error}");
                    assert!(error.to_string().contains("is not built into"), "{error}");
                }
            }
        }
    }

    #[cfg(feature = "sqlite")]
    #[test]
    fn an_sqlite_url_names_a_file() {
        let url = BrokerUrl::parse("sqlite:///var/queue.db").unwrap();
        assert_eq!(url.file(), Some(Path::new("/var/queue.db")));
        assert_eq!(url.to_string(), "sqlite:/var/queue.db");
        assert!(refusal("sqlite:").contains("woody-queue.db"));
    }

    #[cfg(feature = "rabbitmq")]
    #[test]
    fn an_amqp_url_names_a_host_and_hides_its_password() {
        for (text, shown) in [
            ("amqp://rabbitmq", "amqp://rabbitmq"),
            ("amqps://rabbitmq:5671/shop", "amqps://rabbitmq:5671/shop"),
            ("amqp://woody@rabbitmq/shop", "amqp://woody@rabbitmq/shop"),
            ("amqp://woody:hunter2@rabbitmq/%2f", "amqp://woody:***@rabbitmq/%2f"),
            ("amqp://woody:hun:ter2@rabbitmq", "amqp://woody:***@rabbitmq"),
            ("amqp://woody:hu@nter2@rabbitmq", "amqp://woody:***@rabbitmq"),
            (
                "amqp://woody:hunter2@r1:5672,r2,[::1]/shop",
                "amqp://woody:***@r1:5672,r2,[::1]/shop",
            ),
            ("amqps://woody:hunter2@r1,r2?cacertfile=/ca.pem", "amqps://woody:***@r1,r2"),
        ] {
            let url: BrokerUrl = text.parse().unwrap();
            assert_eq!(url.to_string(), shown);
            assert_eq!(format!("{url:?}"), format!("BrokerUrl({shown})"));
        }
        for bad in ["amqp://", "amqps:///shop", "amqp://u:hunter2@:5672"] {
            let says = refusal(bad);
            assert!(says.contains("a host must follow") && !says.contains("hunter2"), "{says}");
        }
        for bad in [
            "amqp:",
            "amqp:host",
            "amqp://u:hunter2@r1,,r2",
            "amqp://u:hunter2@r1,u:hunter2@r2",
            "amqp://rabbitmq?cert_password=hunter2",
            "amqp://rabbitmq?cert_password=hun@ter2",
            "amqp://woody:hun?ter2@rabbitmq",
        ] {
            let says = refusal(bad);
            assert!(says.starts_with("malformed amqp URL") && !says.contains("ter2"), "{says}");
        }
    }

    #[cfg(feature = "rabbitmq")]
    #[test]
    fn what_may_be_a_password_is_not_shown() {
        for text in ["amqp://rabbitmq?cert_password=hun@ter2", "amqp://woody:hun?ter2@rabbitmq"] {
            assert_eq!(without_password("amqp", text), "amqp://…");
        }
    }
}
