//! What `docker stack deploy` does not do, and mostly does not say.

use crate::doctor::{
    deployment::Deployment,
    finding::{Finding, Place, Severity},
};

/// Keys without effect in a stack, and what to do instead.
const IGNORED: [(&str, &str); 11] = [
    ("build", "build and push the image first: stack/build_push.sh"),
    ("container_name", "leave it out: a replica's name is its service's, with a number"),
    ("devices", "leave it out: Swarm has generic resources for devices"),
    ("ipc", "leave it out"),
    ("links", "leave it out: services of a network know each other by name"),
    ("network_mode", "name the networks under networks:"),
    ("pid", "leave it out"),
    ("privileged", "leave it out: name what it needs under cap_add:"),
    ("restart", "set deploy.restart_policy"),
    ("security_opt", "use cap_drop:, read_only: and user:, which are followed"),
    ("tmpfs", "use volumes: - { type: tmpfs, target: …, tmpfs: { size: … } }"),
];

/// An order of starting that nobody follows.
pub(super) fn depends_on_ignored(deployment: &Deployment) -> Vec<Finding> {
    let keys = with_key(deployment, "depends_on");
    let findings = keys.map(|place| Finding {
        rule: "depends-on-ignored",
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
pub(super) fn ignored_key(deployment: &Deployment) -> Vec<Finding> {
    let findings = IGNORED.iter().flat_map(|(key, mend)| {
        with_key(deployment, key).map(move |place| Finding {
            rule: "ignored-key",
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
    deployment.stack.services.iter().filter_map(move |service| {
        let found = service.keys.iter().find(|found| found.value == key)?;
        Some(service.place(found.line))
    })
}
