use std::{collections::BTreeSet, str::FromStr};

use super::hosts::name_of;

/// The sites whose pages may use a service from a browser, beside the service's own: each as a
/// browser writes it in `Origin`.
///
/// ```
/// use woody_adapters::http::Origins;
///
/// let origins: Origins = "https://toys.example, http://localhost:3000".parse()?;
/// assert!(origins.contains("https://toys.example"));
/// assert!(!origins.contains("http://toys.example") && !origins.contains("null"));
/// # Ok::<(), woody_adapters::http::NoOrigin>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Origins {
    any: bool,
    listed: BTreeSet<Box<str>>,
}

impl Origins {
    /// Whether pages of this origin may use the service.
    pub fn contains(&self, origin: &str) -> bool {
        self.any || self.listed.contains(&*origin.to_ascii_lowercase())
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        !self.any && self.listed.is_empty()
    }
}

impl Extend<Self> for Origins {
    fn extend<I: IntoIterator<Item = Self>>(&mut self, more: I) {
        for origins in more {
            self.any |= origins.any;
            self.listed.extend(origins.listed);
        }
    }
}

/// A word that is no origin.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is no origin of a page: write https://toys.example or http://localhost:3000, without a \
     path, or * for any"
)]
pub struct NoOrigin(String);

impl FromStr for Origins {
    type Err = NoOrigin;

    /// Reads origins that are parted by commas or blanks; nothing is none.
    fn from_str(text: &str) -> Result<Self, NoOrigin> {
        let mut origins = Self::default();
        for word in text.split([',', ' ', '\t', '\n']).filter(|word| !word.is_empty()) {
            if word == "*" {
                origins.any = true;
            } else {
                let origin = origin(word).ok_or_else(|| NoOrigin(word.to_owned()))?;
                origins.listed.insert(origin.into());
            }
        }
        Ok(origins)
    }
}

/// Returns an origin as browsers write it: in lower case, without the scheme's own port.
fn origin(word: &str) -> Option<String> {
    let word = word.to_ascii_lowercase();
    let (scheme, host) = word.split_once("://")?;
    let port = match scheme {
        "http" => ":80",
        "https" => ":443",
        _ => return None,
    };
    name_of(host)?;
    Some(format!("{scheme}://{}", host.strip_suffix(port).unwrap_or(host)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origins_are_read_as_browsers_write_them() {
        let origins: Origins =
            "https://Toys.Example:443,http://toys.example:80 http://[::1]:3000".parse().unwrap();
        for own in ["https://toys.example", "http://toys.example", "http://[::1]:3000"] {
            assert!(origins.contains(own), "{own}");
        }
        for foreign in ["https://evil.example", "https://toys.example:444", "null", ""] {
            assert!(!origins.contains(foreign), "{foreign}");
        }
    }

    #[test]
    fn what_is_none_is_named() {
        for bad in [
            "toys.example",
            "https://toys.example/",
            "ftp://toys.example",
            "https://",
            "null",
            "https://a b",
        ] {
            let told = Origins::from_str(bad).unwrap_err().to_string();
            assert!(told.contains("is no origin"), "{bad}: {told}");
        }
        assert!("".parse::<Origins>().unwrap().is_empty());
        assert!("*".parse::<Origins>().unwrap().contains("https://any.example"));
    }
}
