//! URLs that choose a backend: what those of stores and of brokers have in common.
//!
//! A URL is `memory:`, `sqlite:PATH`, or that of a server, which only its own
//! backend can read further. Each crate of backends says which schemes it has, and
//! which of them are built in.

mod server;

use std::{
    fmt,
    path::{Path, PathBuf},
};

pub use server::ServerUrl;

/// One kind of URL that a port's backends understand.
#[derive(Debug, Clone, Copy)]
pub struct Scheme {
    /// What stands before the first colon; further spellings of it follow.
    pub names: &'static [&'static str],
    /// What the whole looks like, for errors.
    pub form: &'static str,
    /// The feature that builds the backend in, of the crates from here to the program.
    pub feature: &'static str,
    /// Whether this program has the backend.
    pub is_built_in: bool,
}

impl Scheme {
    /// Memory of this process, as every port's URLs call it.
    pub const fn memory(is_built_in: bool) -> Self {
        Self { names: &["memory"], form: "memory:", feature: "memory", is_built_in }
    }

    /// An SQLite file, as every port's URLs call it.
    pub const fn sqlite(is_built_in: bool) -> Self {
        Self { names: &["sqlite"], form: "sqlite:PATH", feature: "sqlite", is_built_in }
    }
}

/// All the schemes of one port.
#[derive(Debug, Clone, Copy)]
pub struct Schemes {
    /// What a URL of these names, as errors call it.
    pub port: &'static str,
    /// A file as an error suggests it.
    pub example_file: &'static str,
    /// The schemes.
    pub all: &'static [Scheme],
}

/// What a URL has chosen.
#[derive(Clone, PartialEq, Eq)]
pub enum BackendUrl {
    /// This process's memory.
    Memory,
    /// An SQLite file.
    Sqlite(PathBuf),
    /// A server.
    Server {
        /// The first name of its scheme.
        scheme: &'static str,
        /// The URL as it was written. It may hold a password.
        url: String,
    },
}

/// A text that names no backend of this program.
///
/// It quotes the scheme at most: the rest may hold a password.
#[non_exhaustive]
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UrlError {
    /// No backend has this scheme.
    #[error("unknown {port} {scheme:?}; this program knows {known}")]
    UnknownScheme {
        /// What was to be named: `store`, for example.
        port: &'static str,
        /// What stands before the first colon, if it can be a scheme.
        scheme: String,
        /// The URLs that this build understands.
        known: String,
    },
    /// The backend exists, but this program was built without it.
    #[error(
        "the {port} {scheme:?} is not built into this program, which knows {known}; the \
             feature {feature:?} builds it in"
    )]
    NotBuiltIn {
        /// What was to be named: `store`, for example.
        port: &'static str,
        /// The scheme.
        scheme: &'static str,
        /// The feature that builds it in.
        feature: &'static str,
        /// The URLs that this build understands.
        known: String,
    },
    /// The scheme is known and the rest is wrong.
    #[error("malformed {scheme} URL: {problem}")]
    Malformed {
        /// The scheme.
        scheme: &'static str,
        /// What is wrong with what follows it.
        problem: String,
    },
}

impl UrlError {
    /// What follows a known scheme is wrong.
    pub fn malformed(scheme: &'static str, problem: impl Into<String>) -> Self {
        Self::Malformed { scheme, problem: problem.into() }
    }
}

impl Schemes {
    /// Reads a URL. Nothing is opened, and no server is asked.
    ///
    /// # Errors
    /// [`UrlError`] says which URLs are known, or what is wrong with this one.
    pub fn parse(&self, text: &str) -> Result<BackendUrl, UrlError> {
        let (name, rest) = text.split_once(':').unwrap_or(("", text));
        let Some((scheme, found)) = self.find(name) else {
            // A text with a colon somewhere need not begin with a scheme.
            let plausible = |c: char| c.is_ascii_alphanumeric() || "+-.".contains(c);
            let scheme = if name.chars().all(plausible) { name } else { "" };
            let scheme = scheme.to_owned();
            return Err(UrlError::UnknownScheme { port: self.port, scheme, known: self.known() });
        };
        if !found.is_built_in {
            return Err(self.not_built_in(scheme));
        }
        match scheme {
            "memory" if rest.is_empty() => Ok(BackendUrl::Memory),
            "memory" => Err(UrlError::malformed(scheme, "nothing may follow `memory:`")),
            "sqlite" => self.file(rest).map(BackendUrl::Sqlite),
            _ => Ok(BackendUrl::Server { scheme, url: text.to_owned() }),
        }
    }

    /// Returns the error for a URL whose backend this program lacks.
    pub fn not_built_in(&self, scheme: &'static str) -> UrlError {
        let feature = self.find(scheme).map_or("", |(_, found)| found.feature);
        UrlError::NotBuiltIn { port: self.port, scheme, feature, known: self.known() }
    }

    fn find(&self, name: &str) -> Option<(&'static str, &'static Scheme)> {
        let scheme = self.all.iter().find(|scheme| scheme.names.contains(&name))?;
        Some((scheme.names.first()?, scheme))
    }

    fn known(&self) -> String {
        let built = self.all.iter().filter(|scheme| scheme.is_built_in);
        let known: Vec<_> = built.map(|scheme| scheme.form).collect();
        if known.is_empty() { "none".into() } else { known.join(", ") }
    }

    fn file(&self, rest: &str) -> Result<PathBuf, UrlError> {
        let malformed = |problem: &str| Err(UrlError::malformed("sqlite", problem));
        let path = rest.strip_prefix("//").unwrap_or(rest);
        match path {
            "" => malformed(&format!("a path must follow, as in `sqlite:{}`", self.example_file)),
            ":memory:" => malformed(&format!("for a {} in memory say `memory:`", self.port)),
            _ if path.contains(['?', '#', '\0']) => {
                malformed("a path must follow, and no parameters")
            }
            _ if path.ends_with('/') => malformed("the path must name a file, not a folder"),
            _ => Ok(path.into()),
        }
    }
}

impl BackendUrl {
    /// Returns the first name of its scheme.
    pub fn scheme(&self) -> &'static str {
        match self {
            Self::Memory => "memory",
            Self::Sqlite(_) => "sqlite",
            Self::Server { scheme, .. } => scheme,
        }
    }

    /// Whether programs that are given this URL share what they keep.
    pub fn is_shared_between_processes(&self) -> bool {
        *self != Self::Memory
    }

    /// Returns the file that this URL names, if it names one.
    pub fn file(&self) -> Option<&Path> {
        match self {
            Self::Sqlite(path) => Some(path),
            Self::Memory | Self::Server { .. } => None,
        }
    }
}

/// A server's URL is not shown: only its backend can tell what of it is secret.
impl fmt::Display for BackendUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Memory => f.write_str("memory:"),
            Self::Sqlite(path) => write!(f, "sqlite:{}", path.display()),
            Self::Server { scheme, .. } => write!(f, "{scheme}://…"),
        }
    }
}

impl fmt::Debug for BackendUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "BackendUrl({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn scheme(
        names: &'static [&'static str],
        form: &'static str,
        is_built_in: bool,
    ) -> Scheme {
        Scheme { names, form, feature: "moons", is_built_in }
    }

    const SHOPS: Schemes = Schemes {
        port: "shop",
        example_file: "data/shop.db",
        all: &[
            scheme(&["memory"], "memory:", true),
            scheme(&["sqlite"], "sqlite:PATH", true),
            scheme(&["town", "city"], "town://USER:PASSWORD@HOST", true),
            scheme(&["moon"], "moon://HOST", false),
        ],
    };

    fn refusal(text: &str) -> String {
        SHOPS.parse(text).unwrap_err().to_string()
    }

    #[test]
    fn an_unknown_scheme_is_told_what_is_known_and_nothing_else_is_quoted() {
        for text in ["", "memory", "mars://u:hunter2@host", "TOWN://h", "hunter2@host:5432"] {
            let says = refusal(text);
            let known = "knows memory:, sqlite:PATH, town://USER:PASSWORD@HOST";
            assert!(says.starts_with("unknown shop") && says.ends_with(known), "{says}");
            assert!(!says.contains("hunter2"), "{says}");
        }
        assert!(refusal("mars://host").contains("\"mars\""));
    }

    #[test]
    fn a_backend_that_is_not_built_in_is_told_apart_from_an_unknown_one() {
        assert!(refusal("moon://host").contains("\"moon\" is not built into this program"));
        assert!(refusal("moon://host").ends_with("the feature \"moons\" builds it in"));
        let none = Schemes { all: &[], ..SHOPS };
        assert!(none.parse("memory:").unwrap_err().to_string().ends_with("knows none"));
    }

    #[test]
    fn memory_takes_nothing_after_it() {
        assert_eq!(SHOPS.parse("memory:"), Ok(BackendUrl::Memory));
        assert!(refusal("memory:data").contains("nothing may follow"));
    }

    #[test]
    fn sqlite_takes_a_path_relative_or_not() {
        for (text, path) in [
            ("sqlite:shop.db", "shop.db"),
            ("sqlite:data/shop.db", "data/shop.db"),
            ("sqlite://data/shop.db", "data/shop.db"),
            ("sqlite:/var/shop.db", "/var/shop.db"),
            ("sqlite:///var/shop.db", "/var/shop.db"),
        ] {
            let url = SHOPS.parse(text).unwrap();
            assert_eq!(url.file(), Some(Path::new(path)), "{text}");
            assert_eq!(url.to_string(), format!("sqlite:{path}"));
        }
        for bad in ["sqlite:", "sqlite://", "sqlite::memory:", "sqlite:a.db?mode=ro", "sqlite:a/"] {
            assert!(refusal(bad).starts_with("malformed sqlite URL"), "{bad}");
        }
        assert!(refusal("sqlite:").contains("sqlite:data/shop.db"));
    }

    #[test]
    fn a_server_is_known_by_all_its_names_and_keeps_its_secrets() {
        for text in ["town://u:hunter2@host/x?a=b", "city://u:hunter2@host/x?a=b"] {
            let url = SHOPS.parse(text).unwrap();
            assert_eq!(url, BackendUrl::Server { scheme: "town", url: text.to_owned() });
            assert_eq!(format!("{url} {url:?}"), "town://… BackendUrl(town://…)");
        }
    }

    #[test]
    fn only_memory_is_a_process_s_own() {
        for (text, is_shared) in [("memory:", false), ("sqlite:a.db", true), ("town://h", true)] {
            assert_eq!(SHOPS.parse(text).unwrap().is_shared_between_processes(), is_shared);
        }
    }
}
