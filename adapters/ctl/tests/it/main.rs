//! The doctor, on broken copies of our own deployment.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod doctor;
