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
mod keys;
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
mod rule;
mod secrets;
mod servers;
mod settings;
mod table;
mod unseen;
mod updates;
mod upstreams;
mod validation;

use std::cmp::Reverse;

use super::{deployment::Deployment, finding::Finding};

pub use rule::Rule;

/// Every rule, by subject.
pub(super) fn all() -> &'static [Rule] {
    table::RULES
}

/// Everything that every rule finds, the worst first.
pub(super) fn findings(deployment: &Deployment) -> Vec<Finding> {
    let mut findings: Vec<_> = all().iter().flat_map(|rule| rule.findings(deployment)).collect();
    findings.sort_by_key(|finding| Reverse(finding.severity));
    findings
}
