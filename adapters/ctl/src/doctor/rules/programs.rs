//! Our programs, and what they need of each other.

use std::collections::BTreeMap;

use super::rule::each_service;
use crate::doctor::{deployment::Deployment, finding::Found, service::Service, stack_file::Stack};

const STORE: &str = "WOODY_STORE_URL";
const BROKER: &str = "WOODY_BROKER_URL";

/// The programs that do not start without a variable.
const NEEDS: [(&str, &[&str]); 3] = [
    ("product-service", &[STORE]),
    ("order-service", &[STORE, BROKER]),
    ("order-worker", &[STORE, BROKER]),
];

/// A program without a setting that it needs.
pub(super) fn missing_setting(deployment: &Deployment) -> Vec<Found> {
    each_service(deployment, |service| {
        let needed = NEEDS.iter().filter(|(base, _)| service.runs(base));
        let missing = needed.flat_map(|(_, names)| *names).filter(|name| !service.is_told(name));
        let found = missing.map(|name| {
            Found::error(
                service.place_at(&["environment"]),
                format!("neither {name} nor {name}_FILE is set"),
                "The program does not start without it (exit code 2), again and again.",
                format!("set {name}_FILE: /run/secrets/…"),
            )
        });
        found.collect::<Vec<_>>()
    })
}

/// The schemes that a URL may have.
const SCHEMES: [(&str, &[&str]); 2] = [
    (STORE, &["memory:", "sqlite:", "postgres:", "postgresql:"]),
    (BROKER, &["memory:", "sqlite:", "amqp:", "amqps:"]),
];

/// A URL of a backend that there is not.
pub(super) fn unknown_backend(deployment: &Deployment) -> Vec<Found> {
    each_service(deployment, |service| {
        let found = SCHEMES.iter().filter_map(|(name, schemes)| {
            let variable = service.variable(name)?;
            let is_known = schemes.iter().any(|scheme| variable.value.starts_with(scheme));
            (!is_known && !variable.value.is_empty()).then(|| {
                Found::error(
                    variable.place.clone(),
                    format!("{name} begins with none of {}", schemes.join(", ")),
                    "The program does not start with it (exit code 2).",
                    "name a backend that there is",
                )
            })
        });
        found.collect::<Vec<_>>()
    })
}

/// A store or a queue in the memory of one process.
pub(super) fn memory_url(deployment: &Deployment) -> Vec<Found> {
    each_service(deployment, |service| {
        let in_memory = [STORE, BROKER].into_iter().filter_map(|name| service.variable(name));
        let in_memory = in_memory.filter(|variable| variable.value.starts_with("memory:"));
        let found = in_memory.map(|variable| {
            let what = format!("{} is memory:, which no other process sees", variable.name);
            let is_alone =
                service.runs("woodytoys") && service.replicas() == 1 && !service.is_global();
            if is_alone {
                Found::warning(
                    variable.place.clone(),
                    what,
                    "Every order is lost when the task ends, at the next update at the latest.",
                    "name a sqlite: file in a volume, or a server",
                )
            } else {
                Found::error(
                    variable.place.clone(),
                    what,
                    "Each process has a shop of its own: what one accepts, no other knows.",
                    "name a server that all of them use: postgres://, amqp://",
                )
            }
        });
        found.collect::<Vec<_>>()
    })
}

/// A file of the embedded store or queue that goes with its container.
pub(super) fn sqlite_not_kept(deployment: &Deployment) -> Vec<Found> {
    each_service(deployment, |service| {
        let is_shop = service.runs("woodytoys");
        let defaults = [(STORE, "sqlite:data/woody.db"), (BROKER, "sqlite:data/woody-queue.db")];
        let found = defaults.into_iter().filter_map(|(name, default)| {
            let url = match service.variable(name) {
                Some(variable) => variable.value.as_str(),
                None if is_shop && !service.is_told(name) => default,
                None => return None,
            };
            let path = url.strip_prefix("sqlite:")?.trim_start_matches("//");
            let path = if path.starts_with('/') { path.to_owned() } else { format!("/{path}") };
            let is_kept =
                service.mounts.iter().any(|mount| mount.is_kept() && mount.covers(&path));
            let is_one = service.replicas() <= 1 && !service.is_global();
            let (what, why, mend) = if !is_kept {
                (
                    format!("{name} is {url}, where no volume is"),
                    "The file goes with its container: at the next update every order is lost, or it \
                     cannot be made at all.",
                    "mount a volume, and name a file in it: sqlite:/data/woody.db".to_owned(),
                )
            } else if !is_one {
                (
                    format!("{name} is {url}, and there are {} replicas", service.replicas()),
                    "On several nodes each has a file of its own: what one accepts, no other knows.",
                    "set replicas: 1, or name a server: postgres://, amqp://".to_owned(),
                )
            } else {
                return None;
            };
            Some(Found::error(service.place_of(name), what, why, mend))
        });
        found.collect::<Vec<_>>()
    })
}

/// Orders in a queue that no worker takes from.
pub(super) fn queue_without_worker(deployment: &Deployment) -> Vec<Found> {
    let settings = &deployment.settings;
    let services = &deployment.stack.services;
    let taken: Vec<_> = services
        .iter()
        .filter(|service| service.has_queue() && service.is_worker())
        .map(|service| settings.value(service, "WOODY_QUEUE"))
        .collect();
    let found =
        services.iter().filter(|service| service.runs("order-service")).filter_map(|service| {
            let queue = settings.value(service, "WOODY_QUEUE");
            (!taken.contains(&queue)).then(|| {
                let what = if taken.is_empty() {
                    format!("it puts orders into {queue}, and there is no order-worker")
                } else {
                    format!(
                        "it puts orders into {queue}, and the workers take from {}",
                        taken.join(", ")
                    )
                };
                Found::error(
                    service.place_of("WOODY_QUEUE"),
                    what,
                    "Every order is accepted, and stays pending for ever.",
                    "give order-service and order-worker the same WOODY_QUEUE",
                )
            })
        });
    found.collect()
}

/// Services of one shop with different stores.
pub(super) fn stores_differ(deployment: &Deployment) -> Vec<Found> {
    let programs = deployment.stack.services.iter().filter(|service| service.is_program());
    let mut found = Vec::new();
    for name in [STORE, BROKER] {
        let mut users: BTreeMap<String, Vec<&Service>> = BTreeMap::new();
        for service in programs.clone() {
            if let Some(source) = source_of(&deployment.stack, service, name) {
                users.entry(source).or_default().push(service);
            }
        }
        let most = users.values().map(Vec::len).max().unwrap_or_default();
        let usual = users.iter().find(|(_, services)| services.len() == most);
        let Some((usual, others)) = usual.map(|(source, services)| (source.clone(), services))
        else {
            continue;
        };
        let first = others.first().map(|service| service.name.clone()).unwrap_or_default();
        for service in users.iter().filter(|(source, _)| **source != usual).flat_map(|(_, s)| s) {
            let variable = [format!("{name}_FILE"), name.to_owned()]
                .into_iter()
                .find(|variable| service.variable(variable).is_some());
            found.push(Found::error(
                service.place_of(&variable.unwrap_or_default()),
                format!("its {name} is another than that of {first}"),
                "Two shops under one roof: what one service writes, the other never finds.",
                "give all of them the same secret",
            ));
        }
    }
    found
}

/// The secret or the text that a URL comes from: enough to tell two apart.
fn source_of(stack: &Stack, service: &Service, name: &str) -> Option<String> {
    let Some(file) = service.variable(&format!("{name}_FILE")) else {
        // What is no server's has a rule of its own.
        let url = &service.variable(name)?.value;
        let is_server = url.starts_with("postgres") || url.starts_with("amqp");
        return is_server.then(|| format!("={url}"));
    };
    let grant = service.secrets.iter().find(|secret| secret.path == file.value)?;
    let name = stack.defined("secrets", &grant.source).and_then(|s| s.node.text_of("name"));
    Some(name.unwrap_or(&grant.source).to_owned())
}
