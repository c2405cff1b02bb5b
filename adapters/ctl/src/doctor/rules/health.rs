//! Whether a service is asked how it is.

use crate::doctor::{
    deployment::Deployment,
    finding::{Found, Severity},
    service::Health,
};

/// A healthcheck that is not there, switched off or too hasty.
pub(super) fn healthcheck_start(deployment: &Deployment) -> Vec<Found> {
    let findings = deployment.stack.services.iter().filter_map(|service| {
        let (severity, line, what, why, mend) = match service.health {
            Health::NotAsked => (
                Severity::Warning,
                service.line,
                "it has no healthcheck",
                "Unless its image brings one, Swarm takes a container that has started for one \
                 that works, and goes on to update the next.",
                "add a healthcheck that asks the service itself, and no other, with a start_period",
            ),
            Health::Disabled { line } => (
                Severity::Error,
                line,
                "its healthcheck is switched off",
                "Swarm takes a container that has started for one that works, and goes on to \
                 update the next; one that hangs is never replaced.",
                "let it be asked",
            ),
            Health::Asked { line, has_start_period: false } => (
                Severity::Warning,
                line,
                "its healthcheck has no start_period",
                "What is asked before it is up counts against it, and Swarm kills a service that \
                 only takes long to start, again and again.",
                "add start_period: longer than the service takes to start on a busy node",
            ),
            Health::Asked { has_start_period: true, .. } => return None,
        };
        let place = service.place(line);
        let (what, mend) = (what.to_owned(), mend.to_owned());
        Some(Found { severity, place, what, why, mend })
    });
    findings.collect()
}
