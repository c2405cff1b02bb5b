//! What `docker stack deploy` or Swarm refuses before anything runs.

use super::rule::each_service;
use crate::doctor::{
    deployment::Deployment,
    finding::{Found, Place},
    parts::{Mount, MountKind},
    schema::{Refusal, What, refusals},
    service::Service,
};

const REFUSED: &str = "docker stack deploy refuses the whole file.";

/// Keys of `docker run`, `docker compose` and older formats, and what to do instead.
const ELSEWHERE: [(&str, &str); 10] = [
    ("cpu_quota", "set deploy.resources.limits.cpus"),
    ("cpu_shares", "set deploy.resources.limits.cpus"),
    ("cpus", "set deploy.resources.limits.cpus"),
    ("extends", "write it out, or use a YAML anchor"),
    ("mem_limit", "set deploy.resources.limits.memory"),
    ("mem_reservation", "set deploy.resources.reservations.memory"),
    ("pids_limit", "set deploy.resources.limits.pids"),
    ("profiles", "put it into a file of its own: -c"),
    ("pull_policy", "leave it out: docker stack deploy --resolve-image says it"),
    ("volumes_from", "name the volume under volumes: in both services"),
];

/// A version that is none.
pub(super) fn format_version(deployment: &Deployment) -> Vec<Found> {
    refused(deployment, |refusal, place| {
        let What::Version { named } = &refusal.what else { return None };
        let what = format!("there is no version {named} of stack files");
        Some(Found::error(place, what, REFUSED, "set version: \"3.13\", or leave it out"))
    })
}

/// A key that is none.
pub(super) fn unknown_key(deployment: &Deployment) -> Vec<Found> {
    refused(deployment, |refusal, place| {
        let What::Unknown { meant } = refusal.what else { return None };
        let key = refusal.key();
        let elsewhere = ELSEWHERE.iter().find(|(name, _)| *name == key);
        let mend = match (elsewhere, meant) {
            (Some((_, mend)), _) => (*mend).to_owned(),
            (None, Some(meant)) => format!("was {meant} meant?"),
            (None, None) => "leave it out, or let its name begin with x-".to_owned(),
        };
        Some(Found::error(place, format!("there is no key {key}"), REFUSED, mend))
    })
}

/// A key that came with a later version.
pub(super) fn later_key(deployment: &Deployment) -> Vec<Found> {
    refused(deployment, |refusal, place| {
        let What::Later { since, named } = refusal.what else { return None };
        let key = refusal.key();
        let what = format!("{key} came with version 3.{since}, and the file says 3.{named}");
        Some(Found::error(place, what, REFUSED, format!("set version: \"3.{since}\" or later")))
    })
}

/// A value that is another kind of thing.
pub(super) fn wrong_form(deployment: &Deployment) -> Vec<Found> {
    refused(deployment, |refusal, place| {
        let What::Form { is, must_be } = refusal.what else { return None };
        let what = format!("{} is {is}, and must be {must_be}", refusal.key());
        let mend = if refusal.key() == "depends_on" {
            "leave it out: Swarm starts services in any order".to_owned()
        } else {
            format!("write {must_be}")
        };
        Some(Found::error(place, what, REFUSED, mend))
    })
}

fn refused(deployment: &Deployment, look: impl Fn(&Refusal, Place) -> Option<Found>) -> Vec<Found> {
    let stack = &deployment.stack;
    let refusals = refusals(&stack.tree);
    let found = refusals
        .iter()
        .filter_map(|refusal| look(refusal, stack.lines.place(refusal.service(), refusal.line)));
    found.collect()
}

/// Keys that take one of a few words.
const WORDS: [(&[&str], &[&str]); 5] = [
    (&["deploy", "mode"], &["replicated", "global", "replicated-job", "global-job"]),
    (&["deploy", "endpoint_mode"], &["vip", "dnsrr"]),
    (&["deploy", "restart_policy", "condition"], &["none", "on-failure", "any"]),
    (&["deploy", "update_config", "failure_action"], &["pause", "continue", "rollback"]),
    (&["deploy", "rollback_config", "failure_action"], &["pause", "continue"]),
];

/// A word that is none of those that may stand there.
pub(super) fn unknown_word(deployment: &Deployment) -> Vec<Found> {
    each_service(deployment, |service| {
        let found = WORDS.iter().filter_map(|(path, words)| {
            let word = service.text_at(path)?;
            (!words.contains(&word)).then(|| {
                Found::error(
                    service.place_at(path),
                    format!("{} is {word}", path.join(".")),
                    "It is refused in the middle of a deployment: what comes before it is deployed by then.",
                    format!("write {}", words.join(", or ")),
                )
            })
        });
        found.collect::<Vec<_>>()
    })
}

/// More replicas of a service that has one on each node.
pub(super) fn global_replicas(deployment: &Deployment) -> Vec<Found> {
    each_service(deployment, |service| {
        let path = ["deploy", "replicas"];
        let replicas = service.text_at(&path).filter(|_| service.is_global())?;
        Some(Found::error(
            service.place_at(&path),
            format!("mode is global, and replicas {replicas}"),
            "docker stack deploy refuses it: a global service has one task on each node.",
            "leave replicas out, or set mode: replicated",
        ))
    })
}

/// A mount that no container can be given.
pub(super) fn bad_mount(deployment: &Deployment) -> Vec<Found> {
    each_service(deployment, |service| {
        let found = service.mounts.iter().filter_map(|mount| {
            let (what, mend) = complaint(mount)?;
            Some(Found::error(
                service.place(mount.line),
                what,
                "Swarm refuses the service, or rejects each of its tasks.",
                mend,
            ))
        });
        found.collect::<Vec<_>>()
    })
}

fn complaint(mount: &Mount) -> Option<(String, &'static str)> {
    let Mount { kind, source, target, .. } = mount;
    if !target.starts_with('/') {
        return Some((format!("the target {target:?} is no whole path"), "begin it with /"));
    }
    match kind {
        MountKind::Tmpfs if !source.is_empty() => {
            Some((format!("a tmpfs at {target} has a source"), "leave source out"))
        }
        MountKind::Bind if source.is_empty() => {
            Some((format!("a bind mount at {target} has no source"), "name the node's path"))
        }
        _ => None,
    }
}

/// Two things in one place of a container.
pub(super) fn target_twice(deployment: &Deployment) -> Vec<Found> {
    each_service(deployment, |service| {
        let mut twice = Vec::new();
        let mounts = service.mounts.iter().map(|m| (m.target.trim_end_matches('/'), m.line));
        twice.extend(repeated(service, mounts));
        let secrets = service.secrets.iter().map(|grant| (grant.path.as_str(), grant.line));
        twice.extend(repeated(service, secrets));
        let configs = service.configs.iter().map(|grant| (grant.path.as_str(), grant.line));
        twice.extend(repeated(service, configs));
        twice
    })
}

fn repeated<'s>(service: &Service, targets: impl Iterator<Item = (&'s str, usize)>) -> Vec<Found> {
    let mut seen = Vec::new();
    let mut found = Vec::new();
    for (target, line) in targets {
        if seen.contains(&target) {
            found.push(Found::error(
                service.place(line),
                format!("{target} is there twice"),
                "Swarm refuses the service: a path of a container holds one thing.",
                "leave one of them out, or give it another target",
            ));
        }
        seen.push(target);
    }
    found
}

/// A limit of a process that is above what it may be raised to.
pub(super) fn ulimit_order(deployment: &Deployment) -> Vec<Found> {
    each_service(deployment, |service| {
        let limits = service.node.get("ulimits").map_or(&[][..], |node| node.entries());
        let found = limits.iter().filter_map(|limit| {
            let number = |key| limit.node.text_of(key).and_then(|n| n.parse::<i64>().ok());
            let (soft, hard) = (number("soft")?, number("hard")?);
            (hard >= 0 && soft > hard).then(|| {
                Found::error(
                    service.place(limit.line),
                    format!("ulimits.{} has soft {soft} above hard {hard}", limit.key),
                    "The node refuses to make such a container.",
                    "lower soft, or raise hard",
                )
            })
        });
        found.collect::<Vec<_>>()
    })
}
