//! Breakers, growing pauses, servers in turn, files that are replaced: how the services behave while a
//! dependency is unavailable.

mod breaker;
mod comeback;
mod delays;
mod journaled_file;
mod opened_file;
mod turns;

pub use breaker::{BreakerConfig, BreakerState, CircuitBreaker, Permit};
pub use comeback::{Back, Comeback, Lost};
pub use delays::RetryDelays;
pub(crate) use delays::pause_after;
pub use journaled_file::JournaledFile;
pub use opened_file::{Displaced, OpenedFile};
pub use turns::Turns;
