//! Validates the orders of the queue.

use std::{process::ExitCode, sync::Arc};

use clap::Command;
use woody_adapters::{
    config::{ConfigError, HeavyArgs},
    process::{Process, run},
    services::{self, OrderWorkerArgs, OwnValidation},
    wiring,
};

/// WoodyToys' worker: takes orders off the queue, validates them, saves how they
/// end, and only then acknowledges them. Run as many as there is work for.
#[derive(Debug, clap::Args)]
struct Args {
    #[command(flatten)]
    worker: OrderWorkerArgs,
    #[command(flatten)]
    heavy: HeavyArgs,
}

fn main() -> ExitCode {
    run("order-worker", one_thread, order_worker)
}

/// What it awaits is little for one thread, and more would spend more on waking each other.
fn one_thread(flags: Command) -> Command {
    flags.mut_arg("threads", |threads| threads.default_value("1"))
}

async fn order_worker(args: Args, process: Process) -> Result<bool, ConfigError> {
    let workshop = Arc::new(args.heavy.workshop.open()?);
    let pool = wiring::heavy_pool(&args.heavy);
    services::order_worker(args.worker, process, |worker, store| {
        let (name, validator) =
            wiring::toy_validator(worker, store.products(), workshop, pool.clone());
        Ok(OwnValidation::new(name, validator).with_pool(pool))
    })
    .await
}
