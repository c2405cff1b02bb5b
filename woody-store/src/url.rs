use std::fmt;
#[cfg(feature = "sqlite")]
use std::path::PathBuf;
use std::str::FromStr;

/// Which store to use: `memory:`, `sqlite:PATH` or `postgres://…`.
///
/// What it shows of itself, by `Display` and by `Debug`, never holds a password.
///
/// ```
/// use woody_store::StoreUrl;
///
/// let url = StoreUrl::parse("memory:").unwrap();
/// assert!(!url.is_shared_between_processes());
/// assert!(StoreUrl::parse("oracle://db").unwrap_err().to_string().contains("memory:"));
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct StoreUrl(pub(crate) Kind);

#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Kind {
    #[cfg(feature = "memory")]
    Memory,
    #[cfg(feature = "sqlite")]
    Sqlite(PathBuf),
    #[cfg(feature = "postgres")]
    Postgres(String),
}

/// A text that names no store of this program.
///
/// It quotes the scheme at most: the rest may hold a password.
#[non_exhaustive]
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UrlError {
    /// No backend has this scheme.
    #[error("unknown store {0:?}; this program knows {known}", known = Known)]
    UnknownScheme(String),
    /// The backend exists, but this program was built without it.
    #[error("the store {0:?} is not built into this program, which knows {known}", known = Known)]
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
            (cfg!(feature = "postgres"), "postgres://USER:PASSWORD@HOST/DATABASE"),
        ];
        let known: Vec<_> = known.iter().filter(|(built, _)| *built).map(|(_, url)| *url).collect();
        f.write_str(if known.is_empty() { "none" } else { "" })?;
        f.write_str(&known.join(", "))
    }
}

impl StoreUrl {
    /// Reads a URL. Nothing is opened, and no server is asked.
    ///
    /// # Errors
    /// [`UrlError`] says which URLs are known, or what is wrong with this one.
    pub fn parse(text: &str) -> Result<Self, UrlError> {
        let (scheme, rest) = text.split_once(':').unwrap_or(("", text));
        match scheme {
            "memory" => memory(rest),
            "sqlite" => sqlite(rest),
            "postgres" | "postgresql" => postgres(text),
            _ => {
                // A text with a colon somewhere need not begin with a scheme.
                let plausible = |c: char| c.is_ascii_alphanumeric() || "+-.".contains(c);
                let scheme = if scheme.chars().all(plausible) { scheme } else { "" };
                Err(UrlError::UnknownScheme(scheme.to_owned()))
            }
        }
        .map(Self)
    }

    /// Whether programs that are given this URL see each other's orders.
    ///
    /// `memory:` is each process's own; a deployment of several refuses it.
    pub fn is_shared_between_processes(&self) -> bool {
        match self.0 {
            #[cfg(feature = "memory")]
            Kind::Memory => false,
            #[cfg(feature = "sqlite")]
            Kind::Sqlite(_) => true,
            #[cfg(feature = "postgres")]
            Kind::Postgres(_) => true,
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
        "" => malformed("a path must follow, as in `sqlite:data/woody.db`"),
        ":memory:" => malformed("for a store in memory say `memory:`"),
        _ if path.contains(['?', '#', '\0']) => malformed("a path must follow, and no parameters"),
        _ if path.ends_with('/') => malformed("the path must name a file, not a folder"),
        _ => Ok(Kind::Sqlite(path.into())),
    }
}

#[cfg(not(feature = "sqlite"))]
fn sqlite(_: &str) -> Result<Kind, UrlError> {
    Err(UrlError::NotBuiltIn("sqlite"))
}

#[cfg(feature = "postgres")]
fn postgres(text: &str) -> Result<Kind, UrlError> {
    crate::postgres::check_url(text)?;
    Ok(Kind::Postgres(text.to_owned()))
}

#[cfg(not(feature = "postgres"))]
fn postgres(_: &str) -> Result<Kind, UrlError> {
    Err(UrlError::NotBuiltIn("postgres"))
}

impl FromStr for StoreUrl {
    type Err = UrlError;

    fn from_str(text: &str) -> Result<Self, UrlError> {
        Self::parse(text)
    }
}

impl fmt::Display for StoreUrl {
    #[cfg_attr(
        not(any(feature = "memory", feature = "sqlite", feature = "postgres")),
        expect(unused_variables, reason = "there is no URL to show")
    )]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            #[cfg(feature = "memory")]
            Kind::Memory => f.write_str("memory:"),
            #[cfg(feature = "sqlite")]
            Kind::Sqlite(ref path) => write!(f, "sqlite:{}", path.display()),
            #[cfg(feature = "postgres")]
            Kind::Postgres(ref url) => f.write_str(&crate::postgres::shown_url(url)),
        }
    }
}

impl fmt::Debug for StoreUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "StoreUrl({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(text: &str) -> String {
        StoreUrl::parse(text).unwrap_err().to_string()
    }

    #[test]
    fn an_unknown_scheme_is_told_what_is_known() {
        for text in ["mysql://root:hunter2@db/shop", "postgre://u:hunter2@db", "data/woody.db", ""]
        {
            let refusal = refusal(text);
            assert!(!refusal.contains("hunter2"), "{refusal}");
            assert_eq!(refusal.contains("memory:"), cfg!(feature = "memory"), "{refusal}");
            assert_eq!(refusal.contains("sqlite:PATH"), cfg!(feature = "sqlite"), "{refusal}");
            assert_eq!(refusal.contains("postgres://"), cfg!(feature = "postgres"), "{refusal}");
        }
        assert!(refusal("mysql://root@db").contains("\"mysql\""));
        // A password before the first colon is no scheme.
        assert!(!refusal("hunter2@db:5432").contains("hunter2"));
    }

    #[cfg(not(feature = "postgres"))]
    #[test]
    fn a_backend_that_is_not_built_in_is_told_apart_from_an_unknown_one() {
        assert!(refusal("postgres://db/shop").contains("not built into this program"));
    }

    #[cfg(feature = "memory")]
    #[test]
    fn memory_takes_nothing_after_it() {
        assert_eq!(StoreUrl::parse("memory:").unwrap().to_string(), "memory:");
        assert!(refusal("memory:data").contains("nothing may follow"));
    }

    #[cfg(feature = "sqlite")]
    #[test]
    fn sqlite_takes_a_path_relative_or_not() {
        for (text, shown) in [
            ("sqlite:data/woody.db", "sqlite:data/woody.db"),
            ("sqlite:/var/lib/woody.db", "sqlite:/var/lib/woody.db"),
            ("sqlite://data/woody.db", "sqlite:data/woody.db"),
            ("sqlite:///var/lib/woody.db", "sqlite:/var/lib/woody.db"),
        ] {
            let url = StoreUrl::parse(text).unwrap();
            assert_eq!(url.to_string(), shown);
            assert!(url.is_shared_between_processes());
        }
        for text in
            ["sqlite:", "sqlite://", "sqlite::memory:", "sqlite:a.db?mode=ro", "sqlite:data/"]
        {
            assert!(refusal(text).starts_with("malformed sqlite URL"), "{text}");
        }
    }

    #[cfg(feature = "postgres")]
    #[test]
    fn a_password_is_never_shown() {
        for text in [
            "postgres://woody:hunter2@db:5433/shop",
            "postgresql://woody:hunter2@db/shop?sslmode=disable",
            "postgres://woody@db/shop?password=hunter2",
            "postgres://db/shop?user=woody&password=hun@ter2&x=hunter2",
            "postgres:///shop?host=/run/postgresql&password=hunter2",
        ] {
            let url = StoreUrl::parse(text).unwrap();
            for shown in [url.to_string(), format!("{url:?}")] {
                assert!(!shown.contains("ter2"), "{shown}");
                assert!(shown.contains("postgres://") && shown.contains("shop"), "{shown}");
            }
            assert!(url.is_shared_between_processes());
        }
    }

    #[cfg(feature = "postgres")]
    #[test]
    fn a_malformed_url_is_refused_without_its_password() {
        for text in [
            "postgres://woody:hunter2@db:port/shop",
            "postgres://woody:hunter2@[::1/shop",
            "postgres:woody:hunter2",
            "postgres://woody:hunter2@db/shop?sslmode=hunter2",
            "postgres://",
        ] {
            let refusal = refusal(text);
            assert!(refusal.starts_with("malformed postgres URL"), "{refusal}");
            assert!(!refusal.contains("hunter2"), "{refusal}");
        }
    }
}
