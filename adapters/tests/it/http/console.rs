//! The operator's console: its routes, and what its pages say.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use bytes::Bytes;
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusRecorder};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use woody_adapters::{
    http::{AdminRoutes, RateLimit, Readiness, Sampler, ServerLimits, ServiceSettings, service},
    status::{Servers, StatusBoard},
};
use woody_broker::memory::MemoryBroker;
use woody_core::{
    contract::toy,
    domain::{AfterFailure, FailedAttempt, NewOrder, OrderId, Outcome, Validation},
    ports::{Broker, Decision, OrderStore, Prefetch, Store},
    services::OrderStories,
};
use woody_store::MemoryStore;

use super::{
    client::{Answer, request, send},
    shop::{drain, serve_here},
};

/// A shop's stores, with an admin listener beside them.
pub(super) struct Desk {
    pub(super) addr: SocketAddr,
    pub(super) store: Arc<MemoryStore>,
    pub(super) broker: Arc<MemoryBroker>,
    pub(super) draining: CancellationToken,
}

impl Desk {
    /// One that calls itself so, if it calls itself anything, and has counted nothing.
    pub(super) async fn open(environment: Option<&str>) -> Self {
        let recorder = PrometheusBuilder::new().build_recorder();
        Self::with(environment, &recorder, |_| {}).await
    }

    /// One that has counted what `recorder` has; `sampled` may take samples of it.
    pub(super) async fn with(
        environment: Option<&str>,
        recorder: &PrometheusRecorder,
        sampled: impl FnOnce(&Sampler),
    ) -> Self {
        let (store, broker) = (Arc::new(MemoryStore::new()), Arc::new(MemoryBroker::new()));
        let servers = Servers { store: "PostgreSQL", broker: "RabbitMQ" };
        let board = StatusBoard::new(&*store, Arc::<MemoryBroker>::clone(&broker), servers);
        let draining = CancellationToken::new();
        let readiness = Readiness::new(draining.clone())
            .telling(OrderStories::of(&*store))
            .foretelling(|| Some(Duration::from_mins(12)))
            .of_shop(board);
        let environment = environment.map(|environment| environment.parse().unwrap());
        let routes =
            AdminRoutes::new(Arc::new(readiness), recorder.handle()).in_environment(environment);
        sampled(&routes.sampler().unwrap());
        let service = service(routes, RateLimit::off(), &ServiceSettings::default());
        let (addr, _) = serve_here(service, ServerLimits::default(), drain()).await;
        Self { addr, store, broker, draining }
    }

    /// Has orders wait, one with an attempt behind it, and one ended.
    pub(super) async fn with_orders(self) -> (Self, [OrderId; 3]) {
        let mut orders: [NewOrder<_>; 3] = ["Train", "<b>Boat</b>", "Kite"].map(toy);
        orders[0].accepted_at -= Duration::from_mins(1);
        let _ = self.store.insert(&orders, Duration::ZERO).await.unwrap();
        let validation = Validation {
            worker: "saw-1".into(),
            attempt: 2,
            redriven: false,
            taken_up_at: orders[0].accepted_at + Duration::from_millis(8),
            took: Duration::from_micros(1_250),
        };
        let failed = FailedAttempt {
            order: orders[0].id,
            validation: Validation { attempt: 1, ..validation.clone() },
            reason: "the saw said \"<no>\" & stopped".into(),
            then: AfterFailure::Again,
        };
        self.store.keep_attempts(&[failed]).await.unwrap();
        let decision = Decision {
            order: orders[0].clone(),
            outcome: Outcome::Rejected("no sheet is as long".into()),
            redriven: false,
            validation: Some(validation),
        };
        let _ = self.store.finish(&[decision]).await.unwrap();
        (self, orders.map(|order| order.id))
    }

    /// Has messages be given up, for two reasons.
    pub(super) async fn with_dead_letters(self) -> Self {
        let reasons =
            ["the saw stopped after 5 s", "<b>no</b> JSON", "the saw stopped after 7.5 s"];
        let mut consumer = self.broker.consumer(Prefetch::MIN).await.unwrap();
        for reason in [&reasons[..], &reasons[..1]].concat() {
            self.broker.publisher().send(&[Bytes::from_static(b"{}")]).await.unwrap();
            let delivery = consumer.next().await.unwrap();
            delivery.dead_letter(reason.into()).await.unwrap();
        }
        consumer.stop().await;
        self
    }

    async fn get(&self, path: &str) -> Answer {
        send(self.addr, request(&format!("GET {path}"), &[], "")).await
    }
}

/// A process that was busy for an hour.
pub(super) async fn busy(environment: Option<&str>) -> Desk {
    let recorder = PrometheusBuilder::new().build_recorder();
    Desk::with(environment, &recorder, |sampler| {
        metrics::with_local_recorder(&recorder, || {
            let now = Instant::now();
            for nth in (0..=360_u32).rev() {
                let wave = u64::from(nth % 60);
                metrics::counter!("woody_orders_intake_total", "outcome" => "store")
                    .increment(4_000 + 100 * wave);
                metrics::counter!("woody_outbox_published_total").increment(4_000 + 100 * wave);
                metrics::counter!("woody_ends_heard_total").increment(6_000 - 20 * wave);
                metrics::counter!("woody_deliveries_total", "handled" => "retry").increment(9);
                // A machine that has just started has no hour behind it.
                if let Some(at) = now.checked_sub(Sampler::EVERY * nth) {
                    sampler.sample(at);
                }
            }
        });
    })
    .await
}

/// What a page may be, the whole of it.
const MOST_BYTES: usize = 60_000;

#[tokio::test]
async fn a_console_says_how_the_shop_is_and_what_to_do() {
    let (desk, _) = Desk::open(None).await.with_orders().await;
    let page = desk.get("/console").await;
    assert_eq!((page.status.as_u16(), page.header("cache-control")), (200, "no-store"));
    assert_eq!(page.header("content-type"), "text/html; charset=utf-8");
    let html = page.text();
    let status = desk.get("/statusz").await;
    let headline = status.text().lines().next().unwrap();
    assert!(headline.starts_with("Nothing is lost. No order-worker takes orders."), "{headline}");
    for says in [
        "<title>Somebody must act · WoodyToys console</title>",
        "No order-worker takes orders. 2 orders wait",
        "<b>To do:</b> Start order-workers",
        "In the outbox: 2.",
        "<dt>Pending orders</dt><dd>2</dd>",
        "woodyctl dead redrive",
        "http-equiv=\"refresh\"",
    ] {
        assert!(html.contains(says), "no {says:?} in\n{html}");
    }
    let still = desk.get("/console?still=1").await;
    assert!(!still.text().contains("http-equiv=\"refresh\""), "{}", still.text());
    assert_eq!(desk.get("/console?all=1").await.status, 400);

    let _consumer = desk.broker.consumer(Prefetch::MIN).await.unwrap();
    let well = Desk::open(None).await;
    let _consumer = well.broker.consumer(Prefetch::MIN).await.unwrap();
    let html = well.get("/console").await.text().to_owned();
    assert!(html.contains("<title>All is well · WoodyToys console</title>"), "{html}");
    assert!(html.contains("Nothing is lost. All is well."), "{html}");
}

#[tokio::test]
async fn what_of_the_page_changes_is_asked_for_alone() {
    let desk = Desk::open(Some("staging:blue")).await;
    let live = desk.get("/console/live").await;
    assert_eq!((live.status.as_u16(), live.header("cache-control")), (200, "no-store"));
    let page = desk.get("/console").await;
    for section in [
        "id=\"said\"",
        "id=\"way\"",
        "id=\"hour\"",
        "id=\"day\"",
        "<title>Somebody must act · staging",
    ] {
        assert!(live.text().contains(section) && page.text().contains(section), "{section}");
    }
    assert!(!live.text().contains("<form"), "{}", live.text());
}

#[tokio::test]
async fn pages_bring_nothing_that_their_policy_forbids() {
    let (desk, [id, ..]) = busy(Some("production:red")).await.with_orders().await;
    let desk = desk.with_dead_letters().await;
    for path in [
        "/console".to_owned(),
        "/console/live".to_owned(),
        "/console/dead".to_owned(),
        format!("/console/order?id={id}"),
    ] {
        let page = desk.get(&path).await;
        let policy = page.header("content-security-policy");
        assert!(policy.starts_with("default-src 'none'"), "{path}: {policy}");
        assert!(!policy.contains("unsafe"), "{path}: {policy}");
        let html = page.text();
        for foreign in [" style=", "<style", " onclick", "http://", "https://", "//"] {
            assert!(!html.contains(foreign), "{path}: {foreign} in\n{html}");
        }
        // The one script is a file.
        let scripts = html.matches("<script").count();
        assert_eq!(
            scripts,
            html.matches("src=\"/console/console.js\"></script>").count(),
            "{path}"
        );
    }
}

#[tokio::test]
async fn a_whole_console_weighs_less_than_sixty_kilobytes() {
    let (desk, _) = busy(Some("production:red")).await.with_orders().await;
    let mut bytes = 0;
    for (path, content_type) in [
        ("/console", "text/html"),
        ("/console/console.css", "text/css"),
        ("/console/console.js", "text/javascript"),
        ("/console/icon.svg", "image/svg+xml"),
    ] {
        let file = desk.get(path).await;
        assert_eq!(file.status, 200, "{path}");
        assert!(file.header("content-type").starts_with(content_type), "{path}");
        bytes += file.body.len();
    }
    assert!(bytes < MOST_BYTES, "{bytes} bytes");
    assert_eq!(desk.get("/console/other.js").await.status, 404);
}

#[tokio::test]
async fn an_hour_and_a_day_of_counting_are_drawn() {
    let desk = busy(None).await;
    let html = desk.get("/console").await.text().to_owned();
    // What was accepted and what has ended, in each.
    assert_eq!(html.matches("<polyline").count(), 4, "{html}");
    assert!(html.contains("Accepted "), "{html}");
    // A process that has just begun has nothing to draw.
    let html = Desk::open(None).await.get("/console").await.text().to_owned();
    assert!(html.contains("Nothing has been counted yet"), "{html}");
    assert!(html.contains("Accepted –."), "{html}");
}

#[tokio::test]
async fn an_environment_stands_in_the_page_and_in_its_title() {
    let desk = Desk::open(Some("<eu> & \"live\":purple")).await;
    for path in ["/console", "/console/order"] {
        let html = desk.get(path).await.text().to_owned();
        let name = "&lt;eu&gt; &amp; &quot;live&quot;";
        assert!(html.contains(&format!("class=\"environment purple\">{name}</p>")), "{html}");
        assert!(html.contains(&format!("{name} · WoodyToys console</title>")), "{html}");
    }
    let html = Desk::open(None).await.get("/console").await.text().to_owned();
    assert!(!html.contains("environment"), "{html}");
}

#[tokio::test]
async fn an_order_is_told_as_a_timeline() {
    let (desk, [ended, pending, _]) = Desk::open(None).await.with_orders().await;
    // As it is copied from somewhere.
    let told = desk.get(&format!("/console/order?id=+{ended}+")).await;
    assert_eq!((told.status.as_u16(), told.header("cache-control")), (200, "no-store"));
    let html = told.text();
    for says in [
        "<strong>accepted</strong>",
        "<strong>attempt failed</strong>",
        "the saw said &quot;&lt;no&gt;&quot; &amp; stopped",
        "<strong>rejected</strong>",
        "no sheet is as long",
        "<span class=\"state rejected\">rejected</span>",
    ] {
        assert!(html.contains(says), "no {says:?} in\n{html}");
    }
    // It has ended for good.
    assert!(!html.contains("woodyctl order"), "{html}");
    let html = desk.get(&format!("/console/order?id={pending}")).await.text().to_owned();
    assert!(html.contains("<strong>unpublished</strong>"), "{html}");
    assert!(html.contains(&format!("woodyctl order cancel {pending} --reason WHY")), "{html}");
    assert!(html.contains(&format!("woodyctl order retry {pending} --because WHY")), "{html}");
}

#[tokio::test]
async fn what_was_given_up_is_told_by_what_killed_it() {
    let desk = Desk::open(Some("staging")).await;
    let dead = desk.get("/console/dead").await;
    assert_eq!((dead.status.as_u16(), dead.header("cache-control")), (200, "no-store"));
    assert!(dead.text().contains("No message was given up."), "{}", dead.text());

    let desk = Desk::open(Some("staging")).await.with_dead_letters().await;
    let html = desk.get("/console/dead").await.text().to_owned();
    for says in [
        "<title>Given up · staging · WoodyToys console</title>",
        "4 dead letters, for 2 reasons.",
        "<strong>3 × the saw stopped after # s</strong>",
        "<strong>1 × &lt;b&gt;no&lt;/b&gt; JSON</strong>",
        "<time datetime=",
        "--canary</code>",
    ] {
        assert!(html.contains(says), "no {says:?} in\n{html}");
    }
    // It is the command that means the group.
    let like = html.split("woodyctl dead redrive --like ").nth(1).unwrap();
    let like = like.split(' ').next().unwrap();
    let letters = desk.broker.admin().dead_letters(10).await.unwrap();
    assert_eq!(like, letters[0].id.as_str());
    assert_eq!(desk.get("/console/dead?all=1").await.status, 400);

    let desk = Desk::open(None).await;
    desk.broker.close().await;
    let away = desk.get("/console/dead").await;
    assert!(away.status.is_server_error(), "{}", away.status);
    assert!(away.text().contains("The broker cannot tell it now"), "{}", away.text());
}

#[tokio::test]
async fn orders_are_found_by_what_they_say_and_lead_to_their_stories() {
    let desk = Desk::open(None).await;
    let mut orders: Vec<NewOrder<_>> = (0..102).map(|_| toy("Train")).collect();
    for order in &mut orders[..101] {
        order.found_by = Some("ada & <co>".into());
    }
    let _ = desk.store.insert(&orders[..1], Duration::ZERO).await.unwrap();
    let one = desk.get("/console/order?id=ada+%26+%3Cco%3E").await;
    assert_eq!(one.status, 200);
    let html = one.text();
    let link = format!("<a href=\"/console/order?id={0}\">{0}</a>", orders[0].id);
    assert!(html.contains(&link) && html.contains("pending") && !html.contains("more"), "{html}");
    assert!(html.contains("value=\"ada &amp; &lt;co&gt;\""), "{html}");
    for order in &orders[1..] {
        let _ = desk.store.insert(std::slice::from_ref(order), Duration::ZERO).await.unwrap();
    }
    let html = desk.get("/console/order?id=ada+%26+%3Cco%3E").await.text().to_owned();
    assert_eq!(html.matches("<a href=\"/console/order?id=").count(), 100);
    assert!(html.contains("There are more"), "{html}");
}

#[tokio::test]
async fn an_order_that_cannot_be_told_of_is_refused_kindly() {
    let desk = Desk::open(None).await;
    let ours = OrderId::fresh().to_string();
    for (query, status, says) in [
        ("", 200, "Which order?"),
        ("?id=", 200, "Which order?"),
        ("?id=train", 422, "it is no order’s id"),
        ("?id=%22%3E%3Cscript%3E", 422, "value=\"&quot;&gt;&lt;script&gt;\""),
        ("?id=0192f0c1-2f3a-4c4d-8e5f-6a7b8c9d0e1f", 404, "There is no order with this id"),
        (&format!("?id={ours}"), 404, "The store does not have this order"),
    ] {
        let answer = desk.get(&format!("/console/order{query}")).await;
        assert_eq!(answer.status, status, "{query}: {}", answer.text());
        assert!(answer.text().contains(says), "{query}: {}", answer.text());
        assert!(answer.text().contains("<form action=\"/console/order\""), "{query}");
    }
    desk.store.close().await;
    let away = desk.get(&format!("/console/order?id={ours}")).await;
    assert!(away.status.is_server_error(), "{}", away.status);
    assert!(away.text().contains("The store cannot tell it now"), "{}", away.text());
}

#[tokio::test]
async fn a_process_that_does_not_know_the_shop_has_no_console() {
    let metrics = PrometheusBuilder::new().build_recorder().handle();
    let readiness = Arc::new(Readiness::new(CancellationToken::new()));
    let routes = AdminRoutes::new(readiness, metrics);
    assert!(routes.sampler().is_none());
    let service = service(routes, RateLimit::off(), &ServiceSettings::default());
    let (addr, _) = serve_here(service, ServerLimits::default(), drain()).await;
    for path in ["/console", "/console/live", "/console/dead", "/console/order"] {
        let answer = send(addr, request(&format!("GET {path}"), &[], "")).await;
        assert_eq!(answer.status, 404, "{path}");
        assert!(answer.text().contains("order-service"), "{}", answer.text());
    }

    let desk = Desk::open(None).await;
    desk.draining.cancel();
    let leaving = desk.get("/console").await;
    assert_eq!(leaving.status, 503);
    assert!(leaving.text().contains("shutting down"), "{}", leaving.text());
}

#[tokio::test]
async fn the_console_is_for_its_own_names_and_changes_nothing() {
    let desk = Desk::open(None).await;
    let stranger = send(desk.addr, request("GET /console", &["host: evil.example:9000"], "")).await;
    assert_eq!(stranger.status, 421);
    for method in ["POST", "DELETE", "PUT"] {
        let refused = send(desk.addr, request(&format!("{method} /console"), &[], "")).await;
        assert_eq!(
            (refused.status.as_u16(), refused.header("allow")),
            (405, "GET, HEAD"),
            "{method}"
        );
    }
}
