use std::{fmt, sync::Arc, time::Duration};

use hyper::StatusCode;
use metrics_exporter_prometheus::PrometheusHandle;
use tokio::time::Instant;

use super::{
    console::{self, Console},
    orders,
    readiness::Readiness,
};
use crate::environment::Environment;
use crate::http::{
    request::{Route, RoutedRequest},
    response::{Failure, FailureKind, Response, reply},
    server::Routes,
};
use crate::status::{Severity, StatusBoard};

/// What only the operator and the orchestrator ask.
///
/// | route | response |
/// | --- | --- |
/// | `GET /healthz` | `ok`, whatever else is unavailable: the process lives |
/// | `GET /readyz` | 200 or 503, with each check and what it said |
/// | `GET /statusz` | how the shop is, as text; 503 when somebody must act |
/// | `GET /orders?status=&since=&until=&after=&limit=&client=&text=` | a page of orders, the oldest first; of an order-service |
/// | `GET /orders/{id}/story` | what has become of an order, step by step; of an order-service |
/// | `GET /metrics` | in Prometheus' text format |
/// | `GET /console` | the same for people, as a page that looks again by itself; of a process that knows the shop |
/// | `GET /console/live` | what of the page changes |
/// | `GET /console/order?id=` | the story of an order as a timeline |
/// | `GET /console/dead` | what was given up, by what killed it |
/// | `GET /console/{file}` | what the page needs |
pub struct AdminRoutes {
    readiness: Arc<Readiness>,
    metrics: PrometheusHandle,
    console: Arc<Console>,
}

/// Takes samples for the console's charts of the last hour and day.
#[derive(Debug, Clone)]
pub struct Sampler(Arc<Console>);

impl Sampler {
    /// How far apart samples are to be.
    pub const EVERY: Duration = Console::SAMPLED_EVERY;

    /// Keeps what the process has counted until `at`, which must be later than the sample before; otherwise nothing is
    /// kept.
    pub fn sample(&self, at: Instant) {
        self.0.sample(at);
    }
}

impl fmt::Debug for AdminRoutes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AdminRoutes").field("readiness", &self.readiness).finish_non_exhaustive()
    }
}

/// What a row of the table does.
#[derive(Debug, Clone, Copy)]
pub enum Action {
    Alive,
    Ready,
    Status,
    Orders,
    Story,
    Metrics,
    Console,
    ConsoleLive,
    ConsoleOrder,
    ConsoleDead,
    ConsoleFile,
}

impl Action {
    /// Whether the response comes out of what the process sees of the shop.
    fn is_of_shop(self) -> bool {
        use Action::{Console, ConsoleDead, ConsoleLive, ConsoleOrder, Status};
        matches!(self, Status | Console | ConsoleLive | ConsoleOrder | ConsoleDead)
    }
}

const TABLE: &[Route<Action>] = &[
    Route::text("/healthz", Action::Alive).open(),
    Route::get("/readyz", Action::Ready).open(),
    Route::text("/statusz", Action::Status).open(),
    Route::get("/orders", Action::Orders).open(),
    Route::get("/orders/{id}/story", Action::Story).open(),
    Route::text("/metrics", Action::Metrics).open(),
    Route::get("/console", Action::Console).open(),
    Route::get("/console/live", Action::ConsoleLive).open(),
    Route::get("/console/order", Action::ConsoleOrder).open(),
    Route::get("/console/dead", Action::ConsoleDead).open(),
    Route::get("/console/{file}", Action::ConsoleFile).open(),
];

/// What a process that is closing its connections says of the shop.
const SHUTTING_DOWN: &str =
    "This process is shutting down and no longer knows how the shop is: ask another.";

impl AdminRoutes {
    /// The routes of the private listener.
    pub fn new(readiness: Arc<Readiness>, metrics: PrometheusHandle) -> Self {
        let console = Arc::new(Console::new(metrics.clone()));
        Self { readiness, metrics, console }
    }

    /// The same in an environment that the console names.
    #[must_use]
    pub fn in_environment(self, environment: Option<Environment>) -> Self {
        let console = Arc::new(Console::new(self.metrics.clone()).of(environment));
        Self { console, ..self }
    }

    /// Returns who takes the console's samples; `None` where there is no console.
    pub fn sampler(&self) -> Option<Sampler> {
        self.readiness.knows_shop().then(|| Sampler(Arc::clone(&self.console)))
    }

    /// Returns the shop, unless this process does not know how it is, or no longer.
    fn shop(&self) -> Result<&StatusBoard, Failure> {
        let Some(shop) = &self.readiness.shop else {
            let detail = "This service does not know how the shop is: ask an order-service.";
            return Err(Failure::new(FailureKind::NotFound, detail));
        };
        if self.readiness.draining.is_cancelled() {
            // It closes its connections one after the other.
            return Err(Failure::new(FailureKind::ShuttingDown, SHUTTING_DOWN));
        }
        Ok(shop)
    }
}

impl Routes for AdminRoutes {
    type Action = Action;

    const SERVICE: &'static str = "admin";

    fn table() -> &'static [Route<Action>] {
        TABLE
    }

    async fn handle(&self, request: &RoutedRequest<Action>) -> Result<Response, Failure> {
        let of_shop = request.action.is_of_shop();
        let response = self.respond(request).await;
        if of_shop {
            // A process that began to shut down meanwhile closed what it looked with.
            self.shop()?;
        }
        response
    }
}

impl AdminRoutes {
    async fn respond(&self, request: &RoutedRequest<Action>) -> Result<Response, Failure> {
        match request.action {
            Action::Alive => Ok(reply::no_store(reply::text("ok"))),
            Action::Ready => {
                let report = self.readiness.ask().await;
                let mut response = reply::no_store(reply::json(&report)?);
                if !report.ready {
                    *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
                }
                Ok(response)
            }
            Action::Status => {
                let status = self.shop()?.look().await;
                let mut response = reply::no_store(reply::text(status.text()));
                if status.severity() == Severity::Act {
                    *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
                }
                Ok(response)
            }
            Action::Orders => {
                let Some(orders) = &self.readiness.orders else {
                    let detail = "This service does not list orders: ask an order-service.";
                    return Err(Failure::new(FailureKind::NotFound, detail));
                };
                orders::listed::page(orders.as_ref(), request).await
            }
            Action::Story => {
                let Some(stories) = &self.readiness.stories else {
                    let detail = "This service tells no stories of orders: ask an order-service.";
                    return Err(Failure::new(FailureKind::NotFound, detail));
                };
                orders::told::story(stories, request).await
            }
            Action::Metrics => {
                let mut text = self.metrics.render() + &self.readiness.pools.gauges();
                if let Ok(shop) = self.shop() {
                    let gauges = shop.look().await.gauges();
                    if self.shop().is_ok() {
                        text.push_str(&gauges);
                    }
                }
                Ok(reply::bytes("text/plain; version=0.0.4; charset=utf-8", text))
            }
            Action::Console => {
                let (shop, stories) = (self.shop()?, self.readiness.stories.is_some());
                let until_empty = self.readiness.until_empty.as_ref();
                self.console.page(request, shop, until_empty, stories).await
            }
            Action::ConsoleLive => {
                let until_empty = self.readiness.until_empty.as_ref();
                self.console.live(request, self.shop()?, until_empty).await
            }
            Action::ConsoleOrder => {
                self.shop()?;
                self.console.order(request, self.readiness.stories.as_ref()).await
            }
            Action::ConsoleDead => self.console.dead(request, self.shop()?).await,
            Action::ConsoleFile => console::file(request),
        }
    }
}
