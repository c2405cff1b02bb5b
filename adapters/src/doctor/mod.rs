//! Static checks of a deployment: the stack file, the gateway's configuration,
//! RabbitMQ's and the settings of the services, seen together.
//!
//! Each of them can be right by itself and wrong beside the others. A limit per
//! client is a good thing and so is the routing mesh; with both, all clients are
//! one. The doctor reads files and nothing else: no engine, no network.
//!
//! | rule | finds |
//! | --- | --- |
//! | `limit-behind-mesh` | limits per client where the mesh hides who asks |
//! | `trusted-forwarded-for` | addresses taken from a header that clients write |
//! | `upstream-resolver` | replicas that the gateway never finds again |
//! | `consistent-hash-one-name` | a hash that does not reach the replica it means |
//! | `replayed-get` | a GET that changes state, asked twice |
//! | `drain-too-short` | services that are gone before the gateway knows |
//! | `grace-too-short` | processes that are killed in the middle of their work |
//! | `not-restarted` | processes that end well and are not started again |
//! | `start-first-volume` | two writers on one volume during an update |
//! | `healthcheck-start` | replicas that count as well too early, or never |
//! | `validation-outlasts-consumer` | validations that RabbitMQ does not wait for |
//! | `quorum-dead-letter` | orders that the queue drops |
//! | `guest-management` | RabbitMQ open to the user everybody knows |
//! | `plain-secret` | passwords that `docker service inspect` shows |
//! | `unpinned-image` | images that change by themselves |
//! | `no-limits` | containers that may take the whole node |
//! | `privileged-container` | containers that may do more than they need |
//! | `depends-on-ignored`, `ignored-key` | what `docker stack deploy` leaves out |
//! | `unknown-setting`, `bad-setting` | settings that no program reads, or takes |
//! | `unseen-gateway` | a gateway whose configuration was not found |

mod deployment;
mod finding;
mod gateway;
mod images;
mod interpolate;
mod nginx;
mod rabbitmq;
mod report;
mod routes;
mod rules;
mod service;
mod settings;
mod stack_file;
mod tree;
mod variables;

pub use deployment::{Sources, Unreadable};
pub use finding::{Finding, Place, Severity};
pub use report::Report;

use deployment::Deployment;

/// Reads a deployment's files and says what is wrong with them.
///
/// # Errors
/// [`Unreadable`] when a file cannot be read or is not what it should be.
pub fn examine(sources: &Sources) -> Result<Report, Unreadable> {
    let deployment = Deployment::read(sources)?;
    Ok(Report::new(&deployment, rules::findings(&deployment)))
}
