//! A whole shop in this process, over the memory backends.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use async_trait::async_trait;
use bytes::Bytes;
use http_body_util::Full;
use hyper::Request;
use tokio::{net::TcpListener, sync::watch, task::JoinHandle};
use tokio_util::sync::CancellationToken;
use woody_adapters::http::{
    ClientShare, Drain, Drained, FrontRoutes, GatewayLimits, HttpService, MiscRoutes,
    ProductRoutes, ServerLimits, ServiceSettings, StreamSettings, ToyOrderRoutes, gateway, serve,
};
use woody_broker::memory::MemoryBroker;
use woody_core::{
    domain::NewOrder,
    ports::{Broker, OrderStore, ProductStore, ValidateError, Validator, Verdict},
    services::{Catalogue, HeavyComputation, HeavyConfig, Pipeline},
    workshop::{HeavyPool, HeavyPoolConfig, Workshop},
};
use woody_store::MemoryStore;

use super::client::{Answer, FOREVER, request, send};

/// A shop that listens on a port of its own.
pub(super) struct Shop {
    pub(super) addr: SocketAddr,
    pub(super) store: Arc<MemoryStore>,
    pub(super) broker: Arc<MemoryBroker>,
    pub(super) stop: CancellationToken,
    /// What the workers say of orders; none while they are to think on.
    pub(super) verdict: watch::Sender<Option<Result<Verdict, ValidateError>>>,
    serving: JoinHandle<Drained>,
    _pipeline: Pipeline,
}

/// How a shop is to be.
pub(super) struct Setup {
    pub(super) limits: GatewayLimits,
    pub(super) settings: ServiceSettings,
    pub(super) server: ServerLimits,
    pub(super) streams: usize,
    pub(super) streams_per_client: ClientShare,
    pub(super) heartbeat: Duration,
    pub(super) grace: Duration,
    pub(super) heavy: HeavyPool,
}

impl Default for Setup {
    fn default() -> Self {
        Self {
            limits: GatewayLimits::off(),
            settings: ServiceSettings::default(),
            server: ServerLimits::default(),
            streams: 100,
            streams_per_client: ClientShare::off(),
            heartbeat: Duration::from_secs(15),
            grace: Duration::from_secs(30),
            heavy: HeavyPool::new(HeavyPoolConfig::default()),
        }
    }
}

impl Shop {
    /// A shop as it usually is, without rate limits.
    pub(super) async fn open() -> Self {
        Self::with(Setup::default()).await
    }

    pub(super) async fn with(setup: Setup) -> Self {
        let store = Arc::new(MemoryStore::new());
        let broker = Arc::new(MemoryBroker::new());
        let (verdict, heard) = watch::channel(None);
        let orders: Arc<dyn OrderStore> = Arc::<MemoryStore>::clone(&store);
        let pipeline = Pipeline::builder(orders, Arc::<MemoryBroker>::clone(&broker))
            .validator(Arc::new(Oracle(heard)))
            .look_every(Duration::from_millis(100))
            .start()
            .await
            .unwrap();
        let products: Arc<dyn ProductStore> = Arc::<MemoryStore>::clone(&store);
        let workshop = Arc::new(Workshop::default());
        let heavy = HeavyComputation::new(workshop, setup.heavy, HeavyConfig::default())
            .with_products(Arc::clone(&products));
        let stop = CancellationToken::new();
        let streams = StreamSettings {
            streams: setup.streams,
            per_client: setup.streams_per_client,
            heartbeat: setup.heartbeat,
            stop: stop.clone(),
        };
        let service = gateway(
            MiscRoutes::new(Arc::new(heavy)),
            ProductRoutes::new(Arc::new(Catalogue::new(products))),
            ToyOrderRoutes::new(pipeline.intake(), pipeline.tracker(), streams),
            FrontRoutes::new(),
            &setup.limits,
            &setup.settings,
        );
        let drain = Drain::new(stop.clone(), setup.grace);
        let (addr, serving) = serve_here(service, setup.server, drain).await;
        Self { addr, store, broker, stop, verdict, serving, _pipeline: pipeline }
    }

    /// Sends `GET /path` or another line, with headers.
    pub(super) async fn ask(&self, line: &str, headers: &[&str]) -> Answer {
        self.send(request(line, headers, "")).await
    }

    pub(super) async fn get(&self, path: &str) -> Answer {
        self.ask(&format!("GET {path}"), &[]).await
    }

    /// Sends JSON.
    pub(super) async fn post(&self, path: &str, body: &serde_json::Value) -> Answer {
        let json = ["content-type: application/json"];
        self.send(request(&format!("POST {path}"), &json, body.to_string())).await
    }

    pub(super) async fn send(&self, request: Request<Full<Bytes>>) -> Answer {
        send(self.addr, request).await
    }

    /// Places an order and returns its id.
    pub(super) async fn order(&self, product: &str) -> String {
        let body = serde_json::json!({"product": product});
        let answer = self.post("/api/orders", &body).await;
        answer.json()["order_id"].as_str().unwrap().to_owned()
    }

    /// Lets the workers decide all orders, those of later too.
    pub(super) fn decide(&self, verdict: Result<Verdict, ValidateError>) {
        self.verdict.send_replace(Some(verdict));
    }

    /// Nothing was stored, and nothing published.
    pub(super) async fn is_untouched(&self) -> bool {
        let counts = self.store.counts().await.unwrap();
        let products = self.store.summary().await.unwrap();
        let depth = self.broker.admin().depth().await.unwrap();
        counts.pending + counts.success + counts.outbox + products.count + depth.ready == 0
            && depth.in_flight.unwrap_or_default() == 0
    }

    /// Stops it, and returns how it ended.
    pub(super) async fn close(self) -> Drained {
        self.stop.cancel();
        self.serving.await.unwrap()
    }
}

/// How a server ends that is never told to.
pub(super) fn drain() -> Drain {
    Drain::new(CancellationToken::new(), FOREVER)
}

/// Serves `service` on a port of its own.
pub(super) async fn serve_here(
    service: impl HttpService,
    limits: ServerLimits,
    drain: Drain,
) -> (SocketAddr, JoinHandle<Drained>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    (addr, tokio::spawn(serve(listener, service, limits, drain)))
}

/// Says of every order what it was told to say, once it was told.
struct Oracle(watch::Receiver<Option<Result<Verdict, ValidateError>>>);

#[async_trait]
impl Validator for Oracle {
    async fn validate(&self, _: &NewOrder) -> Result<Verdict, ValidateError> {
        let mut heard = self.0.clone();
        let verdict = heard.wait_for(Option::is_some).await.map(|verdict| verdict.clone());
        match verdict {
            Ok(Some(verdict)) => verdict,
            _ => std::future::pending().await,
        }
    }
}
