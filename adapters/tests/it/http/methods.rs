//! A path that is there, asked for with a method that it has not.

use std::{collections::BTreeSet, net::SocketAddr, sync::Arc};

use metrics_exporter_prometheus::PrometheusBuilder;
use tokio_util::sync::CancellationToken;
use woody_adapters::http::{
    AdminRoutes, FrontRoutes, MiscRoutes, OrderRoutes, ProductRoutes, RateLimit, Readiness, Route,
    Routes, ServerLimits, ServiceSettings, Style, ToyOrderRoutes, Verb, service,
};
use woody_core::{domain::Details, services::Pipeline};

use super::{
    client::{Answer, request, send},
    shop::{Setup, Shop, drain, serve_here},
};

const METHODS: [&str; 8] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "BREW"];

/// What the rows of one path say of its methods.
struct Path {
    template: &'static str,
    methods: BTreeSet<&'static str>,
    style: Style,
}

fn paths<A>(tables: &[&'static [Route<A>]]) -> Vec<Path> {
    let rows = || tables.iter().copied().flatten();
    let all: BTreeSet<_> = rows().map(|row| row.path).collect();
    let described = all.into_iter().map(|path| {
        let here = || rows().filter(move |row| row.path == path);
        let methods = here().flat_map(|row| match row.method {
            // A `GET` that changes something is not there for `HEAD`.
            Verb::Get if row.instead.is_some() => &["GET"][..],
            Verb::Get => &["GET", "HEAD"],
            Verb::Post => &["POST"],
            Verb::Delete => &["DELETE"],
        });
        let is_old = here().all(|row| row.style == Style::Text);
        let style = if is_old { Style::Text } else { Style::Problem };
        Path { template: path, methods: methods.copied().collect(), style }
    });
    described.collect()
}

async fn ask(addr: SocketAddr, method: &str, path: &str) -> Answer {
    let path = path.replace("{id}", "x").replace("{module}", "x");
    send(addr, request(&format!("{method} {path}"), &[], "")).await
}

/// Asks for each path with each method that it has not, and returns how many times that was.
async fn refusals<A>(addr: SocketAddr, tables: &[&'static [Route<A>]], options: bool) -> usize {
    let mut asked = 0;
    for Path { template: path, methods, style } in paths(tables) {
        for method in METHODS.into_iter().filter(|method| !methods.contains(method)) {
            let answer = ask(addr, method, path).await;
            let line = format!("{method} {path}");
            assert_eq!(answer.status, 405, "{line}");
            let served = methods.iter().copied().chain(options.then_some("OPTIONS"));
            let served = served.collect::<BTreeSet<_>>().into_iter().collect::<Vec<_>>();
            assert_eq!(answer.header("allow"), served.join(", "), "{line}");
            assert_eq!(answer.header("cache-control"), "no-store", "{line}");
            assert!(answer.headers.contains_key("x-request-id"), "{line}");
            let kind = match style {
                Style::Text => "text/plain; charset=utf-8",
                Style::Problem => "application/problem+json",
            };
            assert_eq!(answer.header("content-type"), kind, "{line}");
            if method == "HEAD" {
                assert!(answer.body.is_empty(), "{line}");
            } else if style == Style::Problem {
                let problem = answer.json();
                assert_eq!(problem["type"], "urn:woodytoys:problem:method-not-allowed", "{line}");
                assert_eq!(problem["status"], 405, "{line}");
            } else {
                assert!(answer.text().starts_with("This route "), "{line}: {}", answer.text());
            }
            asked += 1;
        }
    }
    asked
}

#[tokio::test]
async fn every_service_answers_a_method_that_it_has_not_in_one_way() {
    for origins in ["", "https://pages.example"] {
        let settings =
            || ServiceSettings { origins: origins.parse().unwrap(), ..ServiceSettings::default() };
        let options = !origins.is_empty();
        let shop = Shop::with(Setup { settings: settings(), ..Setup::default() }).await;
        let mut asked = refusals(shop.addr, &[MiscRoutes::table()], options).await;
        asked += refusals(shop.addr, &[ProductRoutes::table()], options).await;
        asked += refusals(shop.addr, &[ToyOrderRoutes::table()], options).await;
        asked += refusals(shop.addr, &[FrontRoutes::table()], options).await;
        assert!(shop.is_untouched().await);

        let metrics = PrometheusBuilder::new().build_recorder().handle();
        let readiness = Arc::new(Readiness::new(CancellationToken::new()));
        let admin = service(AdminRoutes::new(readiness, metrics), RateLimit::off(), &settings());
        let (addr, _admin) = serve_here(admin, ServerLimits::default(), drain()).await;
        asked += refusals(addr, &[AdminRoutes::table()], options).await;

        let store = Arc::new(woody_store::MemoryStore::new());
        let broker = Arc::new(woody_broker::memory::MemoryBroker::new());
        let pipeline = Pipeline::<Details>::builder(store, broker).start().await.unwrap();
        let orders = OrderRoutes::of(&pipeline, &CancellationToken::new());
        let orders = service(orders, RateLimit::off(), &settings());
        let (addr, _orders) = serve_here(orders, ServerLimits::default(), drain()).await;
        asked += refusals(addr, &[OrderRoutes::<Details>::table()], options).await;
        assert!(asked > 200, "{asked}");
    }
}

#[tokio::test]
async fn what_is_switched_off_has_no_methods() {
    let settings = ServiceSettings { legacy_get: false, ..ServiceSettings::default() };
    let shop = Shop::with(Setup { settings, ..Setup::default() }).await;
    for method in ["GET", "PUT"] {
        let answer = ask(shop.addr, method, "/api/orders/do").await;
        assert_eq!((answer.status.as_u16(), answer.header("allow")), (405, ""), "{method}");
        assert!(answer.headers.contains_key("allow") && answer.text().contains("switched off"));
    }
}
