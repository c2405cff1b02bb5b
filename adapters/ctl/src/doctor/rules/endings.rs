//! How processes end, and what comes after.

use std::{collections::HashSet, time::Duration};

use crate::doctor::{
    deployment::Deployment,
    finding::{Found, Severity},
    service::Service,
    settings::Settings,
};

/// How long the gateway takes to learn of a DNS response that it asked for.
const TO_LEARN: Duration = Duration::from_secs(1);

/// A service that is gone before the gateway has learnt that it goes.
pub(super) fn drain_too_short(deployment: &Deployment) -> Vec<Found> {
    let gateway = deployment.gateway.as_ref();
    let Some((gateway, (resolver, kept))) =
        gateway.and_then(|gateway| Some((gateway, gateway.slowest_resolver()?)))
    else {
        return Vec::new();
    };
    let settings = &deployment.settings;
    let servers = gateway.upstream_servers();
    let asked: HashSet<_> =
        servers.iter().filter(|server| server.server.has("resolve")).map(|s| s.host).collect();
    let services = deployment.stack.services.iter();
    let services = services.filter(|s| s.is_program() && asked.contains(s.name.as_str()));
    let findings = services.filter_map(|service| {
        let drain = settings.time(service, "WOODY_DRAIN_DELAY");
        (drain < kept.saturating_add(TO_LEARN)).then(|| Found {
            severity: Severity::Error,
            place: service.place_of("WOODY_DRAIN_DELAY"),
            what: format!(
                "WOODY_DRAIN_DELAY is {drain:?}{}, and the gateway keeps an address for {kept:?} ({})",
                unless_given(service, "WOODY_DRAIN_DELAY"),
                resolver.place()
            ),
            why: "Swarm stops a replica without waiting until no request reaches it any more \
                  (moby/moby#30321), so requests fail at each rolling update.",
            mend: format!(
                "let it serve for {:?} at least after SIGTERM{}",
                kept.saturating_add(TO_LEARN),
                if resolver.args.iter().any(|arg| arg.starts_with("valid=")) {
                    ""
                } else {
                    "; and let the gateway ask more often than Docker's DNS says: valid=1s"
                }
            ),
        })
    });
    findings.collect()
}

/// A process that is killed before it is done.
pub(super) fn grace_too_short(deployment: &Deployment) -> Vec<Found> {
    let settings = &deployment.settings;
    let programs = deployment.stack.services.iter().filter(|service| service.is_program());
    let findings = programs
        .flat_map(|service| [killed_early(settings, service), not_done_in_time(settings, service)]);
    findings.flatten().collect()
}

fn killed_early(settings: &Settings, service: &Service) -> Option<Found> {
    let grace = settings.time(service, "WOODY_GRACE");
    let period = service.stop_grace_period.as_ref();
    let given = service.grace();
    (given <= grace).then(|| Found {
        severity: Severity::Error,
        place: service.place(period.map_or(service.line, |period| period.line)),
        what: format!(
            "stop_grace_period is {given:?}{}, and WOODY_GRACE is {grace:?}{}",
            if period.is_none() { ", as it is not given" } else { "" },
            unless_given(service, "WOODY_GRACE")
        ),
        why: "Swarm kills the process while it still serves requests and gives back what it holds.",
        mend: format!(
            "set stop_grace_period above WOODY_GRACE: {:?}",
            grace.saturating_add(Duration::from_secs(5))
        ),
    })
}

fn not_done_in_time(settings: &Settings, service: &Service) -> Option<Found> {
    let [grace, drain, validation] =
        ["WOODY_GRACE", "WOODY_DRAIN_DELAY", "WOODY_VALIDATION_TIMEOUT"]
            .map(|variable| settings.time(service, variable));
    if drain >= grace {
        return Some(Found {
            severity: Severity::Error,
            place: service.place_of("WOODY_DRAIN_DELAY"),
            what: format!("WOODY_DRAIN_DELAY is {drain:?} of a WOODY_GRACE of {grace:?}"),
            why: "The grace includes the delay: the program does not start with nothing left.",
            mend: "raise WOODY_GRACE, and stop_grace_period with it".to_owned(),
        });
    }
    let left = grace.saturating_sub(drain);
    (service.is_worker() && left <= validation).then(|| Found {
        severity: Severity::Warning,
        place: service.place_of("WOODY_VALIDATION_TIMEOUT"),
        what: format!(
            "a validation may take {validation:?}, and of WOODY_GRACE ({grace:?}) {left:?} are left \
             after WOODY_DRAIN_DELAY ({drain:?})"
        ),
        why: "A validation that is under way at an update is dropped and begun anew elsewhere.",
        mend: "raise WOODY_GRACE, and stop_grace_period with it, or lower WOODY_VALIDATION_TIMEOUT"
            .to_owned(),
    })
}

/// A process that has ended well, as after a drain, and stays down.
pub(super) fn not_restarted(deployment: &Deployment) -> Vec<Found> {
    let ours = deployment.stack.services.iter().filter(|service| service.is_ours());
    let findings = ours.filter_map(|service| {
        let path = ["deploy", "restart_policy", "condition"];
        let condition = service.text_at(&path)?;
        ["none", "on-failure"].contains(&condition).then(|| Found {
            severity: Severity::Warning,
            place: service.place_at(&path),
            what: format!("restart_policy.condition is {condition}"),
            why: "Our programs end with 0 when they are stopped: one that a SIGTERM reached from \
                  elsewhere than Swarm is not started again.",
            mend: "set condition: any".to_owned(),
        })
    });
    findings.collect()
}

fn unless_given(service: &Service, variable: &str) -> &'static str {
    if service.variable(variable).is_none() { ", as it is not given" } else { "" }
}
