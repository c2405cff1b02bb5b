//! What could not be looked at.

use crate::doctor::{
    deployment::Deployment,
    finding::{Found, Severity},
};

/// A gateway of which nothing is known.
pub(super) fn unseen_gateway(deployment: &Deployment) -> Vec<Found> {
    let unseen = deployment.stack.gateway().filter(|_| deployment.gateway.is_none());
    let findings = unseen.into_iter().map(|service| Found {
        severity: Severity::Warning,
        place: service.place(service.line),
        what: "its configuration is not beside the stack file, and none was named".to_owned(),
        why: "Limits, addresses, replays and drains are judged by it: none of that was checked.",
        mend: "name its nginx files: --gateway FILE".to_owned(),
    });
    findings.collect()
}
