//! The whole shop in one process.

use std::{net::SocketAddr, process::ExitCode, sync::Arc};

use woody_adapters::{
    config::{
        BrokerArgs, ConfigError, GatewayArgs, HeavyArgs, HeavyCacheArgs, HttpArgs, IntakeArgs,
        ListenArgs, RelayArgs, StoreArgs, StreamArgs, WebhookArgs, WorkerArgs,
    },
    http::{
        FrontRoutes, MiscRoutes, ProductRoutes, Readiness, StreamSettings, ToyOrderRoutes, gateway,
        serve,
    },
    migration::Migration,
    process::{Admin, Closing, Process, allow_connections, bind, run},
    terminal,
    wiring::{self, Files},
};
use woody_core::services::{Catalogue, OrderStories, Pipeline};

/// The whole shop in one process: page, API, queue and worker.
///
/// With no flags it listens on this machine only and keeps everything in ./data.
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
    intake: IntakeArgs,
    #[command(flatten)]
    worker: WorkerArgs,
    #[command(flatten)]
    webhook: WebhookArgs,
    #[command(flatten)]
    heavy: HeavyArgs,
    #[command(flatten)]
    cache: HeavyCacheArgs,
    #[command(flatten)]
    http: HttpArgs,
    #[command(flatten)]
    streams: StreamArgs,
    #[command(flatten)]
    gateway: GatewayArgs,
}

fn main() -> ExitCode {
    let at_home = |flags: clap::Command| {
        flags
            .mut_arg("listen", |flag| flag.default_value("127.0.0.1:8080"))
            .mut_arg("admin_listen", |flag| flag.default_value("127.0.0.1:9000"))
            .mut_arg("store_url", |flag| flag.default_value("sqlite:data/woody.db"))
            .mut_arg("broker_url", |flag| flag.default_value("sqlite:data/woody-queue.db"))
    };
    run("woodytoys", at_home, woodytoys)
}

async fn woodytoys(args: Args, process: Process) -> Result<bool, ConfigError> {
    wiring::check_validation_timeout(&args.worker, &process)?;
    let settings = args.http.settings(process.hosts(), process.sampling())?;
    let workshop = Arc::new(args.heavy.workshop.open()?);
    let webhook = wiring::webhook(&args.webhook)?;
    let listener = bind("WOODY_LISTEN", args.listen.listen).await?;
    let store = wiring::open_store(&args.store, Files::Create).await?;
    let broker = wiring::open_broker(&args.broker, Files::Create).await?;
    let pool = wiring::heavy_pool(&args.heavy);
    let validator =
        wiring::validator(&args.worker, store.products(), Arc::clone(&workshop), pool.clone())?;
    let migration = Migration::of(&store);
    let migrating = migration.run_in_background(&process);
    let mut pipeline = Pipeline::builder(store.orders(), broker.clone())
        .intake_settings(args.intake.settings(&args.relay))
        .relay_settings(args.relay.relay_settings())
        .validator(validator)
        .prefetch(args.worker.prefetch)
        .pauses(store.pauses(), args.worker.pause_check)
        .worker_settings(args.worker.settings())
        .notice_settings(args.webhook.notice_settings())
        .stopping(process.stopping());
    if let Some((name, webhook)) = webhook {
        pipeline = pipeline.notifier(store.notices(), name, Arc::new(webhook));
    }
    let pipeline =
        pipeline.start().await.map_err(|error| ConfigError::because("WOODY_BROKER_URL", &error))?;
    let forecasts = pipeline.tracker().forecasts();
    let limits = args.streams.beside(args.gateway.server_limits());
    let mut readiness = Readiness::new(process.draining())
        .pool("connections", wiring::connections(&limits))
        .pool("requests", wiring::requests(&settings))
        .pool("store", wiring::store_connections(&store))
        .pool("workshop", wiring::threads(Some(&pool)))
        .foretelling(move || forecasts.next().map(|expected| expected.wait))
        .listing(store.orders())
        .telling(OrderStories::of(&*store))
        .require("store", wiring::store_check(&store))
        .require("schema", migration.check());
    let mut board = wiring::status_board(&args.store, &args.broker, &store, &broker)?;
    if let Some(consumer) = pipeline.consumer() {
        readiness = readiness.require("queue", wiring::consumer_check(consumer));
    }
    if let Some(waits) = pipeline.waits() {
        board = board.with_waits(Arc::clone(&waits));
        readiness = readiness
            .report("validation", wiring::waits_check(Arc::clone(&waits), true))
            .report("validator", wiring::waits_check(waits, false));
    }
    if let Some(pauses) = pipeline.pauses() {
        readiness = readiness.report("pause", wiring::pause_check(pauses));
    }
    let admin = Admin::start(readiness.of_shop(board), &process).await?;

    let heavy =
        wiring::heavy_computation(&args.cache, workshop, pool.clone(), Some(store.products()));
    let per_client = args.gateway.followers_per_client();
    let streams = StreamSettings { per_client, ..args.streams.settings(process.stopping()) };
    let service = gateway(
        MiscRoutes::new(heavy),
        ProductRoutes::new(Catalogue::new(store.products()).into()),
        ToyOrderRoutes::new(pipeline.intake(), pipeline.tracker(), streams),
        FrontRoutes::new(),
        &args.gateway.settings(),
        &settings,
    );
    welcome(args.listen.listen, process.admin_listen(), &wiring::store_name(&args.store)?);
    allow_connections(&limits);
    let drained = serve(listener, service, limits, process.drain()).await;
    let closing = Closing::of(admin)
        .orders(|grace| pipeline.stop_within(grace))
        .migration(migrating)
        .heavy_work(pool)
        .broker(broker)
        .store(store);
    Ok(closing.end(&process, drained.is_clean()).await)
}

/// The first screen; a shop whose stdout takes nothing is open all the same.
fn welcome(shop: SocketAddr, admin: SocketAddr, store: &str) {
    let printed = terminal::print(format_args!(
        "
  WoodyToys is open.

    shop      http://{shop}           the page, and the API under /api
    API       http://{shop}/docs          for programs: /openapi.json and /asyncapi.json
    console   http://{admin}/console    whether all is well, for operators
    health    http://{admin}/readyz     also /healthz and /metrics
    data      {store}

  Try:
    curl http://{shop}/
    curl -H 'Content-Type: application/json' -d '{{\"product\": \"Train\", \"quantity\": 20}}' \\
         http://{shop}/api/orders
    curl 'http://{shop}/api/misc/heavy?name=Train'

  Ctrl-C closes it; what was accepted is still there when it opens again.
"
    ));
    if let Err(error) = printed {
        tracing::warn!(
            error = &error as &dyn std::error::Error,
            "cannot write to stdout: the first screen is not shown"
        );
    }
}
