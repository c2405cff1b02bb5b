//! Two of a kind during an update.

use super::rule::each_service;
use crate::doctor::{
    deployment::Deployment,
    finding::{Found, Severity},
    gateway::Gateway,
    postgres::is_postgres,
};

/// A new container that begins while the old one still writes.
pub(super) fn start_first_volume(deployment: &Deployment) -> Vec<Found> {
    let findings = deployment.stack.services.iter().filter_map(|service| {
        let volume = service.written_volumes().next()?;
        service.starts_first().then(|| Found {
            severity: Severity::Error,
            place: service.place_at(&["deploy", "update_config", "order"]),
            what: format!("update_config.order is start-first, and it keeps {}", volume.source),
            why: "During an update the old and the new container write to one volume at once: a \
                  database does not start then, or breaks its files.",
            mend: "set update_config.order: stop-first".to_owned(),
        })
    });
    findings.collect()
}

/// An update during which no replica serves.
pub(super) fn update_at_once(deployment: &Deployment) -> Vec<Found> {
    let upstreams = deployment.gateway.as_ref().map(Gateway::upstream_servers).unwrap_or_default();
    each_service(deployment, |service| {
        let path = ["deploy", "update_config", "parallelism"];
        let replicas = service.replicas();
        // None is all of them.
        let at_once = match service.number_at(&path).unwrap_or(1) {
            0 => replicas,
            parallelism => parallelism,
        };
        let is_asked = upstreams.iter().any(|server| server.host == service.name);
        let is_gone = is_asked && !service.is_global() && !service.starts_first() && replicas > 0;
        (is_gone && at_once >= replicas).then(|| {
            Found::warning(
                service.place_at(&path),
                format!("an update ends {at_once} of {replicas} replicas before a new one starts"),
                "Requests are answered 502 until it is up, at each update.",
                "set update_config: { parallelism: 1, order: start-first }",
            )
        })
    })
}

/// An update that goes on though it fails.
pub(super) fn update_goes_on(deployment: &Deployment) -> Vec<Found> {
    each_service(deployment, |service| {
        let path = ["deploy", "update_config", "failure_action"];
        (service.text_at(&path) == Some("continue")).then(|| {
            Found::warning(
                service.place_at(&path),
                "update_config.failure_action is continue",
                "A version that does not start replaces one replica after the other, until none \
                 works.",
                "set failure_action: rollback",
            )
        })
    })
}

/// A service that stays down after some failures.
pub(super) fn restart_gives_up(deployment: &Deployment) -> Vec<Found> {
    each_service(deployment, |service| {
        let path = ["deploy", "restart_policy", "max_attempts"];
        let attempts = service.number_at(&path).filter(|attempts| *attempts > 0)?;
        let is_needed = service.is_ours() || is_postgres(service) || service.runs("rabbitmq");
        is_needed.then(|| {
            Found::warning(
                service.place_at(&path),
                format!("restart_policy.max_attempts is {attempts}"),
                "After so many failures Swarm never starts it again, also when what it failed for \
                 is mended.",
                "leave it out: delay keeps a service that fails from turning in a circle",
            )
        })
    })
}

/// A new task that finds no place beside the old one.
pub(super) fn start_first_full(deployment: &Deployment) -> Vec<Found> {
    each_service(deployment, |service| {
        let most = service.number_at(&["deploy", "placement", "max_replicas_per_node"])?;
        // A port of the host stops it anyhow, and has a rule of its own.
        let has_port = service.ports.iter().any(|port| !port.is_in_mesh);
        let is_full = service.starts_first() && !has_port && most > 0 && service.replicas() >= most;
        is_full.then(|| {
            Found::warning(
                service.place_at(&["deploy", "update_config", "order"]),
                format!("update_config.order is start-first, and a node may have {most} of it"),
                "While every node has as many as it may, the new task waits for a place, and the \
                 old one for the new one: the update never ends.",
                "set order: stop-first, or allow one more on each node",
            )
        })
    })
}
