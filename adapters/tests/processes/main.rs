//! The binaries as processes: started, killed, drained, over real servers.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, unreachable_pub)]

mod all_in_one;
mod bad_starts;
mod client;
mod deaths;
mod drain;
mod four_services;
mod given_up;
mod load;
mod operator;
mod python;
mod restarts;
#[allow(dead_code, reason = "shared with another binary, which uses the rest")]
mod servers;
#[allow(dead_code, reason = "shared with another binary, which uses the rest")]
mod service;
mod settings;
mod waiting;
