//! The official image of RabbitMQ.

use super::rule::each_service;
use crate::doctor::{deployment::Deployment, finding::Found, sizes::rabbitmq_size};

/// RabbitMQ that is another node after each update.
pub(super) fn rabbitmq_hostname(deployment: &Deployment) -> Vec<Found> {
    each_service(deployment, |service| {
        if !service.runs("rabbitmq") || service.variable("RABBITMQ_NODENAME").is_some() {
            return None;
        }
        let hostname = service.text_at(&["hostname"]);
        let what = match hostname {
            None => "it has no hostname".to_owned(),
            Some(name) if [".Task.ID", ".Task.Name"].iter().any(|task| name.contains(task)) => {
                format!("its hostname is {name}, another one for each task")
            }
            Some(_) => return None,
        };
        Some(Found::error(
            service.place_at(&["hostname"]),
            what,
            "RabbitMQ keeps its data under its node's name: after an update it starts empty beside \
             them, with all orders in the queue gone.",
            "set hostname: rabbitmq",
        ))
    })
}

/// What the image took from its environment before RabbitMQ 3.9.
const REMOVED: [&str; 15] = [
    "RABBITMQ_DEFAULT_PASS_FILE",
    "RABBITMQ_DEFAULT_USER_FILE",
    "RABBITMQ_MANAGEMENT_SSL_CACERTFILE",
    "RABBITMQ_MANAGEMENT_SSL_CERTFILE",
    "RABBITMQ_MANAGEMENT_SSL_DEPTH",
    "RABBITMQ_MANAGEMENT_SSL_FAIL_IF_NO_PEER_CERT",
    "RABBITMQ_MANAGEMENT_SSL_KEYFILE",
    "RABBITMQ_MANAGEMENT_SSL_VERIFY",
    "RABBITMQ_SSL_CACERTFILE",
    "RABBITMQ_SSL_CERTFILE",
    "RABBITMQ_SSL_DEPTH",
    "RABBITMQ_SSL_FAIL_IF_NO_PEER_CERT",
    "RABBITMQ_SSL_KEYFILE",
    "RABBITMQ_SSL_VERIFY",
    "RABBITMQ_VM_MEMORY_HIGH_WATERMARK",
];

/// A variable with which RabbitMQ's image does not start.
pub(super) fn rabbitmq_variable(deployment: &Deployment) -> Vec<Found> {
    each_service(deployment, |service| {
        let variables = service.environment.iter().filter(|variable| {
            service.runs("rabbitmq")
                && REMOVED.contains(&variable.name.as_str())
                && !variable.value.is_empty()
        });
        let found = variables.map(|variable| {
            Found::error(
                variable.place.clone(),
                format!("the image has not known {} since RabbitMQ 3.9", variable.name),
                "The container ends at once: \"is set but deprecated\".",
                "write it into rabbitmq.conf, and users into definitions.json, as a secret",
            )
        });
        found.collect::<Vec<_>>()
    })
}

/// RabbitMQ that notices too late that its container is full.
pub(super) fn rabbitmq_memory(deployment: &Deployment) -> Vec<Found> {
    let Some(rabbitmq) = deployment.rabbitmq.as_ref().filter(|rabbitmq| rabbitmq.is_configured())
    else {
        return Vec::new();
    };
    let Some(service) = deployment.stack.service(&rabbitmq.service) else { return Vec::new() };
    let Some(limit) = service.memory_limit() else { return Vec::new() };
    let why = "It is killed before it makes publishers wait, and starts with its whole backlog, to \
               be killed again.";
    let mend = "set vm_memory_high_watermark.absolute to about 60 % of \
                deploy.resources.limits.memory";
    let found = match rabbitmq.placed("vm_memory_high_watermark.absolute") {
        Some((value, place)) => {
            let is_above = rabbitmq_size(value).is_some_and(|watermark| watermark >= limit);
            is_above.then(|| {
                let what = format!(
                    "vm_memory_high_watermark.absolute is {value}, and the container may have {} MiB",
                    limit >> 20
                );
                Found::error(place, what, why, mend)
            })
        }
        None if rabbitmq.placed("total_memory_available_override_value").is_some() => None,
        None => {
            let what = "its configuration has no vm_memory_high_watermark.absolute, and its \
                        container a limit";
            Some(Found::warning(service.place(service.line), what, why, mend))
        }
    };
    found.into_iter().collect()
}

/// What has queues of a cluster grow, and to how many members.
const GROWS: &str = "quorum_queue.continuous_membership_reconciliation.enabled";
const GROWS_TO: &str = "quorum_queue.continuous_membership_reconciliation.target_group_size";

/// Queues of a cluster that stay on the node that was alone when they were declared.
pub(super) fn lone_members(deployment: &Deployment) -> Vec<Found> {
    let Some(rabbitmq) = &deployment.rabbitmq else { return Vec::new() };
    let Some(service) = deployment.stack.service(&rabbitmq.service) else { return Vec::new() };
    let forms = rabbitmq.placed_under("cluster_formation.");
    let place = match forms {
        Some(place) => place,
        None if service.replicas() > 1 => service.place(service.line),
        None => return Vec::new(),
    };
    let grows = rabbitmq.placed(GROWS).is_some_and(|(value, _)| matches!(value, "true" | "on"));
    let size = rabbitmq.placed(GROWS_TO).and_then(|(value, _)| value.parse::<u32>().ok());
    let lacking = match (grows, size) {
        (false, _) => format!("no {GROWS} = true"),
        (true, None) => format!("no {GROWS_TO}"),
        (true, Some(size)) if size < 3 => format!("{GROWS_TO} = {size}"),
        (true, Some(_)) => return Vec::new(),
    };
    vec![Found::warning(
        place,
        format!("RabbitMQ is a cluster, and its configuration has {lacking}"),
        "A queue has members on the nodes that are there when it is declared. Definitions are loaded \
         by a node that is still alone: their queues stay on it, and nothing leaves or enters them \
         while it is down.",
        format!("set {GROWS} = true and {GROWS_TO} = 3"),
    )]
}

/// Keys of a policy that only a quorum queue knows.
const OF_QUORUM: [&str; 3] = ["delivery-limit", "dead-letter-strategy", "target-group-size"];

/// A policy that RabbitMQ does not follow.
pub(super) fn policy_disabled(deployment: &Deployment) -> Vec<Found> {
    let Some(rabbitmq) = &deployment.rabbitmq else { return Vec::new() };
    let is_quorum = rabbitmq.makes_quorum_queues();
    let found = rabbitmq.policies().filter_map(|policy| {
        if let Some(key) = policy.keys().find(|key| key.starts_with("ha-")) {
            return Some(Found::error(
                policy.place(),
                format!("the policy {} has {key}", policy.name()),
                "RabbitMQ 4 has no mirrored queues: it refuses the definitions, and does not start.",
                "leave it out: quorum queues are on several nodes by themselves",
            ));
        }
        let key = policy.keys().find(|key| OF_QUORUM.contains(key))?;
        policy.is_for_classic_queues(is_quorum).then(|| {
            Found::error(
                policy.place(),
                format!("the policy {} is for classic queues, and has {key}", policy.name()),
                "A key that a type of queue does not know switches the whole policy off, and \
                 nothing says so.",
                "make a policy for each type: apply-to: quorum_queues, and classic_queues",
            )
        })
    });
    found.collect()
}
