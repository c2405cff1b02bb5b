//! Every backend against the contract of the broker, and what is its own besides.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::unused_async,
    clippy::print_stdout,
    reason = "these are tests, and `fresh` is async for every backend"
)]

#[cfg(feature = "memory")]
mod memory;
#[cfg(feature = "rabbitmq")]
mod rabbitmq;
#[cfg(feature = "sqlite")]
mod sqlite;
