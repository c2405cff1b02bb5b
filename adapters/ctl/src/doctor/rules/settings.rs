//! Settings that reach no program.

use crate::doctor::{
    deployment::Deployment,
    finding::{Found, Severity},
    service::Variable,
};

/// A variable of ours that no program reads.
pub(super) fn unknown_setting(deployment: &Deployment) -> Vec<Found> {
    let settings = &deployment.settings;
    let unknown = ours(deployment).filter(|variable| !settings.knows(&variable.name));
    let findings = unknown.map(|variable| Found {
        severity: Severity::Warning,
        place: variable.place.clone(),
        what: format!("no program reads {}", variable.name),
        why: "The service runs with the default of what was meant, and nothing says so.",
        mend: "--help of the program lists what it reads".to_owned(),
    });
    findings.collect()
}

/// A variable of ours that its program refuses.
pub(super) fn bad_setting(deployment: &Deployment) -> Vec<Found> {
    let settings = &deployment.settings;
    let findings = ours(deployment).chain(of_gateway(deployment)).filter_map(|variable| {
        let complaint = settings.complaint(&variable.name, &variable.value)?;
        Some(Found {
            severity: Severity::Error,
            place: variable.place.clone(),
            what: format!("{}: {complaint}", variable.name),
            why: "The program does not start with it.",
            mend: "give it a value that the program takes".to_owned(),
        })
    });
    findings.collect()
}

/// What nginx of the gateway is filled in from: it does not start with what is no
/// rate and no address.
fn of_gateway(deployment: &Deployment) -> impl Iterator<Item = &Variable> {
    let gateway = deployment.stack.gateway().into_iter();
    let variables = gateway.flat_map(|gateway| &gateway.environment);
    let filled_in = [
        "WOODY_RATE_LIMIT",
        "WOODY_RATE_STATUS",
        "WOODY_RATE_EXEMPT",
        "WOODY_HOSTS",
        "WOODY_ORIGINS",
    ];
    variables.filter(move |variable| filled_in.contains(&variable.name.as_str()))
}

fn ours(deployment: &Deployment) -> impl Iterator<Item = &Variable> {
    let programs = deployment.stack.services.iter().filter(|service| service.is_program());
    let variables = programs.flat_map(|service| &service.environment);
    variables.filter(|variable| variable.name.starts_with("WOODY_"))
}
