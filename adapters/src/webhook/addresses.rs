//! Which addresses a webhook may be sent to.

use std::{
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    task::{Context, Poll},
};

use futures::future::BoxFuture;
use hyper_util::client::legacy::connect::dns::{GaiResolver, Name};
use tower::Service;

/// Whether an address is one of the public internet: not this machine's, not of a private network,
/// and not one that is set aside for anything else.
pub(super) fn is_public(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    let is_set_aside = match (a, b, c) {
        // Carriers' own networks.
        (100, 64..=127, _)
        // Protocols, documentation, the old way to IPv6.
        | (192, 0, 0 | 2)
        | (192, 88, 99)
        | (198, 51, 100)
        | (203, 0, 113)
        // Measuring.
        | (198, 18 | 19, _)
        // This network; multicast; kept for later.
        | (0 | 224..=255, _, _) => true,
        _ => false,
    };
    !(is_set_aside || address.is_private() || address.is_loopback() || address.is_link_local())
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    let bits = address.segments();
    match bits {
        // An IPv4 address behind a translator, and one within a tunnel.
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] | [0x2002, high, low, ..] => {
            let [a, b] = high.to_be_bytes();
            let [c, d] = low.to_be_bytes();
            is_public_v4(Ipv4Addr::new(a, b, c, d))
        }
        // Documentation; protocols and tunnels.
        [0x2001, 0x0db8 | 0..=0x01ff, ..] | [0x3fff, 0..=0x0fff, ..] => false,
        // Whatever is not handed out as a global address of one machine.
        _ => bits[0] & 0xe000 == 0x2000,
    }
}

/// Finds a host, and returns only addresses that are allowed: those that are connected to, so no
/// other answer of the name server can come in between.
#[derive(Clone)]
pub(super) struct AllowedAddresses {
    resolver: GaiResolver,
    allow_private: bool,
}

impl AllowedAddresses {
    pub(super) fn new(allow_private: bool) -> Self {
        Self { resolver: GaiResolver::new(), allow_private }
    }
}

impl Service<Name> for AllowedAddresses {
    type Response = std::vec::IntoIter<SocketAddr>;
    type Error = io::Error;
    type Future = BoxFuture<'static, Result<Self::Response, io::Error>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), io::Error>> {
        self.resolver.poll_ready(cx)
    }

    fn call(&mut self, name: Name) -> Self::Future {
        let (finding, allow_private) = (self.resolver.call(name), self.allow_private);
        Box::pin(async move {
            let found: Vec<SocketAddr> = finding.await?.collect();
            let is_allowed = |found: &&SocketAddr| allow_private || is_public(found.ip());
            let allowed: Vec<_> = found.iter().filter(is_allowed).copied().collect();
            match found.first() {
                Some(first) if allowed.is_empty() => {
                    Err(io::Error::new(io::ErrorKind::PermissionDenied, refusal(first.ip())))
                }
                _ => Ok(allowed.into_iter()),
            }
        })
    }
}

/// Says why an address is refused, and what would allow it.
pub(super) fn refusal(address: IpAddr) -> String {
    format!(
        "{address} is an address of this machine or of a private network: WOODY_WEBHOOK_ALLOW_PRIVATE=on \
         allows it"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_addresses_of_the_public_internet_are_public() {
        for public in [
            "1.1.1.1",
            "93.184.216.34",
            "172.15.0.1",
            "172.32.0.1",
            "192.0.1.1",
            "100.63.0.1",
            "100.128.0.1",
            "223.255.255.255",
            "2606:4700::1111",
            "::ffff:8.8.8.8",
            "64:ff9b::808:808",
            "2002:808:808::1",
        ] {
            assert!(is_public(public.parse().unwrap()), "{public}");
        }
        for other in [
            "0.0.0.0",
            "0.1.2.3",
            "10.1.2.3",
            "100.64.0.1",
            "127.0.0.1",
            "127.255.0.1",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.1",
            "192.0.2.1",
            "192.168.1.1",
            "198.18.0.1",
            "198.51.100.1",
            "203.0.113.1",
            "224.0.0.1",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "fc00::1",
            "fd12::1",
            "fe80::1",
            "fec0::1",
            "ff02::1",
            "2001:db8::1",
            "2001::1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "::127.0.0.1",
            "64:ff9b::7f00:1",
            "64:ff9b::a9fe:a9fe",
            "64:ff9b:1::1",
            "2002:7f00:1::1",
            "2002:c0a8:101::1",
            "100::1",
            "3fff::1",
            "5f00::1",
        ] {
            assert!(!is_public(other.parse().unwrap()), "{other}");
        }
    }
}
