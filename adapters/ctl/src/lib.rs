#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod capacity;
mod commands;
pub mod doctor;
mod meant;

pub use commands::{Ctl, CtlError, Output, Screen};
