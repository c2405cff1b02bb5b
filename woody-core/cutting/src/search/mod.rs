//! The search: goal-driven ruin and recreate on cut trees.

pub(crate) mod drive;
pub(crate) mod model;
pub(crate) mod panel;
pub(crate) mod recreate;
pub(crate) mod rng;
mod ruin;
pub(crate) mod state;
