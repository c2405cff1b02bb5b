//! The services over the memory backends, with dependencies that fail on command.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, unreachable_pub)]

mod any_order;
mod batch;
mod calibration;
mod cancel;
mod catalogue;
mod deaths;
mod faulty;
mod forecasts;
mod intake;
mod notices;
mod outage;
mod pairs;
mod pauses;
mod promises;
mod relay;
mod retry;
mod shop;
mod story;
#[cfg(feature = "workshop")]
mod text;
mod trace;
mod tracker;
mod waits;
mod worker;
