//! A service as a process: how it begins, how it is told to end, and how it ends
//! with nothing dropped.

mod healthcheck;
mod lifecycle;
mod telemetry;

pub use healthcheck::healthcheck;
pub use lifecycle::{Process, run};
pub use telemetry::{Telemetry, start_logging, start_metrics};
