//! Connections, and the boundary of each service that is served on them.

mod metrics;
mod serve;
mod stack;
mod wire;

pub use serve::{Drain, Drained, ServerLimits, serve};
pub use stack::{Routes, Site, StackSettings, stack};
