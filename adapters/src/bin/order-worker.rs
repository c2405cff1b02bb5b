//! Validates the orders of the queue.

use std::{process::ExitCode, sync::Arc};

use tokio_util::task::TaskTracker;
use woody_adapters::{
    config::{BrokerArgs, ConfigError, HeavyArgs, StoreArgs, WorkerArgs},
    http::Readiness,
    migration::Migration,
    process::{Admin, Closing, Process, run},
    wiring::{self, Files},
};
use woody_core::services::OrderWorker;

/// WoodyToys' worker: takes orders off the queue, validates them, saves how they
/// end, and only then acknowledges them. Run as many as there is work for.
#[derive(Debug, clap::Args)]
struct Args {
    #[command(flatten)]
    store: StoreArgs,
    #[command(flatten)]
    broker: BrokerArgs,
    #[command(flatten)]
    worker: WorkerArgs,
    #[command(flatten)]
    heavy: HeavyArgs,
}

fn main() -> ExitCode {
    run("order-worker", |flags| flags, order_worker)
}

async fn order_worker(args: Args, process: Process) -> Result<bool, ConfigError> {
    wiring::refuse_memory("WOODY_STORE_URL", &args.store.url()?)?;
    wiring::refuse_memory("WOODY_BROKER_URL", &args.broker.url()?)?;
    wiring::check_validation_timeout(&args.worker, &process)?;
    let workshop = Arc::new(args.heavy.workshop.open()?);
    let store = wiring::open_store(&args.store, Files::Create).await?;
    let broker = wiring::open_broker(&args.broker, Files::Create).await?;
    let pool = wiring::heavy_pool(&args.heavy);
    let validator = wiring::validator(&args.worker, store.products(), workshop, pool.clone())?;
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
    let admin = Admin::start(readiness, &process).await?;

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
    let closing = Closing::of(admin)
        .orders(|grace| async move { tokio::time::timeout(grace, tasks.wait()).await.is_ok() })
        .heavy_work(pool)
        .broker(broker)
        .store(store);
    Ok(closing.end(&process, true).await)
}
