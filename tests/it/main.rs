//! What no compiler sees: the scripts of `stack/`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod mirrors;
