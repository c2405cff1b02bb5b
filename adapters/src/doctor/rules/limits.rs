//! How much of its node a container may take.

use crate::doctor::{
    deployment::Deployment,
    finding::{Finding, Severity},
};

/// A container without bounds.
pub(super) fn no_limits(deployment: &Deployment) -> Vec<Finding> {
    let findings = deployment.stack.services.iter().flat_map(|service| {
        let deploy = &service.deploy;
        let place = || {
            deploy.limits_line.map_or_else(|| service.deploy_place(), |line| service.place(line))
        };
        let memory = deploy.memory_limit.is_none().then(|| Finding {
            rule: "no-limits",
            severity: Severity::Error,
            place: place(),
            what: "deploy.resources.limits has no memory".to_owned(),
            why: "A container that takes too much brings its whole node down, and what else runs \
                  there.",
            mend: "set deploy.resources.limits.memory, above what it uses under load".to_owned(),
        });
        let cpus = deploy.cpu_limit.is_none().then(|| Finding {
            rule: "no-limits",
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
