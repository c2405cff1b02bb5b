//! How much goes through this process each second, now and over the last hour and day.
//!
//! [`Counts`] are read from what the process counts anyway, [`RateHistory`] keeps them for a while, in memory.

mod counts;
mod history;

pub(crate) use counts::Counts;
pub(crate) use history::{Moment, RateHistory, Rates, Span};
