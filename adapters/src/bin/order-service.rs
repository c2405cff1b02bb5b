//! Accepts orders and shows them.

use std::process::ExitCode;

use woody_adapters::{
    http::{StreamSettings, ToyOrderRoutes},
    process::run,
    services::order_service,
};
use woody_core::services::Pipeline;

fn main() -> ExitCode {
    run("order-service", |flags| flags, |args, process| order_service(args, process, routes))
}

fn routes(pipeline: &Pipeline, streams: StreamSettings) -> ToyOrderRoutes {
    ToyOrderRoutes::new(pipeline.intake(), pipeline.tracker(), streams)
}
