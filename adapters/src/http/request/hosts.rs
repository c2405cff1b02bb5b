use std::{collections::BTreeSet, net::Ipv4Addr, net::Ipv6Addr, str::FromStr};

/// The names under which a service may be asked for: what stands in a request's `Host`.
///
/// A page of any site can have its own name lead to an address of this machine or this network
/// (DNS rebinding); a browser then takes the service for a part of that site, and lets its page
/// read and order. The name stays in `Host`, and gives the page away. So a service answers to
/// names that are its own:
/// IP addresses and `localhost`, which no site can have for a name, and those that are listed.
///
/// ```
/// use woody_adapters::http::Hosts;
///
/// let hosts: Hosts = "shop.example, *.toys.example".parse()?;
/// assert!(hosts.contains("shop.example:8080") && hosts.contains("fr.toys.example"));
/// assert!(hosts.contains("192.0.2.7") && hosts.contains("[::1]:8080") && hosts.contains("localhost"));
/// assert!(!hosts.contains("evil.example"));
/// # Ok::<(), woody_adapters::http::NoHost>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Hosts {
    any: bool,
    names: BTreeSet<Box<str>>,
    /// What a name may end with, with its leading dot.
    suffixes: BTreeSet<Box<str>>,
}

impl Hosts {
    /// Returns all names there are: for a service that no browser reaches but by a gateway, which
    /// looks at the name itself.
    pub fn any() -> Self {
        Self { any: true, ..Self::default() }
    }

    /// Whether a request with this `Host` is meant for the service; its port does not matter.
    pub fn contains(&self, host: &str) -> bool {
        if self.any {
            return true;
        }
        let Some(name) = name_of(host) else { return false };
        if is_address(name) {
            return true;
        }
        // The dot at the end says that the name is complete; it is the same name.
        let name = name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase();
        name == "localhost"
            || name.ends_with(".localhost")
            || self.names.contains(&*name)
            || self.suffixes.iter().any(|suffix| name.ends_with(&**suffix))
    }
}

impl Extend<Self> for Hosts {
    fn extend<I: IntoIterator<Item = Self>>(&mut self, more: I) {
        for hosts in more {
            self.any |= hosts.any;
            self.names.extend(hosts.names);
            self.suffixes.extend(hosts.suffixes);
        }
    }
}

/// A word that is no name of a host.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is no name of a host: write shop.example, *.shop.example for all below it, or * for \
     any, without scheme, port and path"
)]
pub struct NoHost(String);

impl FromStr for Hosts {
    type Err = NoHost;

    /// Reads names that are parted by commas or blanks; nothing is none.
    fn from_str(text: &str) -> Result<Self, NoHost> {
        let mut hosts = Self::default();
        for word in text.split([',', ' ', '\t', '\n']).filter(|word| !word.is_empty()) {
            let (set, name) = match word.strip_prefix("*.") {
                Some(name) => (&mut hosts.suffixes, name),
                None if word == "*" => {
                    hosts.any = true;
                    continue;
                }
                None => (&mut hosts.names, word),
            };
            if !is_name(name) {
                return Err(NoHost(word.to_owned()));
            }
            let dot = if word.starts_with('*') { "." } else { "" };
            set.insert(format!("{dot}{}", name.to_ascii_lowercase()).into());
        }
        Ok(hosts)
    }
}

/// Returns the name or address of `name`, `name:80`, `192.0.2.7:80` or `[::1]:80`; `None` when it
/// is none of them.
pub(in crate::http) fn name_of(host: &str) -> Option<&str> {
    let (name, port) = match host.rsplit_once(':') {
        // The last colon of an address in brackets may be one of its own.
        Some((name, port)) if !port.ends_with(']') => (name, Some(port)),
        _ => (host, None),
    };
    let is_port = port.is_none_or(|port| port.parse::<u16>().is_ok());
    (is_port && (is_address(name) || is_name(name))).then_some(name)
}

fn is_address(name: &str) -> bool {
    match name.strip_prefix('[').and_then(|name| name.strip_suffix(']')) {
        Some(v6) => v6.parse::<Ipv6Addr>().is_ok(),
        None => name.parse::<Ipv4Addr>().is_ok(),
    }
}

fn is_name(name: &str) -> bool {
    (1..=253).contains(&name.len())
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_and_this_machine_are_always_its_own() {
        let hosts = Hosts::default();
        for own in [
            "127.0.0.1",
            "127.0.0.1:8080",
            "192.0.2.7:80",
            "[::1]",
            "[2001:db8::1]:8080",
            "localhost",
            "LocalHost:8080",
            "localhost.",
            "shop.localhost:3000",
        ] {
            assert!(hosts.contains(own), "{own}");
        }
    }

    #[test]
    fn names_of_others_are_not() {
        let hosts: Hosts = "shop.example,*.toys.example".parse().unwrap();
        for foreign in [
            "evil.example",
            "evil.example:8080",
            "notlocalhost",
            "localhost.evil.example",
            "127.0.0.1.evil.example",
            "shop.example.evil.example",
            "toys.example",
            "eviltoys.example",
            "order-service",
            "2130706433",
            "0x7f.1",
            "",
            ":80",
            "shop.example:http",
            "user@shop.example",
            "[::1",
            "::1",
        ] {
            assert!(!hosts.contains(foreign), "{foreign}");
        }
        for own in ["shop.example", "SHOP.example:8443", "shop.example.", "a.b.toys.example"] {
            assert!(hosts.contains(own), "{own}");
        }
    }

    #[test]
    fn lists_are_read_and_joined() {
        let mut hosts: Hosts = " Shop.Example\t, ,other.example".parse().unwrap();
        assert!(hosts.contains("shop.example") && hosts.contains("other.example"));
        assert!(!hosts.contains("third.example"));
        hosts.extend(["third.example".parse().unwrap()]);
        assert!(hosts.contains("third.example") && hosts.contains("shop.example"));
        hosts.extend(["*".parse().unwrap()]);
        assert!(hosts.contains("anything at all"));
        assert_eq!("".parse(), Ok(Hosts::default()));
        assert_eq!("*".parse(), Ok(Hosts::any()));
        for bad in
            ["http://shop.example", "shop.example:80", "shop.example/x", "*shop", "*.", "[::1]"]
        {
            let told = Hosts::from_str(bad).unwrap_err().to_string();
            assert!(told.contains(bad) && told.contains("shop.example"), "{told}");
        }
    }

    #[test]
    fn a_host_is_believed_when_it_is_plain() {
        for plain in ["localhost", "127.0.0.1:8080", "shop.example:80", "[::1]:8080", "[::1]"] {
            assert!(name_of(plain).is_some(), "{plain}");
        }
        let long = "a".repeat(254);
        for hostile in
            ["", ":80", "a b", "x/..", "x;rm", "$(x)", "a:b:80", "x:99999", "[x]", "'", "`", &long]
        {
            assert!(name_of(hostile).is_none(), "{hostile}");
        }
    }
}
