//! The HTTP validator asks a real service, through a worker over the memory backends.

use std::{
    num::NonZeroU16,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::{Request, Response, StatusCode, body::Incoming, service::service_fn};
use hyper_util::rt::TokioIo;
use testkit::waiting::PATIENCE;
use tokio::net::TcpListener;
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use woody_adapters::http_validator::HttpValidator;
use woody_broker::memory::MemoryBroker;
use woody_core::{
    contract::toy,
    domain::{OrderId, OrderStatus, Outcome},
    ports::{Broker, OrderStore},
    services::{OrderWorker, Waits, WorkerSettings},
};
use woody_store::MemoryStore;

/// Answers `status` for products that begin with "bad", and when `for_all` is set for all.
struct Service {
    url: String,
    status: Arc<Mutex<(StatusCode, bool)>>,
    asked: Arc<AtomicU32>,
}

impl Service {
    async fn start(status: u16, for_all: bool) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/check?key=secret", listener.local_addr().unwrap());
        let status = Arc::new(Mutex::new((StatusCode::from_u16(status).unwrap(), for_all)));
        let asked = Arc::<AtomicU32>::default();
        let (manner, count) = (Arc::clone(&status), Arc::clone(&asked));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (manner, count) = (Arc::clone(&manner), Arc::clone(&count));
                let service = service_fn(move |request: Request<Incoming>| {
                    let (manner, count) = (Arc::clone(&manner), Arc::clone(&count));
                    async move {
                        count.fetch_add(1, Ordering::SeqCst);
                        let body = request.into_body().collect().await?.to_bytes();
                        let is_bad = body.windows(4).any(|part| part == b"\"bad");
                        let (status, for_all) = *manner.lock().unwrap();
                        let status = if is_bad || for_all { status } else { StatusCode::OK };
                        let body = Full::new(Bytes::from_static(br#"{"verdict": "success"}"#));
                        let mut response = Response::new(body);
                        *response.status_mut() = status;
                        Ok::<_, hyper::Error>(response)
                    }
                });
                let http = hyper::server::conn::http1::Builder::new();
                tokio::spawn(http.serve_connection(TokioIo::new(stream), service));
            }
        });
        Self { url, status, asked }
    }

    fn agrees(&self) {
        *self.status.lock().unwrap() = (StatusCode::OK, false);
    }
}

struct Shop {
    store: Arc<MemoryStore>,
    broker: MemoryBroker,
    waits: Arc<Waits>,
    stop: CancellationToken,
    tasks: TaskTracker,
}

impl Shop {
    async fn open(url: &str, prefetch: u16) -> Self {
        let (store, broker) = (Arc::new(MemoryStore::new()), MemoryBroker::new());
        let (stop, tasks) = (CancellationToken::new(), TaskTracker::new());
        let validator = HttpValidator::new(url, Duration::from_secs(4)).unwrap();
        let settings = WorkerSettings::default()
            .retry_base(Duration::from_millis(20))
            .wait_base(Duration::from_millis(5));
        let store_port = Arc::clone(&store) as Arc<dyn OrderStore>;
        let worker: OrderWorker =
            OrderWorker::start(store_port, Arc::new(validator), broker.events(), settings, &tasks);
        let waits = worker.waits();
        let consumer = broker.consumer(NonZeroU16::new(prefetch).unwrap()).await.unwrap();
        tasks.spawn(Arc::new(worker).run(consumer, stop.clone()));
        Self { store, broker, waits, stop, tasks }
    }

    async fn place(&self, name: &str) -> OrderId {
        let order = toy(name);
        self.broker.publisher().publish(&[(&order).into()]).await.unwrap();
        order.id
    }

    async fn ended(&self, id: OrderId) -> OrderStatus {
        let ended = async {
            loop {
                if let Ok(Some(order)) = self.store.order(id).await
                    && order.status.is_final()
                {
                    return order.status;
                }
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(PATIENCE, ended).await.expect("it ends")
    }

    async fn close(self) {
        self.stop.cancel();
        self.tasks.close();
        tokio::time::timeout(PATIENCE, self.tasks.wait()).await.unwrap();
    }
}

/// One worker, one delivery at a time, five bad orders in front of the good ones.
#[tokio::test(flavor = "multi_thread")]
async fn orders_that_make_the_service_fail_end_and_stop_nobody() {
    for status in [500, 404, 503] {
        let service = Service::start(status, false).await;
        let shop = Shop::open(&service.url, 1).await;
        let mut bad = Vec::new();
        for n in 0..5 {
            bad.push(shop.place(&format!("bad {n}")).await);
        }
        let good = shop.place("Train").await;
        assert!(
            matches!(shop.ended(good).await, OrderStatus::Ended(Outcome::Success(_))),
            "{status}"
        );
        // Others succeed meanwhile, as in any shop.
        let placing = async {
            loop {
                let next = shop.place("Boat").await;
                shop.ended(next).await;
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        let ending = async {
            for id in bad {
                let status = shop.ended(id).await;
                assert!(matches!(status, OrderStatus::Ended(Outcome::Failed(_))), "{status:?}");
            }
        };
        tokio::select! {
            () = placing => {}
            () = ending => {}
        }
        shop.close().await;
    }
}

/// A service that fails for every order fails none, shows where it is, and is
/// waited for until it is mended.
#[tokio::test(flavor = "multi_thread")]
async fn a_service_that_fails_for_all_is_no_orders_end() {
    for status in [401, 404, 503] {
        let service = Service::start(status, true).await;
        let shop = Shop::open(&service.url, 2).await;
        let mut orders = Vec::new();
        for n in 0..4 {
            orders.push(shop.place(&format!("Train {n}")).await);
        }
        let waited = async {
            while service.asked.load(Ordering::SeqCst) < 40 {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(PATIENCE, waited).await.expect("it is asked again and again");
        let wait = shop.waits.current().expect("it shows");
        let shown = wait.reason.to_string();
        assert!(shown.contains("/check") && !shown.contains("secret"), "{shown}");
        service.agrees();
        for id in orders {
            let status = shop.ended(id).await;
            assert!(matches!(status, OrderStatus::Ended(Outcome::Success(_))), "{status:?}");
        }
        assert_eq!(shop.waits.current(), None);
        shop.close().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_that_cannot_be_reached_costs_no_attempt() {
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://user:pass@{}/check", nobody.local_addr().unwrap());
    drop(nobody);
    let shop = Shop::open(&url, 1).await;
    let id = shop.place("Train").await;
    let waited = async {
        while shop.waits.current().is_none_or(|wait| !wait.reason.as_str().contains("too often")) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(PATIENCE, waited).await.expect("the breaker opens");
    assert!(!shop.waits.current().unwrap().reason.as_str().contains("pass"));
    assert!(shop.store.order(id).await.unwrap().is_none());
    shop.close().await;
}
