//! What the sections define, and what services ask of them.

use std::path::Path;

use regex::Regex;

use super::rule::each_service;
use crate::doctor::{
    deployment::Deployment,
    finding::Found,
    tree::{Entry, ScalarKind},
};

/// Objects that Swarm keeps, and never changes once they are made. The most bytes
/// of one.
const OBJECTS: [(&str, u64); 2] = [("configs", 1_000 * 1_024), ("secrets", 500 * 1_024)];

/// A name of a service, as it stands after the stack's.
const SERVICE_NAME: &str = "^[a-zA-Z0-9](?:[-_]*[A-Za-z0-9]+)*$";
/// A name of a secret or a config.
const OBJECT_NAME: &str = "^[a-zA-Z0-9](?:[a-zA-Z0-9._-]*[a-zA-Z0-9])?$";
/// The most letters of either.
const LONGEST_NAME: usize = 64;

/// A name that no section defines.
pub(super) fn undefined_name(deployment: &Deployment) -> Vec<Found> {
    let stack = &deployment.stack;
    each_service(deployment, |service| {
        let networks = service.networks.iter().map(|n| ("networks", n.value.as_str(), n.line));
        let networks = networks.filter(|(_, name, _)| *name != "default");
        let secrets = service.secrets.iter().map(|s| ("secrets", s.source.as_str(), s.line));
        let configs = service.configs.iter().map(|c| ("configs", c.source.as_str(), c.line));
        let mounts = service.mounts.iter().filter(|mount| mount.is_named_volume());
        let volumes = mounts.map(|mount| ("volumes", mount.source.as_str(), mount.line));
        let all = networks.chain(secrets).chain(configs).chain(volumes);
        let found = all.filter(|(section, name, _)| stack.defined(section, name).is_none()).map(
            |(section, name, line)| {
                Found::error(
                    service.place(line),
                    format!("{section}: defines no {name}"),
                    "docker stack deploy refuses it: \"undefined\".",
                    format!("define {name} under {section}: at the end of the file"),
                )
            },
        );
        found.collect::<Vec<_>>()
    })
}

/// A definition of which nothing can be made.
pub(super) fn missing_file(deployment: &Deployment) -> Vec<Found> {
    each_object(deployment, |section, entry, _| {
        let place = deployment.stack.place(entry.line);
        let is_from_elsewhere = entry.node.get("external").is_some_and(|external| {
            !external.entries().is_empty() || entry.node.is_true("external")
        });
        if is_from_elsewhere || entry.node.get("driver").is_some() {
            return None;
        }
        let Some(file) = deployment.stack.file_of(section, &entry.key) else {
            return Some(Found::error(
                place,
                format!("{section}.{} has neither file nor external", entry.key),
                "docker stack deploy stops: it has nothing to make it from.",
                "name its file, or set external: true",
            ));
        };
        let what =
            format!("{section}.{} is made from {}, which is not there", entry.key, shown(&file));
        let why = "docker stack deploy stops where it would read it.";
        let mend = "name a file, whose path is taken from the stack file's folder";
        match (file.is_file(), section) {
            (true, _) => None,
            // They are made where they are needed, and rightly not kept with the stack file.
            (false, "secrets") => Some(Found::warning(place, what, why, mend)),
            (false, _) => Some(Found::error(place, what, why, mend)),
        }
    })
}

/// A name that Swarm refuses.
pub(super) fn object_name(deployment: &Deployment) -> Vec<Found> {
    let stack = &deployment.stack;
    let mut found = each_object(deployment, |section, entry, _| {
        let name = entry.node.text_of("name").unwrap_or(&entry.key);
        let is_good = name.len() <= LONGEST_NAME && is_match(OBJECT_NAME, name);
        (!is_good).then(|| {
            Found::error(
                stack.place(entry.node.entry("name").map_or(entry.line, |name| name.line)),
                format!("{name} of {section} is no name that Swarm takes"),
                "Swarm refuses names of more than 64 letters, of other signs than letters, digits, \
                 -, _ and ., and those that begin or end with such a sign.",
                "shorten it, or leave the signs out",
            )
        })
    });
    found.extend(each_service(deployment, |service| {
        let is_good = service.name.len() < LONGEST_NAME && is_match(SERVICE_NAME, &service.name);
        (!is_good).then(|| {
            Found::error(
                service.place(service.line),
                format!("{} is no name that Swarm takes", service.name),
                "A service's name, with the stack's before it, is a name of the DNS: 63 letters, \
                 digits and dashes.",
                "give it another name",
            )
        })
    }));
    found
}

/// A file that is too large, or empty.
pub(super) fn object_size(deployment: &Deployment) -> Vec<Found> {
    each_object(deployment, |section, entry, most| {
        let file = deployment.stack.file_of(section, &entry.key)?;
        let size = file.metadata().ok().filter(std::fs::Metadata::is_file)?.len();
        (size == 0 || size >= most).then(|| {
            Found::error(
                deployment.stack.place(entry.line),
                format!("{section}.{} is made from {}, of {size} bytes", entry.key, shown(&file)),
                "Swarm takes a config below 1,024,000 bytes and a secret below 512,000, and none \
                 that is empty.",
                "put what is large into the image or a volume",
            )
        })
    })
}

/// A config that can never be updated.
pub(super) fn fixed_object(deployment: &Deployment) -> Vec<Found> {
    each_object(deployment, |section, entry, _| {
        entry.node.get("file")?;
        let name = entry.node.get("name").and_then(|name| name.scalar());
        let has_version = name.is_some_and(|name| {
            matches!(name.kind, ScalarKind::FilledIn { .. })
                || name.text.contains(|c: char| c.is_ascii_digit())
        });
        (!has_version).then(|| {
            Found::warning(
                deployment.stack.place(entry.line),
                format!("{section}.{} is made from a file, and its name has no version", entry.key),
                "Swarm never changes a config or a secret: after its file has changed, \
                 docker stack deploy fails (\"only updates to Labels are allowed\").",
                format!(
                    "add name: STACK_{}_${{VERSION:-1}}, and count up when the file changes",
                    entry.key
                ),
            )
        })
    })
}

/// A volume that is made elsewhere, with settings to create it.
pub(super) fn external_volume(deployment: &Deployment) -> Vec<Found> {
    let volumes = deployment.stack.section("volumes").iter();
    let found = volumes.filter(|volume| volume.node.is_true("external")).filter_map(|volume| {
        let keys = ["driver", "driver_opts", "labels"];
        let key = keys.iter().find_map(|key| volume.node.entry(key))?;
        Some(Found::error(
            deployment.stack.place(key.line),
            format!("volumes.{} is external, and has {}", volume.key, key.key),
            "docker stack deploy refuses the whole file: who makes the volume says that.",
            format!("leave {} out", key.key),
        ))
    });
    found.collect()
}

fn each_object(
    deployment: &Deployment,
    look: impl Fn(&'static str, &Entry, u64) -> Option<Found>,
) -> Vec<Found> {
    let all = OBJECTS.iter().flat_map(|(section, most)| {
        let entries = deployment.stack.section(section).iter();
        entries.map(move |entry| (*section, entry, *most))
    });
    all.filter_map(|(section, entry, most)| look(section, entry, most)).collect()
}

fn is_match(pattern: &str, name: &str) -> bool {
    Regex::new(pattern).is_ok_and(|pattern| pattern.is_match(name))
}

fn shown(file: &Path) -> String {
    file.file_name().unwrap_or(file.as_os_str()).to_string_lossy().into_owned()
}
