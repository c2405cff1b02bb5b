//! Accepts orders and shows them.

use std::process::ExitCode;

use woody_adapters::{
    config::{BrokerArgs, ConfigError, HttpArgs, ListenArgs, RelayArgs, StoreArgs},
    http::{RateLimit, Readiness, ServerLimits, StreamSettings, ToyOrderRoutes, serve, service},
    migration::Migration,
    process::{Admin, Closing, Process, bind, run},
    wiring::{self, Files},
};
use woody_core::services::Pipeline;

/// WoodyToys' intake of orders: accepted at once, kept for good, validated by
/// an order-worker.
#[derive(Debug, clap::Args)]
struct Args {
    #[command(flatten)]
    listen: ListenArgs,
    #[command(flatten)]
    store: StoreArgs,
    #[command(flatten)]
    broker: BrokerArgs,
    #[command(flatten)]
    relay: RelayArgs,
    #[command(flatten)]
    http: HttpArgs,
}

fn main() -> ExitCode {
    run("order-service", |flags| flags, order_service)
}

async fn order_service(args: Args, process: Process) -> Result<bool, ConfigError> {
    wiring::refuse_memory("WOODY_STORE_URL", &args.store.url()?)?;
    wiring::refuse_memory("WOODY_BROKER_URL", &args.broker.url()?)?;
    let store = wiring::open_store(&args.store, Files::Create).await?;
    let broker = wiring::open_broker(&args.broker, Files::Create).await?;
    let listener = bind("WOODY_LISTEN", args.listen.listen).await?;
    let migration = Migration::of(&store);
    // Either is enough to accept an order.
    let readiness = Readiness::new(process.draining())
        .require("store or broker", wiring::either_check(&store, &broker))
        .report("store", wiring::store_check(&store))
        .report("schema", migration.check())
        .report("broker", wiring::broker_check(&broker));
    let admin = Admin::start(readiness, &process).await?;
    let migrating = migration.run_in_background(&process);
    let pipeline = Pipeline::builder(store.orders(), broker.clone())
        .intake_settings(args.relay.intake_settings())
        .relay_settings(args.relay.relay_settings())
        .stopping(process.stopping())
        .start()
        .await
        .map_err(|error| ConfigError::because("WOODY_BROKER_URL", &error))?;
    tracing::info!(listen = %args.listen.listen, "order-service serves");

    let streams = StreamSettings::until(process.stopping());
    let orders = ToyOrderRoutes::new(pipeline.intake(), pipeline.tracker(), streams);
    let service = service(orders, RateLimit::off(), &args.http.settings());
    let drained = serve(listener, service, ServerLimits::default(), process.drain()).await;
    let closing = Closing::of(admin)
        .orders(|grace| pipeline.stop_within(grace))
        .migration(migrating)
        .broker(broker)
        .store(store);
    Ok(closing.end(&process, drained.is_clean()).await)
}
