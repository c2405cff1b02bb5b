//! Static checks of a deployment: the stack file, the gateway's configuration,
//! RabbitMQ's and the settings of the services, seen together.
//!
//! Each of them can be right by itself and wrong beside the others. A limit per
//! client is a good thing and so is the routing mesh; with both, all clients are
//! one. The doctor reads files and nothing else: no engine, no network.

mod deployment;
mod finding;
mod gateway;
mod images;
mod interpolate;
mod nginx;
mod rabbitmq;
mod routes;
mod service;
mod settings;
mod stack_file;
mod tree;
mod variables;

pub use deployment::{Sources, Unreadable};
pub use finding::{Finding, Place, Severity};
