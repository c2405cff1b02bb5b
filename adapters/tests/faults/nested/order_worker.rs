//! An order-worker of nested orders, for the fault suite.

mod gift;

use std::{process::ExitCode, sync::Arc};

use gift::Gift;
use woody_adapters::{
    process::run,
    services::{OwnValidation, order_worker},
};
use woody_core::validation::AcceptAll;

fn main() -> ExitCode {
    run(
        "nested-order-worker",
        |flags| flags,
        |args, process| {
            order_worker::<Gift>(args, process, |_, _| {
                Ok(OwnValidation::new("none", Arc::new(AcceptAll)))
            })
        },
    )
}
