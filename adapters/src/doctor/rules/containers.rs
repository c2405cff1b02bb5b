//! What a container may do.

use crate::doctor::{
    deployment::Deployment,
    finding::{Finding, Severity},
    service::Service,
};

/// A container of ours that may do more than it needs.
pub(super) fn privileged_container(deployment: &Deployment) -> Vec<Finding> {
    let ours = deployment.stack.services.iter().filter(|service| service.is_ours());
    let findings = ours.flat_map(|service| {
        let found = |line, what: &str, why, mend: &str| Finding {
            rule: "privileged-container",
            severity: Severity::Warning,
            place: service.place(line),
            what: what.to_owned(),
            why,
            mend: mend.to_owned(),
        };
        let writable = (!service.is_read_only).then(|| {
            found(
                line_of(service, "read_only"),
                "its root file system can be written",
                "Whoever breaks in can leave something behind; ours write to memory and volumes.",
                "set read_only: true, and tmpfs volumes for what it writes",
            )
        });
        let capable = (!service.drops_all).then(|| {
            found(
                line_of(service, "cap_drop"),
                "it keeps capabilities",
                "Ours need none, and whoever breaks in can use them.",
                "set cap_drop: [ALL]",
            )
        });
        let by_root = (!has_harmless_user(service)).then(|| {
            found(
                line_of(service, "user"),
                "it is not told to run as somebody else than root",
                "Root in a container is root on its node wherever the container has a hole.",
                "set user: to a number that owns nothing, such as \"65534:65534\"",
            )
        });
        [writable, capable, by_root]
    });
    findings.flatten().collect()
}

fn has_harmless_user(service: &Service) -> bool {
    service.user.as_ref().is_some_and(|user| {
        let name = user.value.split(':').next().unwrap_or_default();
        !["", "root", "0"].contains(&name)
    })
}

fn line_of(service: &Service, key: &str) -> usize {
    let key = service.keys.iter().find(|found| found.value == key);
    key.map_or(service.line, |key| key.line)
}
