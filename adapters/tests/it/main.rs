//! The HTTP layer through real connections, over the memory backends; the doctor
//! on broken copies of our own deployment.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod doctor;
mod http;
mod http_validator;
