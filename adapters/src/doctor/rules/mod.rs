//! What is looked for, by subject. A rule is a function from the deployment to
//! what it finds there.

mod clients;
mod containers;
mod endings;
mod health;
mod ignored;
mod images;
mod limits;
mod orders_queue;
mod replays;
mod secrets;
mod settings;
mod unseen;
mod updates;
mod upstreams;
mod validation;

use std::cmp::Reverse;

use super::{deployment::Deployment, finding::Finding};

type Rule = fn(&Deployment) -> Vec<Finding>;

const RULES: &[Rule] = &[
    clients::limit_behind_mesh,
    clients::trusted_forwarded_for,
    upstreams::upstream_resolver,
    upstreams::consistent_hash_one_name,
    replays::replayed_get,
    endings::drain_too_short,
    endings::grace_too_short,
    endings::not_restarted,
    updates::start_first_volume,
    health::healthcheck_start,
    validation::validation_outlasts_consumer,
    orders_queue::quorum_dead_letter,
    secrets::guest_management,
    secrets::plain_secret,
    images::unpinned_image,
    limits::no_limits,
    containers::privileged_container,
    ignored::depends_on_ignored,
    ignored::ignored_key,
    settings::unknown_or_bad,
    unseen::unseen_gateway,
];

/// Everything that every rule finds, the worst first.
pub(super) fn findings(deployment: &Deployment) -> Vec<Finding> {
    let mut findings: Vec<_> = RULES.iter().flat_map(|rule| rule(deployment)).collect();
    findings.sort_by_key(|finding| Reverse(finding.severity));
    findings
}
