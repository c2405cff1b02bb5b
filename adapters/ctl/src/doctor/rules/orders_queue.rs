//! What becomes of a message of the orders' queue that no consumer can take.

use std::collections::BTreeSet;

use crate::doctor::{
    deployment::Deployment,
    finding::{Found, Severity},
    rabbitmq::{Policy, RabbitMq},
};

/// An orders' queue that drops what it cannot deliver.
pub(super) fn quorum_dead_letter(deployment: &Deployment) -> Vec<Found> {
    let Some(rabbitmq) = &deployment.rabbitmq else { return Vec::new() };
    let settings = &deployment.settings;
    let services = deployment.stack.services.iter().filter(|service| service.has_queue());
    let queues: BTreeSet<_> =
        services.map(|service| settings.value(service, "WOODY_QUEUE")).collect();
    let findings = queues.into_iter().filter_map(|queue| match rabbitmq.policy_for(queue) {
        Some(policy) => lacking(policy, queue, rabbitmq.makes_quorum_queues()),
        None => Some(without_policy(deployment, rabbitmq, queue)),
    });
    findings.collect()
}

fn without_policy(deployment: &Deployment, rabbitmq: &RabbitMq, queue: &str) -> Found {
    let of_service = || {
        let service = deployment.stack.service(&rabbitmq.service);
        deployment.stack.lines.place(Some(&rabbitmq.service), service.map_or(1, |s| s.line))
    };
    let kind = if rabbitmq.makes_quorum_queues() { "quorum" } else { "classic" };
    Found {
        severity: Severity::Error,
        place: rabbitmq.policies_place().unwrap_or_else(of_service),
        what: format!("no policy holds for {queue}, a {kind} queue"),
        why: "The programs declare the queue without arguments, so that without a policy a full \
              one loses its oldest orders, and from RabbitMQ 4 on a quorum queue drops a message \
              after 20 deliveries.",
        mend: format!(
            "define a policy for ^{queue}$ of {kind}_queues: dead-letter-exchange, \
             dead-letter-routing-key, dead-letter-strategy: at-least-once, overflow: reject-publish"
        ),
    }
}

fn lacking(policy: Policy, queue: &str, is_quorum: bool) -> Option<Found> {
    let wanted = [
        ("dead-letter-exchange", None),
        ("dead-letter-routing-key", None),
        ("dead-letter-strategy", Some("at-least-once")),
        ("overflow", Some("reject-publish")),
    ];
    let is_there = |(key, value): &(&str, Option<&str>)| match (policy.value(key), value) {
        (Some(found), Some(value)) => found == *value,
        (found, _) => found.is_some(),
    };
    let lacking: Vec<_> = wanted
        .iter()
        // What a classic queue does not know switches its whole policy off.
        .filter(|(key, _)| is_quorum || *key != "dead-letter-strategy")
        .filter(|wanted| !is_there(wanted))
        .map(|(key, value)| value.map_or_else(|| (*key).to_owned(), |v| format!("{key}: {v}")))
        .collect();
    (!lacking.is_empty()).then(|| Found {
        severity: Severity::Error,
        place: policy.place(),
        what: format!("the policy {} of {queue} has no {}", policy.name(), lacking.join(", no ")),
        why: "From RabbitMQ 4 on a quorum queue drops a message after 20 deliveries unless it has \
              where to put it, loses it on the way there unless that is at-least-once, and a full \
              queue loses its oldest orders unless it refuses new ones.",
        mend: format!("add {}", lacking.join(", ")),
    })
}
