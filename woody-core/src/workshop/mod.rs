//! The workshop: plans how toys are cut from wooden sheets.
//!
//! A [`CuttingList`] says which rectangles a toy is made of, a [`Workshop`]
//! says which sheets there are, and [`Workshop::plan`] lays the one out on the
//! other. Planning is pure, takes milliseconds to a fraction of a second, and
//! belongs on a [`HeavyPool`].

mod blocks;
mod config;
mod cutting_list;
mod glyphs;
mod packing;
mod plan;
mod planner;
mod pool;
mod svg;

pub use config::{Effort, Sheet, Workshop};
pub use cutting_list::{CutPart, CuttingList};
pub use plan::{CannotMake, Figures, Layout, Placement, Plan};
pub use pool::{HeavyError, HeavyPool, HeavyPoolConfig};

#[cfg(test)]
mod tests;
