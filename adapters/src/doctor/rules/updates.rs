//! Two of a kind during an update.

use crate::doctor::{
    deployment::Deployment,
    finding::{Finding, Severity},
};

/// A new container that begins while the old one still writes.
pub(super) fn start_first_volume(deployment: &Deployment) -> Vec<Finding> {
    let findings = deployment.stack.services.iter().filter_map(|service| {
        let order = service.deploy.update_order.as_ref()?;
        let volume = service.written_volumes.first()?;
        (order.value == "start-first").then(|| Finding {
            rule: "start-first-volume",
            severity: Severity::Error,
            place: service.place(order.line),
            what: format!("update_config.order is start-first, and it keeps {}", volume.value),
            why: "During an update the old and the new container write to one volume at once: a \
                  database does not start then, or breaks its files.",
            mend: "set update_config.order: stop-first".to_owned(),
        })
    });
    findings.collect()
}
