//! How much of its node a container may take.

use crate::doctor::{
    deployment::Deployment,
    finding::{Found, Severity},
};

/// A container without bounds.
pub(super) fn no_limits(deployment: &Deployment) -> Vec<Found> {
    let findings = deployment.stack.services.iter().flat_map(|service| {
        let limits = ["deploy", "resources", "limits"];
        let has = |key| service.node.at(&limits).is_some_and(|limits| limits.get(key).is_some());
        let place = || match service.node.at(&limits) {
            Some(_) => service.place_at(&limits),
            None => service.deploy_place(),
        };
        let memory = (!has("memory")).then(|| Found {
            severity: Severity::Error,
            place: place(),
            what: "deploy.resources.limits has no memory".to_owned(),
            why: "A container that takes too much brings its whole node down, and what else runs \
                  there.",
            mend: "set deploy.resources.limits.memory, above what it uses under load".to_owned(),
        });
        let cpus = (!has("cpus")).then(|| Found {
            severity: Severity::Warning,
            place: place(),
            what: "deploy.resources.limits has no cpus".to_owned(),
            why: "A busy container starves its neighbours, and their healthchecks fail.",
            mend: "set deploy.resources.limits.cpus".to_owned(),
        });
        [memory, cpus]
    });
    findings.flatten().collect()
}
