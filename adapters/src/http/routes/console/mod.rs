//! A page for operators: whether anything is lost and what to do, what goes through, what was given up and why, and what
//! has become of an order.
//!
//! It only shows. What is done to a shop is done by `woodyctl`, which writes it down.

mod chart;
mod dead;
mod document;
mod files;
mod order;
mod page;
mod pipeline;

use std::{fmt, sync::Arc, time::Duration};

use metrics_exporter_prometheus::PrometheusHandle;
use tokio::{sync::Mutex, time::Instant};
use woody_core::services::OrderStories;

use crate::{
    environment::Environment,
    http::{
        request::RoutedRequest,
        response::{Failure, Response},
    },
    rates::{Counts, RateHistory, Span},
    status::StatusBoard,
};

/// For how long what was seen is shown to whoever asks: one look serves all pages that are open.
const FRESH: Duration = Duration::from_secs(2);

/// Says how long it takes until no order waits in the queue, as far as that can be foretold.
pub(super) type UntilEmpty = Box<dyn Fn() -> Option<Duration> + Send + Sync>;

/// What is behind the page, beside the shop.
pub(super) struct Console {
    metrics: PrometheusHandle,
    hour: RateHistory,
    day: RateHistory,
    environment: Option<Environment>,
    last: Mutex<Option<(Instant, Arc<Seen>)>>,
    dead: dead::DeadPage,
}

impl fmt::Debug for Console {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Console").field("environment", &self.environment).finish_non_exhaustive()
    }
}

/// What the page shows of a moment, as HTML.
struct Seen {
    /// The page's name.
    title: String,
    /// Its sections that change.
    html: String,
}

impl Console {
    /// How far apart samples are to be.
    pub(super) const SAMPLED_EVERY: Duration = Span::SAMPLED_EVERY;

    pub(super) fn new(metrics: PrometheusHandle) -> Self {
        let (hour, day) = (RateHistory::of(Span::HOUR), RateHistory::of(Span::DAY));
        let (last, dead) = Default::default();
        Self { metrics, hour, day, environment: None, last, dead }
    }

    pub(super) fn of(self, environment: Option<Environment>) -> Self {
        Self { environment, ..self }
    }

    /// Keeps what the process has counted until `at`, for the charts of the last hour and day.
    pub(super) fn sample(&self, at: Instant) {
        let counts = Counts::read(&self.metrics.render());
        self.hour.sampled(at, counts);
        self.day.sampled(at, counts);
    }

    /// Responds with the page.
    pub(super) async fn page<A>(
        &self,
        request: &RoutedRequest<A>,
        shop: &StatusBoard,
        until_empty: Option<&UntilEmpty>,
        tells_stories: bool,
    ) -> Result<Response, Failure> {
        let [still] = request.query(["still"])?;
        let seen = self.look(Instant::now(), shop, until_empty).await;
        Ok(page::console(
            &seen.title,
            &seen.html,
            self.environment.as_ref(),
            still.is_some(),
            tells_stories,
        ))
    }

    /// Responds with what of the page changes.
    pub(super) async fn live<A>(
        &self,
        request: &RoutedRequest<A>,
        shop: &StatusBoard,
        until_empty: Option<&UntilEmpty>,
    ) -> Result<Response, Failure> {
        request.query([])?;
        let seen = self.look(Instant::now(), shop, until_empty).await;
        Ok(page::live(&seen.title, &seen.html))
    }

    /// Responds with the story of the order that the form asks for.
    pub(super) async fn order<A>(
        &self,
        request: &RoutedRequest<A>,
        stories: Option<&OrderStories>,
    ) -> Result<Response, Failure> {
        let [id] = request.query(["id"])?;
        Ok(order::respond(self.environment.as_ref(), stories, id.as_deref()).await)
    }

    /// Responds with what was given up, by what killed it.
    pub(super) async fn dead<A>(
        &self,
        request: &RoutedRequest<A>,
        shop: &StatusBoard,
    ) -> Result<Response, Failure> {
        request.query([])?;
        Ok(self.dead.respond(self.environment.as_ref(), shop).await)
    }

    async fn look(
        &self,
        now: Instant,
        shop: &StatusBoard,
        until_empty: Option<&UntilEmpty>,
    ) -> Arc<Seen> {
        // Who comes while another looks is shown what that one has seen.
        let mut last = self.last.lock().await;
        if let Some((at, seen)) = &*last
            && now.saturating_duration_since(*at) < FRESH
        {
            return Arc::clone(seen);
        }
        let status = shop.look().await;
        let (now, counts) = (Instant::now(), Counts::read(&self.metrics.render()));
        let rates = self.hour.rates(now, counts);
        let waits = until_empty.and_then(|foretell| foretell());
        let seen = Arc::new(Seen {
            title: page::title(Some(status.severity()), self.environment.as_ref()),
            html: [
                page::status(&status),
                pipeline::section(&status, &rates, waits),
                chart::sections(&self.hour, &self.day, now),
            ]
            .concat(),
        });
        *last = Some((Instant::now(), Arc::clone(&seen)));
        seen
    }
}

/// Responds with a file that the page needs.
pub(super) fn file<A>(request: &RoutedRequest<A>) -> Result<Response, Failure> {
    request.query([])?;
    files::respond(request.variable(), request.headers())
}

#[cfg(all(test, feature = "services"))]
mod tests {
    use metrics_exporter_prometheus::PrometheusBuilder;
    use woody_broker::memory::MemoryBroker;
    use woody_store::MemoryStore;

    use super::*;
    use crate::status::Servers;

    #[tokio::test]
    async fn all_pages_that_are_open_share_a_look() {
        let (store, broker) = (MemoryStore::new(), Arc::new(MemoryBroker::new()));
        let servers = Servers { store: "The store", broker: "The broker" };
        let shop = StatusBoard::new(&store, broker, servers);
        let console = Console::new(PrometheusBuilder::new().build_recorder().handle());
        let now = Instant::now();
        let seen = console.look(now, &shop, None).await;
        assert!(Arc::ptr_eq(&seen, &console.look(now, &shop, None).await));
        let later = Instant::now() + FRESH;
        assert!(!Arc::ptr_eq(&seen, &console.look(later, &shop, None).await));
    }
}
