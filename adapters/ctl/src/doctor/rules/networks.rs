//! Who can reach whom.

use std::net::Ipv4Addr;

use url::Url;

use super::rule::each_service;
use crate::doctor::{
    deployment::Deployment,
    finding::{Found, Place},
    gateway::host_of,
    postgres::is_postgres,
    rabbitmq::is_rabbitmq,
    service::Service,
    stack_file::Stack,
};

/// A service that asks another, with which it shares no network.
pub(super) fn networks_never_meet(deployment: &Deployment) -> Vec<Found> {
    let stack = &deployment.stack;
    let mut found = Vec::new();
    let mut tell = |service: &Service, place: Place, others: &[&Service]| {
        let Some(other) = others.first() else { return };
        if others.iter().any(|other| other.name == service.name || meet(service, other)) {
            return;
        }
        found.push(Found::error(
            place,
            format!(
                "{} asks {}, and they share no network ({}; {})",
                service.name,
                other.name,
                networks_of(service),
                networks_of(other)
            ),
            "A name is known in the networks of its service alone: it does not resolve, and there \
             would be no way.",
            format!("add a network that both are in to {}", service.name),
        ));
    };
    for service in &stack.services {
        for variable in &service.environment {
            for host in hosts_in(&variable.name, &variable.value) {
                tell(service, variable.place.clone(), &called(stack, service, host));
            }
        }
        // What is in the secret is not known; that it is about the stack's own is likely.
        for (variable, is_server) in [
            ("WOODY_STORE_URL_FILE", is_postgres as fn(&Service) -> bool),
            ("WOODY_BROKER_URL_FILE", is_rabbitmq),
        ] {
            let servers: Vec<_> = stack.services.iter().filter(|s| is_server(s)).collect();
            if let Some(variable) = service.variable(variable) {
                tell(service, variable.place.clone(), &servers);
            }
        }
    }
    if let (Some(service), Some(gateway)) = (stack.gateway(), &deployment.gateway) {
        for server in gateway.upstream_servers() {
            tell(service, server.server.place(), &called(stack, service, server.host));
        }
        for seen in gateway.everywhere().into_iter().filter(|seen| seen.name == "proxy_pass") {
            let host = host_of(seen.directive.arg(0));
            let others: Vec<_> = stack.service(host).into_iter().collect();
            tell(service, seen.place(), &others);
        }
    }
    // An upstream may be named twice.
    let mut told = Vec::new();
    found.retain(|finding| {
        let is_new = !told.contains(&finding.what);
        told.push(finding.what.clone());
        is_new
    });
    found
}

/// The services that a name resolves to, as its own or as an alias in a network.
fn called<'s>(stack: &'s Stack, asker: &Service, name: &str) -> Vec<&'s Service> {
    let has_alias = |service: &Service| {
        let networks = service.node.get("networks").map_or(&[][..], |node| node.entries());
        networks.iter().any(|network| {
            let aliases = network.node.get("aliases").map_or(&[][..], |node| node.items());
            aliases.iter().any(|alias| alias.text() == Some(name))
        })
    };
    let services = stack.services.iter();
    services.filter(|s| s.name != asker.name && (s.name == name || has_alias(s))).collect()
}

fn meet(one: &Service, other: &Service) -> bool {
    one.networks.iter().any(|network| other.networks.iter().any(|n| n.value == network.value))
}

fn networks_of(service: &Service) -> String {
    let names: Vec<_> = service.networks.iter().map(|network| network.value.as_str()).collect();
    format!("{}: {}", service.name, names.join(", "))
}

/// The hosts that a variable names: in a URL, before a port, or alone if the
/// variable says that it is one.
fn hosts_in<'v>(name: &str, value: &'v str) -> Vec<&'v str> {
    let is_host = ["HOST", "SERVER", "ADDR", "ENDPOINT"].iter().any(|word| name.contains(word));
    let hosts = value.split(',').map(str::trim).filter_map(|part| {
        if part.contains("://") {
            let host = Url::parse(part).ok()?.host_str()?.to_owned();
            let start = part.find(&host)?;
            return part.get(start..start + host.len());
        }
        let (host, port) = part.split_once(':').unwrap_or((part, ""));
        let is_name = !host.is_empty()
            && host.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c));
        let has_port = port.parse::<u16>().is_ok();
        (is_name && (has_port || (is_host && port.is_empty()))).then_some(host)
    });
    hosts.collect()
}

/// A network of one node, for services of many.
pub(super) fn network_driver(deployment: &Deployment) -> Vec<Found> {
    let networks = deployment.stack.section("networks").iter();
    let found =
        networks.filter(|network| !network.node.is_true("external")).filter_map(|network| {
            let driver = network.node.get("driver")?;
            let name = driver.text().filter(|name| ["bridge", "host", "none"].contains(name))?;
            Some(Found::error(
                deployment.stack.place(driver.line),
                format!("networks.{} has the driver {name}", network.key),
                "Swarm refuses services in it: \"only networks scoped to the swarm can be used\".",
                "set driver: overlay",
            ))
        });
    found.collect()
}

/// Two networks with the same addresses.
pub(super) fn subnets_overlap(deployment: &Deployment) -> Vec<Found> {
    let mut known: Vec<(&str, Subnet)> = Vec::new();
    let mut found = Vec::new();
    for network in deployment.stack.section("networks") {
        let configs = network.node.at(&["ipam", "config"]).map_or(&[][..], |node| node.items());
        for node in configs.iter().filter_map(|config| config.get("subnet")) {
            let text = node.text().unwrap_or_default();
            let place = deployment.stack.place(node.line);
            let Some(subnet) = Subnet::parse(text) else {
                if !text.contains(':') {
                    found.push(Found::error(
                        place,
                        format!("{text} is no subnet"),
                        "Swarm refuses the network.",
                        "write ADDRESS/BITS, such as 10.20.0.0/24",
                    ));
                }
                continue;
            };
            if let Some((other, _)) = known.iter().find(|(_, other)| other.overlaps(&subnet)) {
                found.push(Found::error(
                    place,
                    format!("{text} of networks.{} has addresses of networks.{other}", network.key),
                    "Swarm refuses the second network: \"pool overlaps with other one on this \
                     address space\".",
                    "give each network addresses of its own, or leave the choice to Swarm",
                ));
            }
            known.push((&network.key, subnet));
        }
    }
    found
}

struct Subnet {
    first: u32,
    last: u32,
}

impl Subnet {
    fn parse(text: &str) -> Option<Self> {
        let (address, bits) = text.split_once('/')?;
        let address = u32::from(address.parse::<Ipv4Addr>().ok()?);
        let bits = bits.parse::<u32>().ok().filter(|bits| *bits <= 32)?;
        let rest = u32::MAX.checked_shr(bits).unwrap_or(0);
        Some(Self { first: address & !rest, last: address | rest })
    }

    fn overlaps(&self, other: &Self) -> bool {
        self.first <= other.last && other.first <= self.last
    }
}

/// A worker that asks a service outside, and cannot get there.
pub(super) fn no_way_out(deployment: &Deployment) -> Vec<Found> {
    let stack = &deployment.stack;
    each_service(deployment, |service| {
        let variable = service.variable("WOODY_VALIDATOR_URL")?;
        let url = Url::parse(&variable.value).ok()?;
        let host = url.host_str().filter(|host| called(stack, service, host).is_empty())?;
        stack.has_no_way_out(service).then(|| {
            Found::error(
                variable.place.clone(),
                format!("it asks {host}, and all its networks are internal"),
                "Nothing outside can be reached from an internal network: no order is ever \
                 validated.",
                "add a network that is not internal",
            )
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_found_where_a_variable_names_one() {
        for (name, value, hosts) in [
            ("URL", "http://user:word@misc-service:5000/x", &["misc-service"][..]),
            ("NODES", "a:1,b:2", &["a", "b"]),
            ("PGHOST", "database", &["database"]),
            ("POSTGRES_DB", "database", &[]),
            ("WOODY_DRAIN_DELAY", "5s", &[]),
            ("TIME", "12:00", &["12"]),
            ("TEXT", "a sentence: 5", &[]),
        ] {
            assert_eq!(hosts_in(name, value), hosts, "{name}={value}");
        }
    }

    #[test]
    fn subnets_overlap_if_they_share_an_address() {
        let overlap =
            |one, other| Subnet::parse(one).unwrap().overlaps(&Subnet::parse(other).unwrap());
        assert!(overlap("10.0.0.0/8", "10.20.0.0/24") && overlap("10.0.0.1/32", "10.0.0.0/31"));
        assert!(!overlap("10.0.0.0/24", "10.0.1.0/24"));
        assert!(Subnet::parse("10.0.0.0").is_none() && Subnet::parse("10.0.0.0/33").is_none());
        assert!(Subnet::parse("0.0.0.0/0").is_some());
    }
}
