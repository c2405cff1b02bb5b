use std::{fmt, sync::Arc};

use tokio_util::task::TaskTracker;
use woody_core::{
    domain::OrderDetails,
    ports::{Notifier, Store, Validator},
    services::{NoticeBell, NoticeDelivery, OrderWorker, PauseWatch},
    workshop::HeavyPool,
};

use crate::{
    config::{BrokerArgs, ConfigError, StoreArgs, WebhookArgs, WorkerArgs},
    http::Readiness,
    migration::Migration,
    process::{Admin, Closing, Process},
    wiring::{self, Files},
};

/// WoodyToys' worker: takes orders off the queue, validates them, saves how they
/// end, and only then acknowledges them. Run as many as there is work for.
#[derive(Debug, clap::Args)]
pub struct OrderWorkerArgs {
    #[command(flatten)]
    store: StoreArgs,
    #[command(flatten)]
    broker: BrokerArgs,
    #[command(flatten)]
    worker: WorkerArgs,
    #[command(flatten)]
    webhook: WebhookArgs,
}

/// What orders must pass before the HTTP service is asked that the flags name, if they name one.
pub struct OwnValidation<D: OrderDetails> {
    name: &'static str,
    validator: Arc<dyn Validator<D>>,
    pool: Option<HeavyPool>,
}

impl<D: OrderDetails> OwnValidation<D> {
    /// Names a validator; the name stands in the reason when it takes too long.
    pub fn new(name: &'static str, validator: Arc<dyn Validator<D>>) -> Self {
        Self { name, validator, pool: None }
    }

    /// Has the worker end `pool` when it ends itself.
    #[must_use]
    pub fn with_pool(self, pool: HeavyPool) -> Self {
        Self { pool: Some(pool), ..self }
    }
}

impl<D: OrderDetails> fmt::Debug for OwnValidation<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OwnValidation").field("name", &self.name).finish_non_exhaustive()
    }
}

/// Validates orders that ask for a `D`, until the process is stopped. Returns whether all that was under way was
/// finished within the grace.
///
/// ```no_run
/// use std::{process::ExitCode, sync::Arc};
/// use woody_adapters::{process::run, services::{OwnValidation, order_worker}};
/// use woody_core::{domain::Details, validation::AcceptAll};
///
/// fn main() -> ExitCode {
///     run("order-worker", |flags| flags, |args, process| {
///         order_worker::<Details>(args, process, |_, _| {
///             Ok(OwnValidation::new("none", Arc::new(AcceptAll)))
///         })
///     })
/// }
/// ```
///
/// # Errors
/// [`ConfigError`] when the flags cannot work.
pub async fn order_worker<D: OrderDetails>(
    args: OrderWorkerArgs,
    process: Process,
    own: impl FnOnce(&WorkerArgs, &Arc<dyn Store>) -> Result<OwnValidation<D>, ConfigError>,
) -> Result<bool, ConfigError> {
    wiring::refuse_memory("WOODY_STORE_URL", &args.store.url()?)?;
    wiring::refuse_memory("WOODY_BROKER_URL", &args.broker.url()?)?;
    wiring::check_validation_timeout(&args.worker, &process)?;
    let webhook = wiring::webhook(&args.webhook)?;
    let store = wiring::open_store(&args.store, Files::Create).await?;
    let broker = wiring::open_broker(&args.broker, Files::Create).await?;
    let own = own(&args.worker, &store)?;
    let validator = wiring::with_service(&args.worker, own.name, own.validator)?;
    let migration = Migration::of(&store);
    let consuming = Arc::default();
    let (tasks, bell) = (TaskTracker::new(), NoticeBell::new());
    let worker = Arc::new(OrderWorker::start(
        store.orders(),
        validator,
        bell.rung_by(broker.events()),
        args.worker.settings(),
        &tasks,
    ));
    let pauses = Arc::new(PauseWatch::new(store.pauses()));
    let readiness = Readiness::new(process.draining())
        .require("store", wiring::store_check(&store))
        .require("schema", migration.check())
        .require("queue", wiring::late_consumer_check(&consuming))
        .require("validation", wiring::waits_check(worker.waits(), true))
        .report("pause", wiring::pause_check(Arc::clone(&pauses)))
        .report("validator", wiring::waits_check(worker.waits(), false))
        .pool("store", wiring::store_connections(&store))
        .pool("workshop", wiring::threads(own.pool.as_ref()))
        .of_shop(
            wiring::status_board(&args.store, &args.broker, &store, &broker)?
                .with_waits(worker.waits()),
        );
    let admin = Admin::start(readiness, &process).await?;

    tracing::info!(
        queue = args.broker.queue,
        prefetch = args.worker.prefetch,
        "order-worker waits for orders"
    );
    // Without its schema the store could save nothing that is validated, and what
    // a consumer holds no other worker gets.
    if migration.run(&process.stopping()).await {
        let consumer = pauses.consumer(Arc::clone(&broker), args.worker.prefetch);
        let (every, until) = (args.worker.pause_check, process.stopping());
        tasks.spawn(async move { pauses.run(every, until).await });
        let _ = consuming.set(consumer.state());
        if let Some((name, webhook)) = webhook {
            let settings = args.webhook.notice_settings();
            let (orders, notices) = (store.orders(), store.notices());
            let webhook: Arc<dyn Notifier<D>> = Arc::new(webhook);
            let delivery = NoticeDelivery::new(orders, notices, name, webhook, settings);
            // Before the first order ends here; what fails is tried again.
            let _ = delivery.subscribe().await;
            tasks.spawn(delivery.woken_by(&bell).run(process.stopping()));
        }
        tasks.spawn(worker.run(consumer, process.stopping()));
    } else {
        // Its tasks end with it.
        drop(worker);
    }
    process.stopping().cancelled().await;
    tasks.close();
    let mut closing = Closing::of(admin)
        .orders(|grace| async move { tokio::time::timeout(grace, tasks.wait()).await.is_ok() });
    if let Some(pool) = own.pool {
        closing = closing.heavy_work(pool);
    }
    let closing = closing.broker(broker).store(store);
    Ok(closing.end(&process, true).await)
}
