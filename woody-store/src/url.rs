use std::{fmt, path::Path, str::FromStr};

use woody_core::backend_url::{BackendUrl, Scheme, Schemes, UrlError};

/// The schemes that stores have.
pub(crate) const STORES: Schemes = Schemes {
    port: "store",
    example_file: "data/woody.db",
    all: &[
        Scheme::memory(cfg!(feature = "memory")),
        Scheme::sqlite(cfg!(feature = "sqlite")),
        Scheme {
            names: &["postgres", "postgresql"],
            form: "postgres://USER:PASSWORD@HOST,HOST/DATABASE",
            feature: "postgres",
            is_built_in: cfg!(feature = "postgres"),
        },
    ],
};

/// Which store to use: `memory:`, `sqlite:PATH` or `postgres://…`.
///
/// What it shows of itself, by `Display` and by `Debug`, never holds a password.
///
/// ```
/// use woody_store::StoreUrl;
///
/// # #[cfg(feature = "memory")]
/// assert!(!StoreUrl::parse("memory:").unwrap().is_shared_between_processes());
/// # #[cfg(feature = "memory")]
/// assert!(StoreUrl::parse("oracle://db").unwrap_err().to_string().contains("memory:"));
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct StoreUrl(pub(crate) BackendUrl);

impl StoreUrl {
    /// Reads a URL. Nothing is opened, and no server is asked.
    ///
    /// # Errors
    /// [`UrlError`] says which URLs are known, or what is wrong with this one.
    pub fn parse(text: &str) -> Result<Self, UrlError> {
        let url = STORES.parse(text)?;
        #[cfg(feature = "postgres")]
        if let BackendUrl::Server { ref url, .. } = url {
            crate::postgres::check_url(url)?;
        }
        Ok(Self(url))
    }

    /// Whether programs that are given this URL see each other's orders.
    ///
    /// `memory:` is each process's own; a deployment of several refuses it.
    pub fn is_shared_between_processes(&self) -> bool {
        self.0.is_shared_between_processes()
    }

    /// Returns the file that holds the store, if one does.
    pub fn file(&self) -> Option<&Path> {
        self.0.file()
    }
}

impl FromStr for StoreUrl {
    type Err = UrlError;

    fn from_str(text: &str) -> Result<Self, UrlError> {
        Self::parse(text)
    }
}

impl fmt::Display for StoreUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            #[cfg(feature = "postgres")]
            BackendUrl::Server { url, .. } => f.write_str(&crate::postgres::shown_url(url)),
            other => write!(f, "{other}"),
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
            "postgres://db/shop?user=woody&password=hun@ter2&application_name=hunter2",
            "postgres://woody:hunter2@db,db2:5433/shop?target_session_attrs=read-write",
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
            "postgres://woody:hunter2@db,,db2/shop",
            "postgres://woody:hunter2@db,woody:hunter2@db2/shop",
            "postgres://db/shop?passwort=hunter2",
            "postgres://db/shop?user=woody&password=hun&ter2=x",
            "postgres://",
        ] {
            let refusal = refusal(text);
            assert!(refusal.starts_with("malformed postgres URL"), "{refusal}");
            assert!(!refusal.contains("hunter2"), "{refusal}");
        }
    }
}
