//! What a container may do.

use crate::doctor::{
    deployment::Deployment,
    finding::{Found, Severity},
    service::Service,
    tree::Node,
};

/// A container of ours that may do more than it needs.
pub(super) fn privileged_container(deployment: &Deployment) -> Vec<Found> {
    let ours = deployment.stack.services.iter().filter(|service| service.is_ours());
    let findings = ours.flat_map(|service| {
        let found = |key, what: &str, why, mend: &str| Found {
            severity: Severity::Warning,
            place: service.place_at(&[key]),
            what: what.to_owned(),
            why,
            mend: mend.to_owned(),
        };
        let writable = (!service.is_read_only()).then(|| {
            found(
                "read_only",
                "its root file system can be written",
                "An intruder can leave something behind; ours write to memory and volumes.",
                "set read_only: true, and tmpfs volumes for what it writes",
            )
        });
        let capable = (!drops_all(service)).then(|| {
            found(
                "cap_drop",
                "it keeps capabilities",
                "Ours need none, and an intruder can use them.",
                "set cap_drop: [ALL]",
            )
        });
        let by_root = (!has_harmless_user(service)).then(|| {
            found(
                "user",
                "it runs as root: no user is set",
                "Root in a container is root on its node wherever the container has a hole.",
                "set user: to a number that owns nothing, such as \"65534:65534\"",
            )
        });
        [writable, capable, by_root]
    });
    findings.flatten().collect()
}

fn has_harmless_user(service: &Service) -> bool {
    service.text_at(&["user"]).is_some_and(|user| {
        let name = user.split(':').next().unwrap_or_default();
        !["", "root", "0"].contains(&name)
    })
}

fn drops_all(service: &Service) -> bool {
    let dropped = service.node.get("cap_drop").into_iter().flat_map(Node::texts);
    dropped.into_iter().any(|cap| cap.eq_ignore_ascii_case("ALL"))
}
