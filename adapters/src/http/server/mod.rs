//! Connections, and the boundary of each service that is served on them.

mod metrics;
mod serve;
mod service;
mod wire;

pub use serve::{Drain, Drained, ServerLimits, serve};
pub use service::{HttpService, Routes, ServiceSettings, service};
