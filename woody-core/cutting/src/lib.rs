#![doc = include_str!("../README.md")]
#![cfg_attr(feature = "document-features", doc = "# Features")]
#![cfg_attr(feature = "document-features", doc = document_features::document_features!())]
#![cfg_attr(docsrs, feature(doc_cfg))]
#![forbid(unsafe_code)]

mod batches;
mod bound;
pub mod check;
mod effort;
mod error;
mod free;
mod gather;
mod geometry;
mod items;
mod limits;
mod objective;
mod patterns;
mod plan;
mod planner;
mod problem;
mod realize;
mod search;
mod sequence;

pub use effort::Effort;
pub use error::{ProblemError, Unplanned};
pub use geometry::{Axis, Rect};
pub use plan::{FreeForm, Node, Placement, Plan, Sheet, Strips};
pub use problem::{Part, Problem, Saw, Stages, Stock};
pub use sequence::{Cut, Direction};
