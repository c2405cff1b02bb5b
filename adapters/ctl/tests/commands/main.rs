//! The command over a shop's files, and over a shop that runs.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod acts;
mod archive;
mod files;
mod keys;
mod load;
mod notices;
mod operator;
mod people;
mod retry;
mod size;
mod status;
mod story;
mod terminal;
mod workshop;
