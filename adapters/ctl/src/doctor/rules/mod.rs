//! What is looked for, by subject. A rule is a function from the deployment to
//! what it finds there.

mod clients;
mod containers;
mod definitions;
mod endings;
mod grants;
mod health;
mod healthchecks;
mod ignored;
mod images;
mod limits;
mod networks;
mod nginx;
mod orders_queue;
mod placement;
mod ports;
mod postgres;
mod programs;
mod rabbitmq;
mod refused;
mod replays;
mod resources;
mod secrets;
mod servers;
mod settings;
mod table;
mod unseen;
mod updates;
mod upstreams;
mod validation;

use std::cmp::Reverse;

use super::{
    deployment::Deployment,
    finding::{Finding, Found, Severity},
    service::Service,
};

pub(super) use table::RULES;

/// One thing that the doctor looks for.
#[derive(Debug)]
pub struct Rule {
    /// Its name, in reports.
    pub id: &'static str,
    /// How bad the worst is that it finds.
    pub severity: Severity,
    /// What it finds.
    pub finds: &'static str,
    check: fn(&Deployment) -> Vec<Found>,
}

impl Rule {
    fn findings(&self, deployment: &Deployment) -> impl Iterator<Item = Finding> {
        (self.check)(deployment).into_iter().map(|found| Finding {
            rule: self.id,
            severity: found.severity,
            place: found.place,
            what: found.what,
            why: found.why,
            mend: found.mend,
        })
    }
}

/// What is found in each service.
fn each_service<'d, F: IntoIterator<Item = Found>>(
    deployment: &'d Deployment,
    look: impl Fn(&'d Service) -> F,
) -> Vec<Found> {
    deployment.stack.services.iter().flat_map(look).collect()
}

/// Everything that every rule finds, the worst first.
pub(super) fn findings(deployment: &Deployment) -> Vec<Finding> {
    let mut findings: Vec<_> = RULES.iter().flat_map(|rule| rule.findings(deployment)).collect();
    findings.sort_by_key(|finding| Reverse(finding.severity));
    findings
}
