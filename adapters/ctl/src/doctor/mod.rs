//! Static checks of a deployment: the stack file, the gateway's configuration,
//! RabbitMQ's and the settings of the services, seen together.
//!
//! Each of them can be right by itself and wrong beside the others. A limit per
//! client is a good thing and so is the routing mesh; with both, all clients are
//! one. The doctor reads files and nothing else: no engine, no network.
//!
//! [`rules`] lists what is looked for; docs/doctor.md shows a broken stack for each.

mod deployment;
mod files;
mod finding;
mod gateway;
mod images;
mod interpolate;
mod lines;
mod merge;
mod nginx;
mod parts;
mod postgres;
mod rabbitmq;
mod report;
mod routes;
mod rules;
mod schema;
mod service;
mod settings;
mod sizes;
mod stack_file;
mod tree;
mod variables;

pub use deployment::Sources;
pub use files::Unreadable;
pub use finding::{Finding, Place, Severity};
pub use report::Report;
pub use rules::Rule;

use deployment::Deployment;

/// Every rule that [`examine`] follows.
pub fn rules() -> &'static [Rule] {
    rules::all()
}

/// Reads a deployment's files and says what is wrong with them.
///
/// # Errors
/// [`Unreadable`] when a file cannot be read or is not what it should be.
pub fn examine(sources: &Sources) -> Result<Report, Unreadable> {
    let deployment = Deployment::read(sources)?;
    Ok(Report::new(&deployment, rules::findings(&deployment)))
}
