//! The time, and heavy plans from a cache.

use std::{process::ExitCode, sync::Arc};

use woody_adapters::{
    config::{ConfigError, HeavyArgs, HeavyCacheArgs, HttpArgs, ListenArgs, StoreArgs},
    http::{MiscRoutes, RateLimit, Readiness, ServerLimits, serve, service},
    process::{Admin, Closing, Process, bind, run},
    wiring::{self, Files},
};

/// WoodyToys' service for the time and for heavy plans.
///
/// With a store it plans the parts of the catalogue's products; without one,
/// every toy is its name in cut-out letters.
#[derive(Debug, clap::Args)]
struct Args {
    #[command(flatten)]
    listen: ListenArgs,
    #[command(flatten)]
    store: StoreArgs,
    #[command(flatten)]
    heavy: HeavyArgs,
    #[command(flatten)]
    cache: HeavyCacheArgs,
    #[command(flatten)]
    http: HttpArgs,
    /// Say whether the workshop's file can be used, and end.
    #[arg(long)]
    check_workshop: bool,
}

fn main() -> ExitCode {
    run("misc-service", |flags| flags, misc_service)
}

async fn misc_service(args: Args, process: Process) -> Result<bool, ConfigError> {
    let workshop = Arc::new(args.heavy.workshop.open()?);
    if args.check_workshop {
        return Ok(true);
    }
    let store = if args.store.is_given() {
        Some(wiring::open_store(&args.store, Files::Create).await?)
    } else {
        None
    };
    let settings = args.http.settings(process.hosts(), process.sampling())?;
    let listener = bind("WOODY_LISTEN", args.listen.listen).await?;
    let pool = wiring::heavy_pool(&args.heavy);
    let products = store.as_ref().map(|store| store.products());
    let misc =
        MiscRoutes::new(wiring::heavy_computation(&args.cache, workshop, pool.clone(), products));
    let limits = ServerLimits::default();
    let readiness = Readiness::new(process.draining())
        .pool("connections", wiring::connections(&limits))
        .pool("requests", wiring::requests(&settings))
        .pool("workshop", wiring::threads(Some(&pool)));
    let admin = Admin::start(readiness, &process).await?;
    tracing::info!(listen = %args.listen.listen, "misc-service serves");

    let service = service(misc, RateLimit::off(), &settings);
    let drained = serve(listener, service, limits, process.drain()).await;
    let mut closing = Closing::of(admin).heavy_work(pool);
    if let Some(store) = store {
        closing = closing.store(store);
    }
    Ok(closing.end(&process, drained.is_clean()).await)
}
