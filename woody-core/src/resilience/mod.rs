//! Breakers and growing pauses: how the shop behaves while something is away.

mod breaker;
mod delays;

pub use breaker::{BreakerConfig, BreakerState, CircuitBreaker, Permit};
pub use delays::RetryDelays;
pub(crate) use delays::pause_after;
