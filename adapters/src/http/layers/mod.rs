//! What stands around every route, as tower layers: limits of clients, requests, bodies and time.

mod arrival;
mod budget;
mod concurrency;
mod deadline;
mod limits;
mod share;

pub(in crate::http) use arrival::Arrival;
pub use arrival::BodyLimits;
pub use budget::{AnswerBudget, BodyBudget};
pub use concurrency::ConcurrencyLimit;
pub use deadline::Deadline;
pub use limits::{Rate, RateLimit};
pub use share::ClientShare;
pub(in crate::http) use share::Held;
