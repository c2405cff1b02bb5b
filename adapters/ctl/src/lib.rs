#![doc = include_str!("../README.md")]

mod commands;
pub mod doctor;

pub use commands::{Ctl, CtlError, Output};
