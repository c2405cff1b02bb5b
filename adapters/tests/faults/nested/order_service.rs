//! An order-service of nested orders, for the fault suite.

mod gift;

use std::process::ExitCode;

use gift::Gift;
use woody_adapters::{http::OrderRoutes, process::run, services::order_service};
use woody_core::services::Pipeline;

fn main() -> ExitCode {
    run(
        "nested-order-service",
        |flags| flags,
        |args, process| {
            order_service(args, process, |pipeline: &Pipeline<Gift>, streams| {
                OrderRoutes::new(pipeline.intake(), pipeline.tracker(), streams)
            })
        },
    )
}
