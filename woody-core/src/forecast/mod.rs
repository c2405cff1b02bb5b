//! When an order will be ready: how long the queue in front of it takes, and what past orders
//! say about such a wait.
//!
//! [`Forecaster`] is the whole of it: it knows no clock and no server, is told what happened
//! and when, and foretells.
//!
//! What is foretold is two times. The first, `p50`, is as likely too late as too early; by the
//! second, `p90`, nine of ten orders are ready. How late past orders were decides how far the
//! times are from the wait that the queue explains, and each time is kept honest by counting
//! how often it was kept.

mod arrivals;
mod counts;
mod drain;
mod expectation;
mod forecaster;
mod history;
mod regime;

pub use expectation::{Expectation, Within};
pub use forecaster::{Forecaster, QueueSample};
