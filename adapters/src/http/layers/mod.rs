//! What stands around every route, as tower layers: limits of clients, requests, bodies and time.

mod arrival;
mod budget;
mod concurrency;
mod policy;
mod rate;
mod rate_limit;
mod share;
mod timeout;

pub use arrival::BodyLimits;
pub(in crate::http) use arrival::{Arrival, EarlyBody};
pub(in crate::http) use budget::BodyInFlight;
pub use budget::{AnswerBudget, BodyBudget};
pub use concurrency::ConcurrencyLimit;
pub use rate::Rate;
pub use rate_limit::{RateLimit, RateStatus};
pub use share::ClientShare;
pub(in crate::http) use share::Held;
pub use timeout::ResponseTimeout;
