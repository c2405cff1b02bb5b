//! Settings that reach nobody.

use crate::doctor::{
    deployment::Deployment,
    finding::{Finding, Severity},
    settings::Settings,
};

/// A variable of ours that no program reads, or that its program refuses.
pub(super) fn unknown_or_bad(deployment: &Deployment) -> Vec<Finding> {
    let settings = Settings::new();
    let programs = deployment.stack.services.iter().filter(|service| service.is_program());
    let variables = programs.flat_map(|service| &service.environment);
    let findings = variables.filter(|v| v.name.starts_with("WOODY_")).filter_map(|variable| {
        let place = variable.place.clone();
        if !settings.knows(&variable.name) {
            return Some(Finding {
                rule: "unknown-setting",
                severity: Severity::Warning,
                place,
                what: format!("no program reads {}", variable.name),
                why: "The service runs with the default of what was meant, and nothing says so.",
                mend: "--help of the program lists what it reads".to_owned(),
            });
        }
        let complaint = settings.complaint(&variable.name, &variable.value)?;
        Some(Finding {
            rule: "bad-setting",
            severity: Severity::Error,
            place,
            what: format!("{}: {complaint}", variable.name),
            why: "The program does not start with it.",
            mend: "give it a value that the program takes".to_owned(),
        })
    });
    findings.collect()
}
