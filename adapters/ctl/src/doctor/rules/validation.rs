//! How long a validation may take, and who waits for it.

use std::time::Duration;

use crate::doctor::{
    deployment::Deployment,
    finding::{Found, Severity},
    rabbitmq::{CONSUMER_TIMEOUT, RabbitMq},
};

use woody_adapters::wiring::LONGEST_VALIDATION;

/// A validation that RabbitMQ, or the worker itself, does not wait for.
pub(super) fn validation_outlasts_consumer(deployment: &Deployment) -> Vec<Found> {
    let settings = &deployment.settings;
    let patience =
        deployment.rabbitmq.as_ref().map_or(CONSUMER_TIMEOUT, RabbitMq::consumer_timeout);
    let workers = deployment.stack.services.iter().filter(|service| service.is_worker());
    let findings = workers.filter_map(|service| {
        let validation = settings.time(service, "WOODY_VALIDATION_TIMEOUT");
        let (what, why, below): (_, _, Duration) = if validation > LONGEST_VALIDATION {
            (
                format!("WOODY_VALIDATION_TIMEOUT is {validation:?}, above {LONGEST_VALIDATION:?}"),
                "The worker does not start with it: RabbitMQ takes a message back from a \
                 consumer that has held it for half an hour.",
                LONGEST_VALIDATION,
            )
        } else if validation >= patience {
            (
                format!(
                    "WOODY_VALIDATION_TIMEOUT is {validation:?}, and RabbitMQ's consumer_timeout \
                     {patience:?}"
                ),
                "RabbitMQ takes the message back in the middle of its validation and gives it to \
                 the next worker, which does not finish it either.",
                patience,
            )
        } else {
            return None;
        };
        Some(Found {
            severity: Severity::Error,
            place: service.place_of("WOODY_VALIDATION_TIMEOUT"),
            what,
            why,
            mend: format!(
                "lower WOODY_VALIDATION_TIMEOUT well below {below:?}, or raise consumer_timeout"
            ),
        })
    });
    findings.collect()
}
