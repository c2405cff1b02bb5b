//! A service as a process: how it begins, how shutdown is requested, and how it ends
//! with nothing dropped.

mod closing;
mod described;
#[cfg(feature = "failpoints")]
mod failpoints;
mod healthcheck;
mod lifecycle;
mod listeners;
mod log_lines;
mod open_files;
mod telemetry;

pub use closing::Closing;
pub use lifecycle::{Process, ServiceArgs, run};
pub use listeners::{Admin, bind};
pub use open_files::allow_connections;
pub use telemetry::{Telemetry, start_logging, start_metrics};
