#![doc = include_str!("../README.md")]

mod capacity;
mod commands;
pub mod doctor;

pub use commands::{Ctl, CtlError, Output};
