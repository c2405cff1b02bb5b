use std::sync::Arc;

use woody_core::{
    domain::OrderDetails,
    services::{OrderStories, Pipeline},
};

use crate::{
    config::{
        BrokerArgs, ConfigError, HttpArgs, IntakeArgs, ListenArgs, RelayArgs, StoreArgs, StreamArgs,
    },
    http::{RateLimit, Readiness, Routes, ServerLimits, StreamSettings, serve, service},
    migration::Migration,
    process::{Admin, Closing, Process, allow_connections, bind},
    wiring::{self, Files},
};

/// WoodyToys' intake of orders: accepted at once, kept for good, validated by
/// an order-worker.
#[derive(Debug, clap::Args)]
pub struct OrderServiceArgs {
    #[command(flatten)]
    listen: ListenArgs,
    #[command(flatten)]
    store: StoreArgs,
    #[command(flatten)]
    broker: BrokerArgs,
    #[command(flatten)]
    relay: RelayArgs,
    #[command(flatten)]
    intake: IntakeArgs,
    #[command(flatten)]
    http: HttpArgs,
    #[command(flatten)]
    streams: StreamArgs,
}

/// Serves `routes` over a pipeline of orders that ask for a `D`, until the process is stopped. Returns whether all
/// was finished within the grace.
///
/// ```no_run
/// use std::process::ExitCode;
/// use woody_adapters::{http::OrderRoutes, process::run, services::order_service};
/// use woody_core::{domain::Details, services::Pipeline};
///
/// // Details of any type; a program of your own names its type here.
/// fn main() -> ExitCode {
///     run("order-service", |flags| flags, |args, process| {
///         order_service(args, process, |pipeline: &Pipeline<Details>, streams| {
///             OrderRoutes::new(pipeline.intake(), pipeline.tracker(), streams)
///         })
///     })
/// }
/// ```
///
/// # Errors
/// [`ConfigError`] when the flags cannot work.
pub async fn order_service<D: OrderDetails, R: Routes>(
    args: OrderServiceArgs,
    process: Process,
    routes: impl FnOnce(&Pipeline<D>, StreamSettings) -> R,
) -> Result<bool, ConfigError> {
    let settings = args.http.settings(process.hosts(), process.sampling())?;
    wiring::refuse_memory("WOODY_STORE_URL", &args.store.url()?)?;
    wiring::refuse_memory("WOODY_BROKER_URL", &args.broker.url()?)?;
    let store = wiring::open_store(&args.store, Files::Create).await?;
    let broker = wiring::open_broker(&args.broker, Files::Create).await?;
    let listener = bind("WOODY_LISTEN", args.listen.listen).await?;
    let migration = Migration::of(&store);
    let limits = args.streams.beside(ServerLimits::default());
    let forecasts = Arc::default();
    // Either is enough to accept an order.
    let readiness = Readiness::new(process.draining())
        .require("store or broker", wiring::either_check(&store, &broker))
        .report("store", wiring::store_check(&store))
        .report("schema", migration.check())
        .report("broker", wiring::broker_check(&broker))
        .listing(store.orders())
        .telling(OrderStories::of(&*store))
        .pool("connections", wiring::connections(&limits))
        .pool("requests", wiring::requests(&settings))
        .pool("store", wiring::store_connections(&store))
        .foretelling(wiring::late_until_empty(&forecasts))
        .of_shop(wiring::status_board(&args.store, &args.broker, &store, &broker)?);
    let admin = Admin::start(readiness, &process).await?;
    let migrating = migration.run_in_background(&process);
    let pipeline = Pipeline::builder(store.orders(), broker.clone())
        .intake_settings(args.intake.settings(&args.relay))
        .relay_settings(args.relay.relay_settings())
        .stopping(process.stopping())
        .start()
        .await
        .map_err(|error| ConfigError::because("WOODY_BROKER_URL", &error))?;
    let _ = forecasts.set(pipeline.tracker().forecasts());
    tracing::info!(listen = %args.listen.listen, "order-service serves");

    let streams = args.streams.settings(process.stopping());
    allow_connections(&limits);
    let service = service(routes(&pipeline, streams), RateLimit::off(), &settings);
    let drained = serve(listener, service, limits, process.drain()).await;
    let closing = Closing::of(admin)
        .orders(|grace| pipeline.stop_within(grace))
        .migration(migrating)
        .broker(broker)
        .store(store);
    Ok(closing.end(&process, drained.is_clean()).await)
}
