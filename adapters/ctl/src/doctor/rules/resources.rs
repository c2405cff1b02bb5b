//! What a container may take, and what it is given.

use super::rule::each_service;
use crate::doctor::{
    deployment::Deployment, finding::Found, images::Image, service::Service, sizes::docker_size,
};

const RESOURCES: [&str; 2] = ["deploy", "resources"];
/// Below this the engine makes no container.
const LEAST_MEMORY: u64 = 6 << 20;
/// What our programs have in use when they do nothing.
const IDLE_MEMORY: u64 = 16 << 20;
/// Below this Swarm takes no share of a processor.
const LEAST_CPUS: f64 = 0.001;

fn resource<'s>(service: &'s Service, kind: &str, key: &str) -> Option<&'s str> {
    service.text_at(&[RESOURCES[0], RESOURCES[1], kind, key])
}

/// A size or a number that is none.
pub(super) fn bad_resource(deployment: &Deployment) -> Vec<Found> {
    each_service(deployment, |service| {
        let found = ["limits", "reservations"].into_iter().flat_map(|kind| {
            let memory =
                resource(service, kind, "memory").filter(|text| docker_size(text).is_none());
            let memory = memory.map(|text| (kind, "memory", text, "write 128M or 1G"));
            let cpus = resource(service, kind, "cpus");
            let is_share = |text: &&str| text.parse::<f64>().is_ok_and(|cpus| cpus >= LEAST_CPUS);
            let cpus = cpus.filter(|text| !is_share(text));
            let cpus = cpus.map(|text| (kind, "cpus", text, "write \"0.5\" for half a processor"));
            [memory, cpus]
        });
        let found = found.flatten().map(|(kind, key, text, mend)| {
            Found::error(
                service.place_at(&[RESOURCES[0], RESOURCES[1], kind, key]),
                format!("{kind}.{key} is {text:?}"),
                "docker stack deploy or Swarm refuses it: that is no amount.",
                mend,
            )
        });
        found.collect::<Vec<_>>()
    })
}

/// More kept for a container than it may take.
pub(super) fn reservation_above_limit(deployment: &Deployment) -> Vec<Found> {
    each_service(deployment, |service| {
        let memory = |kind| docker_size(resource(service, kind, "memory")?);
        let cpus = |kind| resource(service, kind, "cpus")?.parse::<f64>().ok();
        let is_above = |reserved: Option<f64>, limit: Option<f64>| {
            reserved.zip(limit).is_some_and(|(reserved, limit)| reserved > limit)
        };
        let memory_is_above =
            memory("reservations").zip(memory("limits")).is_some_and(|(r, limit)| r > limit);
        let key = if memory_is_above {
            "memory"
        } else if is_above(cpus("reservations"), cpus("limits")) {
            "cpus"
        } else {
            return None;
        };
        let text = |kind| resource(service, kind, key).unwrap_or_default();
        let place = service.place_at(&[RESOURCES[0], RESOURCES[1], "reservations", key]);
        let what = format!(
            "reservations.{key} is {}, above limits.{key}: {}",
            text("reservations"),
            text("limits")
        );
        let mend = "lower the reservation, or raise the limit";
        Some(if memory_is_above {
            let why = "The node refuses to make such a container, and every task is rejected.";
            Found::error(place, what, why, mend)
        } else {
            let why = "Swarm keeps processors for it that it may never use.";
            Found::warning(place, what, why, mend)
        })
    })
}

/// Less memory than a container needs to start.
pub(super) fn limit_too_low(deployment: &Deployment) -> Vec<Found> {
    each_service(deployment, |service| {
        let limit = service.memory_limit()?;
        let place = service.place_at(&[RESOURCES[0], RESOURCES[1], "limits", "memory"]);
        let text = resource(service, "limits", "memory").unwrap_or_default();
        if limit < LEAST_MEMORY {
            return Some(Found::error(
                place,
                format!("limits.memory is {text}, below 6 MiB"),
                "The node refuses to make such a container.",
                "write the unit: 128M",
            ));
        }
        let is_bare = service.image.as_ref().is_some_and(Image::is_program);
        (is_bare && limit <= IDLE_MEMORY).then(|| {
            Found::warning(
                place,
                format!("limits.memory is {text}, and our programs take up to 16 MiB idle"),
                "The kernel kills it at its first requests (exit code 137).",
                "allow it 64M or more",
            )
        })
    })
}

/// Memory for files that is more than the container may have.
pub(super) fn tmpfs_above_limit(deployment: &Deployment) -> Vec<Found> {
    each_service(deployment, |service| {
        let limit = service.memory_limit()?;
        let sizes: u64 = service.mounts.iter().filter_map(|mount| mount.size).sum();
        (sizes >= limit).then(|| {
            Found::warning(
                service.place_at(&["volumes"]),
                format!(
                    "its tmpfs may hold {} MiB, and its container {} MiB in all",
                    sizes >> 20,
                    limit >> 20
                ),
                "Files in a tmpfs are the container's memory: when they fill it, the kernel kills \
                 the program.",
                "lower the sizes well below deploy.resources.limits.memory",
            )
        })
    })
}

/// Logs that grow for ever.
pub(super) fn unbounded_logs(deployment: &Deployment) -> Vec<Found> {
    each_service(deployment, |service| {
        let driver = service.text_at(&["logging", "driver"]).unwrap_or("json-file");
        let is_bounded = service.text_at(&["logging", "options", "max-size"]).is_some();
        (service.is_ours() && driver == "json-file" && !is_bounded).then(|| {
            Found::warning(
                service.place_at(&["logging"]),
                "its log has no max-size",
                "Docker's log files grow until the node's disk is full, and then everything on it \
                 stands still.",
                "set logging: { driver: json-file, options: { max-size: 10m, max-file: \"3\" } }",
            )
        })
    })
}
