//! The workshop: plans how toys are cut from wooden sheets.
//!
//! A [`CuttingList`] says which rectangles a toy is made of, a [`Workshop`]
//! says which sheets there are, and [`Workshop::plan`] lays the one out on the
//! other, so that a saw can cut it, or a router on request. Planning is pure, takes milliseconds to a fraction of a
//! second, and belongs on a [`HeavyPool`]. The search is `woody_cutting`'s.

mod blocks;
mod config;
mod cuts;
mod cutting_list;
mod dxf;
mod glyphs;
mod lists;
mod plan;
mod planner;
mod pool;
mod svg;
mod together;
mod wanted;

pub use config::{Sheet, Workshop};
pub use cuts::Cut;
pub use cutting_list::{CutPart, CuttingList};
pub use plan::{CannotMake, Figures, Layout, Placement, Plan};
pub use pool::{HeavyError, HeavyPool, HeavyPoolConfig};
pub use together::{OrderShare, SharedPlan, ToCut};
pub use wanted::Wanted;
pub use woody_cutting::{Direction, Effort, Rect, Saw, Stages};

#[cfg(test)]
mod tests;
#[cfg(test)]
pub(crate) mod windmill;
