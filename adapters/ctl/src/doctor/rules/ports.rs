//! Ports: published, listened on, asked for.

use super::rule::each_service;
use crate::doctor::{
    deployment::Deployment, finding::Found, gateway::port_of, service::Service, settings::Settings,
};

/// A new container that waits for the port of the one it replaces.
pub(super) fn host_port_start_first(deployment: &Deployment) -> Vec<Found> {
    each_service(deployment, |service| {
        let port =
            service.ports.iter().find(|port| !port.is_in_mesh && port.published.is_some())?;
        service.starts_first().then(|| {
            Found::error(
                service.place_at(&["deploy", "update_config", "order"]),
                format!(
                    "update_config.order is start-first, and port {} of the host has one holder",
                    port.published.unwrap_or_default()
                ),
                "The new container waits for the port until the old one ends, and the old one ends \
                 when the new one runs: an update never does (\"no suitable node\").",
                "set update_config.order: stop-first, and rollback_config.order too",
            )
        })
    })
}

/// A port of the mesh, for a service that has no address of its own.
pub(super) fn ingress_port_dnsrr(deployment: &Deployment) -> Vec<Found> {
    each_service(deployment, |service| {
        let is_dnsrr = service.text_at(&["deploy", "endpoint_mode"]) == Some("dnsrr");
        let port = service.ports.iter().find(|port| port.is_in_mesh).filter(|_| is_dnsrr)?;
        Some(Found::error(
            service.place(port.line),
            "the port is published through the routing mesh, and endpoint_mode is dnsrr",
            "Swarm refuses the service: the mesh sends to an address that a service with dnsrr has \
             not.",
            "set mode: host at the port, or endpoint_mode: vip",
        ))
    })
}

/// A port that has a holder already.
pub(super) fn port_twice(deployment: &Deployment) -> Vec<Found> {
    let services = deployment.stack.services.iter();
    let published: Vec<_> = services
        .flat_map(|service| service.ports.iter().map(move |port| (service, port)))
        .filter_map(|(service, port)| Some((service, port, port.published?)))
        .collect();
    let mut found = Vec::new();
    for (i, (service, port, number)) in published.iter().enumerate() {
        let earlier = published
            .iter()
            .take(i)
            .find(|(_, other, published)| published == number && other.protocol == port.protocol);
        let Some((other, theirs, _)) = earlier else { continue };
        let what = format!("port {number} is published by {} already", other.name);
        let on_one_node = !port.is_in_mesh && !theirs.is_in_mesh && service.name != other.name;
        found.push(if on_one_node {
            Found::warning(
                service.place(port.line),
                what,
                "A node has each of its ports once: the second service waits for another node.",
                "publish another port, or keep the two on different nodes by placement",
            )
        } else {
            Found::error(
                service.place(port.line),
                what,
                "Swarm refuses the second service: \"port is already in use\".",
                "publish another port",
            )
        });
    }
    found
}

/// Ports at which a part talks to those it trusts.
const PRIVATE: [(&str, u16, &str); 4] = [
    ("postgres", 5432, "PostgreSQL"),
    ("rabbitmq", 25672, "its nodes' own protocol"),
    ("rabbitmq", 4369, "the names of its nodes"),
    ("rabbitmq", 15692, "its metrics"),
];

/// A port that is for the inside.
pub(super) fn private_port(deployment: &Deployment) -> Vec<Found> {
    let settings = &deployment.settings;
    each_service(deployment, |service| {
        let admin = Listener::admin(settings, service);
        let found = service.ports.iter().filter_map(|port| {
            let target = port.target?;
            if admin.as_ref().is_some_and(|admin| admin.port == target) {
                return Some(Found::error(
                    service.place(port.line),
                    format!("port {target} is published, with /healthz, /readyz and /metrics"),
                    "Every client outside sees how much is ordered, what is broken and when.",
                    "leave it out: Prometheus asks in the network app",
                ));
            }
            let (.., whose) =
                PRIVATE.iter().find(|(base, port, _)| *port == target && service.runs(base))?;
            Some(Found::warning(
                service.place(port.line),
                format!("port {target} is published: {whose}"),
                "The firewall of the node does not hold for it, and passwords are tried at it \
                 within minutes.",
                "leave it out: services reach each other without",
            ))
        });
        found.collect::<Vec<_>>()
    })
}

/// A port on which nothing listens.
pub(super) fn port_without_listener(deployment: &Deployment) -> Vec<Found> {
    let settings = &deployment.settings;
    each_service(deployment, |service| {
        let Some(listened) = listened(settings, service) else { return Vec::new() };
        let found = service.ports.iter().filter_map(|port| {
            let target = port.target.filter(|target| !listened.contains(target))?;
            let all = listened.iter().map(u16::to_string).collect::<Vec<_>>();
            Some(Found::error(
                service.place(port.line),
                format!("port {target} is published, and it listens on {}", all.join(", ")),
                "Connections to the port are refused.",
                "name the port that it listens on as target",
            ))
        });
        found.collect()
    })
}

/// The ports on which an image of ours or an official one listens, if that is known.
fn listened(settings: &Settings, service: &Service) -> Option<Vec<u16>> {
    let image = service.image.as_ref()?;
    if image.is_program() {
        let listeners = [Listener::clients(settings, service), Listener::admin(settings, service)];
        return Some(listeners.into_iter().flatten().map(|listener| listener.port).collect());
    }
    match image.base() {
        "gateway" if service.has_at("/run/secrets/woody_tls_key") => Some(vec![8080, 8443]),
        "gateway" | "front" => Some(vec![8080]),
        "postgres" => Some(vec![5432]),
        _ => None,
    }
}

/// An upstream that asks at another port than its service listens on.
pub(super) fn upstream_port(deployment: &Deployment) -> Vec<Found> {
    let Some(gateway) = &deployment.gateway else { return Vec::new() };
    let settings = &deployment.settings;
    let servers = gateway.upstream_servers().into_iter();
    let found = servers.filter_map(|server| {
        let service = deployment.stack.service(server.host)?;
        let asked = port_of(server.server.directive.arg(0))?;
        let listens = match Listener::clients(settings, service) {
            Some(listener) => listener.port,
            None if service.runs("front") => 8080,
            None => return None,
        };
        (asked != listens).then(|| {
            Found::error(
                server.server.place(),
                format!(
                    "`{}` asks at port {asked}, and {} listens on {listens}",
                    server.server, service.name
                ),
                "Every request to it is answered 502.",
                format!("write {}:{listens}", service.name),
            )
        })
    });
    found.collect()
}

/// A service that only its own container reaches.
pub(super) fn listens_to_itself(deployment: &Deployment) -> Vec<Found> {
    let settings = &deployment.settings;
    each_service(deployment, |service| {
        let listener = Listener::clients(settings, service)?;
        listener.is_loopback.then(|| {
            Found::error(
                service.place_of("WOODY_LISTEN"),
                "WOODY_LISTEN is an address of the container alone",
                "No other container reaches it, and its healthcheck, which asks from inside, says that all \
                 is well.",
                "set WOODY_LISTEN: 0.0.0.0:5000",
            )
        })
    })
}

/// Two listeners at one port.
pub(super) fn listens_twice(deployment: &Deployment) -> Vec<Found> {
    let settings = &deployment.settings;
    each_service(deployment, |service| {
        let clients = Listener::clients(settings, service)?;
        let admin = Listener::admin(settings, service)?;
        (clients.port == admin.port).then(|| {
            let set = ["WOODY_ADMIN_LISTEN", "WOODY_LISTEN"];
            let variable = set.into_iter().find(|name| service.variable(name).is_some());
            Found::error(
                service.place_of(variable.unwrap_or("WOODY_LISTEN")),
                format!("WOODY_LISTEN and WOODY_ADMIN_LISTEN are both port {}", admin.port),
                "The program does not start: an address has one listener.",
                "give the private one a port of its own: 9000",
            )
        })
    })
}

/// A port of the host, for a container without a way to it.
pub(super) fn internal_port(deployment: &Deployment) -> Vec<Found> {
    each_service(deployment, |service| {
        let port = service.ports.iter().find(|port| !port.is_in_mesh)?;
        deployment.stack.has_no_way_out(service).then(|| {
            Found::error(
                service.place(port.line),
                "the port is published in host mode, and all its networks are internal",
                "A container that is only in internal networks has no connection to its host: the \
                 port is closed.",
                "add a network that is not internal",
            )
        })
    })
}

/// Where one of our programs listens.
struct Listener {
    port: u16,
    is_loopback: bool,
}

impl Listener {
    /// For clients; a worker has none.
    fn clients(settings: &Settings, service: &Service) -> Option<Self> {
        let is_shop = service.runs("woodytoys");
        let base = service.image.as_ref().filter(|image| image.is_program())?.base();
        if is_shop && service.variable("WOODY_LISTEN").is_none() {
            return Some(Self { port: 8080, is_loopback: true });
        }
        (base != "order-worker").then(|| Self::at(settings.value(service, "WOODY_LISTEN")))?
    }

    /// For operators.
    fn admin(settings: &Settings, service: &Service) -> Option<Self> {
        service.image.as_ref().filter(|image| image.is_program())?;
        Self::at(settings.value(service, "WOODY_ADMIN_LISTEN"))
    }

    fn at(address: &str) -> Option<Self> {
        let address: std::net::SocketAddr = address.parse().ok()?;
        Some(Self { port: address.port(), is_loopback: address.ip().is_loopback() })
    }
}
