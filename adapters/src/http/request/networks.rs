use std::{net::IpAddr, str::FromStr};

use ipnet::IpNet;

/// Addresses and networks: `10.0.0.0/8,192.0.2.7,2001:db8::/32`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Networks(Vec<IpNet>);

impl Networks {
    /// Whether `address` is in one of them.
    pub fn contains(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.0.iter().any(|network| network.contains(&address))
    }
}

impl From<IpAddr> for Networks {
    fn from(address: IpAddr) -> Self {
        Self(vec![address.to_canonical().into()])
    }
}

impl Extend<Self> for Networks {
    fn extend<I: IntoIterator<Item = Self>>(&mut self, more: I) {
        self.0.extend(more.into_iter().flat_map(|networks| networks.0));
    }
}

/// A word that is neither an address nor a network.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no address and no network: write 192.0.2.7, 10.0.0.0/8 or 2001:db8::/32")]
pub struct NoNetwork(String);

impl FromStr for Networks {
    type Err = NoNetwork;

    /// Reads them as the gateway of the stack does: parted by commas or blanks;
    /// nothing is none.
    fn from_str(text: &str) -> Result<Self, NoNetwork> {
        let words = text.split([',', ' ', '\t', '\n']).filter(|word| !word.is_empty());
        words.map(network).collect::<Result<_, _>>().map(Self)
    }
}

fn network(word: &str) -> Result<IpNet, NoNetwork> {
    let address = word.parse::<IpAddr>().map(|address| address.to_canonical().into());
    address.or_else(|_| word.parse()).map_err(|_| NoNetwork(word.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_and_networks_of_both_families_are_read_as_at_the_gateway() {
        let networks: Networks = "10.0.0.0/8, 192.0.2.7 2001:db8::/32,,10.1.2.3/8".parse().unwrap();
        for inside in ["10.0.0.1", "10.255.255.255", "192.0.2.7", "2001:db8::1", "::ffff:10.1.1.1"]
        {
            assert!(networks.contains(inside.parse().unwrap()), "{inside}");
        }
        for outside in ["11.0.0.1", "192.0.2.8", "2001:db9::1", "::1"] {
            assert!(!networks.contains(outside.parse().unwrap()), "{outside}");
        }
        assert_eq!("".parse::<Networks>(), Ok(Networks::default()));
        let all: Networks = "0.0.0.0/0".parse().unwrap();
        assert!(all.contains("203.0.113.9".parse().unwrap()));
    }

    #[test]
    fn what_is_none_is_named() {
        for wrong in ["10.0.0.0/33", "10.0.0", "example.org", "10.0.0.0/", "2001:db8::/129"] {
            let error = format!("192.0.2.7,{wrong}").parse::<Networks>().unwrap_err().to_string();
            assert!(error.contains(wrong) && error.contains("10.0.0.0/8"), "{error}");
        }
    }
}
