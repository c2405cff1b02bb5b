//! What a shop of a given size does, and how large one must be.
//!
//! [`costs`] has what was measured, [`pipeline`] simulates the order's way with it, [`predict`]
//! says what a deployment does, [`size`] searches for the least that holds a load, [`limits`]
//! knows where a shop ends.

mod cores;
mod costs;
mod deployment;
mod limits;
mod pipeline;
mod predict;
mod random;
mod seen;
mod size;
#[cfg(test)]
mod tests;

#[cfg(test)]
use self::deployment::Deployment;
pub(crate) use self::{
    costs::Costs,
    deployment::{Load, Process, Validation},
    limits::{CONNECTIONS, OF_ORDER_SERVICE, OF_WORKER, OTHER_CONNECTIONS},
    random::Spread,
    size::{Advice, Ask, Shortfall, size},
};
