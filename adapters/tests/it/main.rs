//! The HTTP layer through real connections, over the memory backends.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod http;
mod http_validator;
mod messages;
mod schemas;
mod status;
mod webhook;
