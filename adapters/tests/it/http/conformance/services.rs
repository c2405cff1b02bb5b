//! Every service over memory backends, each on a port of its own.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use metrics_exporter_prometheus::PrometheusBuilder;
use tokio_util::sync::CancellationToken;
use woody_adapters::http::{
    AdminRoutes, FrontRoutes, GatewayLimits, MiscRoutes, ProductRoutes, RateLimit, Readiness,
    ServerLimits, ServiceSettings, StreamSettings, ToyOrderRoutes, gateway, service,
};
use woody_broker::memory::MemoryBroker;
use woody_core::{
    ports::{OrderStore, ProductStore},
    services::{Catalogue, HeavyComputation, HeavyConfig, Pipeline},
    workshop::{HeavyPool, HeavyPoolConfig, Workshop},
};
use woody_store::MemoryStore;

use super::super::shop::{drain, serve_here};

/// A service that listens.
pub(super) struct Service {
    pub(super) name: &'static str,
    pub(super) addr: SocketAddr,
    /// What answers 200 to a GET.
    get: &'static str,
    /// What takes a POST, and a body that it accepts.
    post: Option<(&'static str, &'static str)>,
    _pipeline: Option<Arc<Pipeline>>,
}

impl Service {
    /// Whether it is meant to be sent this.
    pub(super) fn takes(&self, template: &str) -> bool {
        self.post.is_some() || !template.contains("{post}")
    }

    /// The message with this service's paths and body in it.
    pub(super) fn fill(&self, template: &str) -> Vec<u8> {
        let (post, body) = self.post.unwrap_or_default();
        // The body in two chunks, each with its size.
        let (first, second) = body.split_at(body.len() / 2);
        let text = template
            .replace("{get}", self.get)
            .replace("{post}", post)
            .replace("{length}", &body.len().to_string())
            .replace("{body}", body)
            .replace("{size1}", &format!("{:x}", first.len()))
            .replace("{size2}", &format!("{:X}", second.len()))
            .replace("{chunk1}", first)
            .replace("{chunk2}", second);
        text.into_bytes()
    }
}

const ADD: (&str, &str) = ("/api/products", r#"{"name": "kite"}"#);
const ORDER: (&str, &str) = ("/api/orders", r#"{"product": "lion"}"#);

/// All of them.
pub(super) async fn services() -> Vec<Service> {
    let store = Arc::new(MemoryStore::new());
    let orders: Arc<dyn OrderStore> = Arc::<MemoryStore>::clone(&store);
    let pipeline = Pipeline::builder(orders, Arc::new(MemoryBroker::new())).start().await.unwrap();
    let pipeline = Arc::new(pipeline);
    let products: Arc<dyn ProductStore> = store;
    let pool = HeavyPool::new(HeavyPoolConfig::default());
    let heavy = Arc::new(HeavyComputation::new(
        Arc::new(Workshop::default()),
        pool,
        HeavyConfig::default(),
    ));
    let misc = || MiscRoutes::new(Arc::clone(&heavy));
    let catalogue = || ProductRoutes::new(Arc::new(Catalogue::new(Arc::clone(&products))));
    let streams = || StreamSettings {
        heartbeat: Duration::from_secs(15),
        ..StreamSettings::until(CancellationToken::new())
    };
    let orders = || ToyOrderRoutes::new(pipeline.intake(), pipeline.tracker(), streams());
    let readiness = Arc::new(Readiness::new(CancellationToken::new()));
    let admin = AdminRoutes::new(readiness, PrometheusBuilder::new().build_recorder().handle());
    let off = RateLimit::off;
    let hosts = "x, shop.test".parse().unwrap();
    let settings = ServiceSettings { hosts, ..ServiceSettings::default() };

    let mut all = Vec::new();
    macro_rules! serve {
        ($name:literal, $service:expr, $get:literal, $post:expr) => {
            let (addr, _) = serve_here($service, ServerLimits::default(), drain()).await;
            let pipeline = Some(Arc::clone(&pipeline));
            all.push(Service { name: $name, addr, get: $get, post: $post, _pipeline: pipeline });
        };
    }
    serve!("misc-service", service(misc(), off(), &settings), "/api/misc/time", None);
    serve!("product-service", service(catalogue(), off(), &settings), "/api/products", Some(ADD));
    serve!(
        "order-service",
        service(orders(), off(), &settings),
        "/api/orders/0192f0c1-2f3a-7c4d-8e5f-6a7b8c9d0e1f",
        Some(ORDER)
    );
    serve!("admin", service(admin, off(), &settings), "/healthz", None);
    serve!("front", service(FrontRoutes::new(), off(), &settings), "/style.css", None);
    serve!(
        "woodytoys",
        gateway(
            misc(),
            catalogue(),
            orders(),
            FrontRoutes::new(),
            &GatewayLimits::off(),
            &settings
        ),
        "/api/ping",
        Some(ORDER)
    );
    all
}
