//! RabbitMQ's faults, inflicted on a real one: they need a server of their own,
//! `WOODY_TEST_AMQP_URL`, and the command that rules it, `WOODY_TEST_RABBITMQ_CTL`. Those of a
//! cluster start one of three nodes in `WOODY_TEST_SERVICES_DIR`.
//!
//! A binary apart from the contract's, since cargo runs one after the other; in
//! here one test runs at a time.
#![cfg(feature = "rabbitmq")]
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "tests fail by panicking, their helpers too"
)]

mod cluster;
mod leaderless;
mod rabbitmq;
mod server;
