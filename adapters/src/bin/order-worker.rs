//! Validates the orders of the queue.

use std::{process::ExitCode, sync::Arc};

use clap::Parser;
use tokio_util::task::TaskTracker;
use woody_adapters::{
    config::{AdminArgs, BrokerArgs, ConfigError, HeavyArgs, ProcessArgs, StoreArgs, WorkerArgs},
    http::Readiness,
    migration::Migration,
    process::{Admin, Process, ServiceArgs, run},
    wiring::{self, Files},
};
use woody_core::services::OrderWorker;

/// WoodyToys' worker: takes orders off the queue, validates them, saves how they
/// end, and only then acknowledges them. Run as many as there is work for.
#[derive(Debug, Parser)]
#[command(name = "order-worker", version)]
struct Args {
    #[command(flatten)]
    admin: AdminArgs,
    #[command(flatten)]
    store: StoreArgs,
    #[command(flatten)]
    broker: BrokerArgs,
    #[command(flatten)]
    worker: WorkerArgs,
    #[command(flatten)]
    heavy: HeavyArgs,
    #[command(flatten)]
    process: ProcessArgs,
}

impl ServiceArgs for Args {
    fn process(&self) -> &ProcessArgs {
        &self.process
    }

    fn admin(&self) -> &AdminArgs {
        &self.admin
    }
}

fn main() -> ExitCode {
    run(|flags| flags, order_worker)
}

async fn order_worker(args: Args, process: Process) -> Result<bool, ConfigError> {
    wiring::refuse_memory("WOODY_STORE_URL", &args.store.url()?)?;
    wiring::refuse_memory("WOODY_BROKER_URL", &args.broker.url()?)?;
    wiring::check_validation_timeout(&args.worker, &args.process)?;
    let store = wiring::open_store(&args.store, Files::Create).await?;
    let broker = wiring::open_broker(&args.broker, Files::Create).await?;
    let pool = wiring::heavy_pool(&args.heavy);
    let validator = wiring::validator(&args.worker, store.products(), pool.clone())?;
    let migration = Migration::of(&store);
    let consuming = Arc::default();
    let tasks = TaskTracker::new();
    let worker = Arc::new(OrderWorker::start(
        store.orders(),
        validator,
        broker.events(),
        args.worker.settings(),
        &tasks,
    ));
    let readiness = Readiness::new(process.draining())
        .require("store", wiring::store_check(&store))
        .require("schema", migration.check())
        .require("queue", wiring::late_consumer_check(&consuming))
        .require("validation", wiring::waits_check(worker.waits(), true))
        .report("validator", wiring::waits_check(worker.waits(), false));
    let admin = Admin::start(&args.admin, readiness, &process).await?;

    tracing::info!(
        queue = args.broker.queue,
        prefetch = args.worker.prefetch,
        "order-worker waits for orders"
    );
    // Without its schema the store could save nothing that is validated, and what
    // a consumer holds no other worker gets.
    if migration.run(&process.stopping()).await {
        let consumer = wiring::consumer(&args.worker, &broker).await?;
        let _ = consuming.set(consumer.state());
        tasks.spawn(worker.run(consumer, process.stopping()));
    } else {
        // Its tasks end with it.
        drop(worker);
    }
    process.stopping().cancelled().await;
    tasks.close();
    let finished = tokio::time::timeout(process.grace_left(), tasks.wait()).await.is_ok();
    pool.shutdown().await;
    broker.close().await;
    store.close().await;
    admin.stop().await;
    Ok(process.ended(finished))
}
