//! The binaries as processes: started, killed, drained, over real servers.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, unreachable_pub)]

mod all_in_one;
mod bad_starts;
mod deaths;
mod drain;
mod four_services;
mod given_up;
mod log_lines;
mod pairs;
mod pauses;
mod python;
mod resharding;
mod restarts;
mod settings;
#[cfg(feature = "otlp")]
mod traces;
mod waiting;
mod webhook;
