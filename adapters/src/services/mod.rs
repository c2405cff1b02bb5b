//! The services of orders of any type, from their flags to their end: a program of an embedder's own is a `main`
//! that calls [`run`](crate::process::run) with one of them, as the shop's own programs are.

mod order_service;
mod order_worker;

pub use order_service::{OrderServiceArgs, order_service};
pub use order_worker::{OrderWorkerArgs, OwnValidation, order_worker};
