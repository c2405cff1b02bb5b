#![doc = include_str!("../README.md")]

pub mod config;
pub mod http;
pub mod http_validator;
pub mod migration;
pub mod process;
pub mod terminal;
pub mod wiring;
