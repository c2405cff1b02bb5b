//! Connections, and the boundary of each service that is served on them.

mod access;
mod first_request;
mod for_client;
mod memory;
mod metrics;
mod mount;
mod open;
mod serve;
mod service;
mod strangers;
mod streamed;
mod takeover;
mod wire;

pub use access::AccessControl;
pub(in crate::http) use access::key_missing;
pub use for_client::ForClient;
pub use mount::mount;
pub use open::OpenConnections;
pub use serve::{Drain, Drained, ServerLimits, serve};
pub use service::{HttpService, Routes, ServiceSettings, service};
