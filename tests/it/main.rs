//! What no compiler sees: the documents, and the scripts.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod arrows;
mod docs;
mod mirrors;
mod repository;
mod stack_file;
