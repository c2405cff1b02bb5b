use std::fmt;
#[cfg(feature = "sqlite")]
use std::path::PathBuf;
use std::str::FromStr;

/// Which broker to use: `memory:`, `sqlite:PATH`, `amqp://…` or `amqps://…`.
///
/// What it shows of itself, by `Display` and by `Debug`, never holds a password.
///
/// ```
/// use woody_broker::BrokerUrl;
///
/// let url = BrokerUrl::parse("memory:").unwrap();
/// assert!(!url.is_shared_between_processes());
/// assert!(BrokerUrl::parse("redis://host").unwrap_err().to_string().contains("memory:"));
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct BrokerUrl(pub(crate) Kind);

#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Kind {
    #[cfg(feature = "memory")]
    Memory,
    #[cfg(feature = "sqlite")]
    Sqlite(PathBuf),
    #[cfg(feature = "rabbitmq")]
    Amqp(String),
}

/// A text that names no broker of this program.
///
/// It quotes the scheme at most: the rest may hold a password.
#[non_exhaustive]
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UrlError {
    /// No backend has this scheme.
    #[error("unknown broker {0:?}; this program knows {known}", known = Known)]
    UnknownScheme(String),
    /// The backend exists, but this program was built without it.
    #[error("the broker {0:?} is not built into this program, which knows {known}", known = Known)]
    NotBuiltIn(&'static str),
    /// The scheme is known and the rest is wrong.
    #[error("malformed {scheme} URL: {problem}")]
    Malformed {
        /// The scheme.
        scheme: &'static str,
        /// What is wrong with what follows it.
        problem: String,
    },
}

/// The URLs that this build understands.
struct Known;

impl fmt::Display for Known {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let known = [
            (cfg!(feature = "memory"), "memory:"),
            (cfg!(feature = "sqlite"), "sqlite:PATH"),
            (cfg!(feature = "rabbitmq"), "amqp://USER:PASSWORD@HOST/VHOST"),
            (cfg!(feature = "rabbitmq"), "amqps://USER:PASSWORD@HOST/VHOST"),
        ];
        let known: Vec<_> = known.iter().filter(|(built, _)| *built).map(|(_, url)| *url).collect();
        f.write_str(if known.is_empty() { "none" } else { "" })?;
        f.write_str(&known.join(", "))
    }
}

impl BrokerUrl {
    /// Reads a URL. Nothing is opened, and no server is asked.
    ///
    /// # Errors
    /// [`UrlError`] says which URLs are known, or what is wrong with this one.
    pub fn parse(text: &str) -> Result<Self, UrlError> {
        let (scheme, rest) = text.split_once(':').unwrap_or(("", text));
        match scheme {
            "memory" => memory(rest),
            "sqlite" => sqlite(rest),
            "amqp" => amqp("amqp", text, rest),
            "amqps" => amqp("amqps", text, rest),
            _ => {
                // A text with a colon somewhere need not begin with a scheme.
                let plausible = |c: char| c.is_ascii_alphanumeric() || "+-.".contains(c);
                let scheme = if scheme.chars().all(plausible) { scheme } else { "" };
                Err(UrlError::UnknownScheme(scheme.to_owned()))
            }
        }
        .map(Self)
    }

    /// Whether programs that are given this URL share a queue.
    ///
    /// `memory:` is each process's own, and what one publishes no other receives:
    /// a deployment of several refuses it.
    pub fn is_shared_between_processes(&self) -> bool {
        match self.0 {
            #[cfg(feature = "memory")]
            Kind::Memory => false,
            #[cfg(feature = "sqlite")]
            Kind::Sqlite(_) => true,
            #[cfg(feature = "rabbitmq")]
            Kind::Amqp(_) => true,
        }
    }
}

#[cfg(feature = "memory")]
fn memory(rest: &str) -> Result<Kind, UrlError> {
    if rest.is_empty() {
        return Ok(Kind::Memory);
    }
    Err(UrlError::Malformed { scheme: "memory", problem: "nothing may follow `memory:`".into() })
}

#[cfg(not(feature = "memory"))]
fn memory(_: &str) -> Result<Kind, UrlError> {
    Err(UrlError::NotBuiltIn("memory"))
}

#[cfg(feature = "sqlite")]
fn sqlite(rest: &str) -> Result<Kind, UrlError> {
    let malformed =
        |problem: &str| Err(UrlError::Malformed { scheme: "sqlite", problem: problem.to_owned() });
    let path = rest.strip_prefix("//").unwrap_or(rest);
    match path {
        "" => malformed("a path must follow, as in `sqlite:data/woody-queue.db`"),
        ":memory:" => malformed("for a queue in memory say `memory:`"),
        _ if path.contains(['?', '#', '\0']) => malformed("a path must follow, and no parameters"),
        _ if path.ends_with('/') => malformed("the path must name a file, not a folder"),
        _ => Ok(Kind::Sqlite(path.into())),
    }
}

#[cfg(not(feature = "sqlite"))]
fn sqlite(_: &str) -> Result<Kind, UrlError> {
    Err(UrlError::NotBuiltIn("sqlite"))
}

#[cfg(feature = "rabbitmq")]
fn amqp(scheme: &'static str, text: &str, rest: &str) -> Result<Kind, UrlError> {
    let authority = rest.strip_prefix("//").and_then(|rest| rest.split(['/', '?', '#']).next());
    let host = authority.and_then(|authority| authority.rsplit('@').next()).unwrap_or_default();
    if host.is_empty() || host.starts_with(':') {
        let problem = format!("a host must follow, as in `{scheme}://rabbitmq`");
        return Err(UrlError::Malformed { scheme, problem });
    }
    Ok(Kind::Amqp(text.to_owned()))
}

#[cfg(not(feature = "rabbitmq"))]
fn amqp(scheme: &'static str, _: &str, _: &str) -> Result<Kind, UrlError> {
    Err(UrlError::NotBuiltIn(scheme))
}

impl FromStr for BrokerUrl {
    type Err = UrlError;

    fn from_str(text: &str) -> Result<Self, UrlError> {
        Self::parse(text)
    }
}

impl fmt::Display for BrokerUrl {
    #[cfg_attr(
        not(any(feature = "memory", feature = "sqlite", feature = "rabbitmq")),
        expect(unused_variables, reason = "there is no URL to show")
    )]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            #[cfg(feature = "memory")]
            Kind::Memory => f.write_str("memory:"),
            #[cfg(feature = "sqlite")]
            Kind::Sqlite(ref path) => write!(f, "sqlite:{}", path.display()),
            #[cfg(feature = "rabbitmq")]
            Kind::Amqp(ref url) => f.write_str(&without_password(url)),
        }
    }
}

impl fmt::Debug for BrokerUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "BrokerUrl({self})")
    }
}

/// The URL without its password and its parameters. A password may hold any
/// character, escaped or not, so all up to the last `@` is taken to be the login.
#[cfg(feature = "rabbitmq")]
fn without_password(url: &str) -> String {
    let (scheme, rest) = url.split_once("://").unwrap_or(("amqp", url));
    let (login, place) = rest.rsplit_once('@').unwrap_or(("", rest));
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
            #[cfg(feature = "memory")]
            assert!(says.contains("memory:"), "{says}");
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

    #[cfg(feature = "memory")]
    #[test]
    fn a_memory_url_is_its_scheme() {
        assert_eq!(BrokerUrl::parse("memory:").unwrap().to_string(), "memory:");
        assert!(refusal("memory:queue").contains("nothing may follow"));
    }

    #[cfg(feature = "sqlite")]
    #[test]
    fn an_sqlite_url_names_a_file() {
        for (text, path) in [
            ("sqlite:queue.db", "queue.db"),
            ("sqlite:data/queue.db", "data/queue.db"),
            ("sqlite:/var/queue.db", "/var/queue.db"),
            ("sqlite:///var/queue.db", "/var/queue.db"),
        ] {
            assert!(BrokerUrl::parse(text).unwrap().0 == Kind::Sqlite(path.into()), "{text}");
        }
        for bad in ["sqlite:", "sqlite://", "sqlite::memory:", "sqlite:q?mode=ro", "sqlite:data/"] {
            assert!(refusal(bad).contains("malformed sqlite"), "{bad}");
        }
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
            ("amqp://rabbitmq?cert_password=hunter2", "amqp://rabbitmq"),
        ] {
            let url: BrokerUrl = text.parse().unwrap();
            assert_eq!(url.to_string(), shown);
            assert_eq!(format!("{url:?}"), format!("BrokerUrl({shown})"));
        }
        for bad in ["amqp:", "amqp:host", "amqp://", "amqps:///shop", "amqp://u:hunter2@:5672"] {
            let says = refusal(bad);
            assert!(says.contains("a host must follow") && !says.contains("hunter2"), "{says}");
        }
    }
}
