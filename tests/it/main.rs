//! What no compiler sees: the documents, the scripts, and who imports whom.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod alerts;
mod arrows;
mod dashboard;
mod docs;
mod first_run;
mod gateway;
mod mirrors;
mod packages;
mod repository;
mod restore;
mod rooms;
mod stack_file;
mod threads;
mod versions;
mod wal;
mod walk;
