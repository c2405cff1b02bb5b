//! What `docker stack deploy` does not do, and mostly does not say.

use crate::doctor::{
    deployment::Deployment,
    finding::{Found, Place, Severity},
};

/// Keys without effect in a stack, and what to do instead.
const IGNORED: [(&str, &str); 19] = [
    ("build", "build and push the image first: stack/build_push.sh"),
    ("cgroup_parent", "leave it out"),
    ("cgroupns_mode", "leave it out"),
    ("container_name", "leave it out: a replica's name is its service's, with a number"),
    ("devices", "leave it out: Swarm has generic resources for devices"),
    ("domainname", "leave it out: hostname may hold dots"),
    ("expose", "leave it out: services of a network reach every port of each other"),
    ("external_links", "name an external network under networks:"),
    ("ipc", "leave it out"),
    ("links", "leave it out: services of a network know each other by name"),
    ("mac_address", "leave it out"),
    ("network_mode", "name the networks under networks:"),
    ("pid", "leave it out"),
    ("privileged", "leave it out: name what it needs under cap_add:"),
    ("restart", "set deploy.restart_policy"),
    ("security_opt", "use cap_drop:, read_only: and user:, which are followed"),
    ("shm_size", "use volumes: - { type: tmpfs, target: /dev/shm, tmpfs: { size: … } }"),
    ("tmpfs", "use volumes: - { type: tmpfs, target: …, tmpfs: { size: … } }"),
    ("userns_mode", "leave it out: the engine's own is used"),
];

/// An order of starting that Swarm does not follow.
pub(super) fn depends_on_ignored(deployment: &Deployment) -> Vec<Found> {
    let lists = deployment.stack.services.iter().filter(|service| {
        // A map is refused, and a rule of its own.
        service.node.get("depends_on").is_some_and(|on| on.entries().is_empty())
    });
    let findings = lists.map(|service| service.place_at(&["depends_on"])).map(|place| Found {
        severity: Severity::Warning,
        place,
        what: "depends_on has no effect in a stack".to_owned(),
        why: "Swarm starts services in any order (moby/moby#31333) and starts each again wherever \
              it likes: one that needs another must wait for it by itself, as ours do.",
        mend: "leave it out".to_owned(),
    });
    findings.collect()
}

/// A key that reads well and does nothing.
pub(super) fn ignored_key(deployment: &Deployment) -> Vec<Found> {
    let findings = IGNORED.iter().flat_map(|(key, mend)| {
        with_key(deployment, key).map(move |place| Found {
            severity: Severity::Warning,
            place,
            what: format!("{key} has no effect in a stack"),
            why: "docker stack deploy leaves it out, so the service runs otherwise than it reads.",
            mend: (*mend).to_owned(),
        })
    });
    findings.collect()
}

fn with_key(deployment: &Deployment, key: &str) -> impl Iterator<Item = Place> {
    deployment
        .stack
        .services
        .iter()
        .filter_map(move |service| service.node.entry(key).map(|entry| service.place(entry.line)))
}
