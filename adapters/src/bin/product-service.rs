//! The catalogue.

use std::process::ExitCode;

use woody_adapters::{
    config::{ConfigError, HttpArgs, ListenArgs, StoreArgs},
    http::{ProductRoutes, RateLimit, Readiness, ServerLimits, serve, service},
    migration::Migration,
    process::{Admin, Closing, Process, bind, run},
    wiring::{self, Files},
};
use woody_core::services::Catalogue;

/// WoodyToys' catalogue of products.
#[derive(Debug, clap::Args)]
struct Args {
    #[command(flatten)]
    listen: ListenArgs,
    #[command(flatten)]
    store: StoreArgs,
    #[command(flatten)]
    http: HttpArgs,
}

fn main() -> ExitCode {
    run("product-service", |flags| flags, product_service)
}

async fn product_service(args: Args, process: Process) -> Result<bool, ConfigError> {
    let settings = args.http.settings(process.hosts(), process.sampling())?;
    wiring::refuse_memory("WOODY_STORE_URL", &args.store.url()?)?;
    let store = wiring::open_store(&args.store, Files::Create).await?;
    let listener = bind("WOODY_LISTEN", args.listen.listen).await?;
    let migration = Migration::of(&store);
    let limits = ServerLimits::default();
    let readiness = Readiness::new(process.draining())
        .pool("connections", wiring::connections(&limits))
        .pool("requests", wiring::requests(&settings))
        .pool("store", wiring::store_connections(&store))
        .require("store", wiring::store_check(&store))
        .require("schema", migration.check());
    let admin = Admin::start(readiness, &process).await?;
    let migrating = migration.run_in_background(&process);
    tracing::info!(listen = %args.listen.listen, "product-service serves");

    let products = ProductRoutes::new(Catalogue::new(store.products()).into());
    let service = service(products, RateLimit::off(), &settings);
    let drained = serve(listener, service, limits, process.drain()).await;
    let closing = Closing::of(admin).migration(migrating).store(store);
    Ok(closing.end(&process, drained.is_clean()).await)
}
