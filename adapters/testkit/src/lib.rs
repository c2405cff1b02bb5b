//! What the tests of the programs share: a small HTTP client that waits, programs
//! as processes, the real servers, a proxy in the place of the network, and books
//! of what clients were told.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::missing_panics_doc,
    clippy::missing_errors_doc,
    missing_debug_implementations,
    reason = "a test that cannot go on ends here"
)]

pub mod client;
pub mod ledger;
pub mod proxy;
pub mod servers;
pub mod service;
pub mod waiting;
