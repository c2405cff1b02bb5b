//! What every plan must keep, whatever is to be cut.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod answers;
mod free;
mod plans;
mod problems;
mod quantities;
mod sawing;
