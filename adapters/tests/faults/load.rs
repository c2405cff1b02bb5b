//! Clients that place orders all the time.

use std::{
    net::SocketAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::Request;
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use testkit::{
    ledger::{Answer, Ledger},
    waiting::until,
};
use tokio::{
    sync::Semaphore,
    task::JoinHandle,
    time::{interval, timeout},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use uuid::Uuid;

use crate::{orders::Orders, shop::Shop, watch};

pub type Http = Client<HttpConnector, Full<Bytes>>;

/// Longer than both deadlines of an intake together.
const LIMIT: Duration = Duration::from_secs(10);
/// How often a client tries again that may: one with a key, or one whose order
/// never left.
const TRIES: usize = 40;
/// More clients than this at once are not sent out.
const CLIENTS: usize = 4_096;
/// Of so many orders, one is followed by GET and one by its events; not more
/// than so many at once.
const WATCHED: u64 = 20;
const WATCHERS: usize = 64;

/// A load under way.
pub struct Load {
    ledger: Arc<Ledger>,
    enough: CancellationToken,
    placing: JoinHandle<()>,
    clients: TaskTracker,
}

impl Load {
    /// Places `rate` orders a second, whether or not they are answered.
    pub fn start(shop: &Shop, tag: &str, rate: u32) -> Self {
        let (ledger, enough) = (Arc::new(Ledger::new(tag)), CancellationToken::new());
        let clients = TaskTracker::new();
        let http = Client::builder(TokioExecutor::new()).build_http();
        let client = Arc::new(Customer {
            http,
            addresses: shop.addresses(),
            orders: shop.orders,
            ledger: Arc::clone(&ledger),
            watchers: Semaphore::new(WATCHERS),
        });
        let (until, tasks) = (enough.clone(), clients.clone());
        let placing = tokio::spawn(async move {
            let places = Arc::new(Semaphore::new(CLIENTS));
            let mut beat = interval(Duration::from_secs(1) / rate.max(1));
            for submit in 0.. {
                tokio::select! {
                    _ = beat.tick() => {}
                    () = until.cancelled() => return,
                }
                let Ok(place) = Arc::clone(&places).acquire_owned().await else { return };
                let client = Arc::clone(&client);
                tasks.spawn(async move {
                    client.order(submit).await;
                    drop(place);
                });
            }
        });
        Self { ledger, enough, placing, clients }
    }

    pub fn ledger(&self) -> &Arc<Ledger> {
        &self.ledger
    }

    /// Waits until `more` further orders have been promised.
    pub async fn goes_on(&self, more: usize) {
        let enough = self.ledger.promised().len() + more;
        until("more orders are accepted", async || self.ledger.promised().len() >= enough).await;
    }

    /// Places no more, and waits until each order that is watched has ended.
    pub async fn end(self) -> Arc<Ledger> {
        self.enough.cancel();
        self.placing.await.unwrap();
        self.clients.close();
        self.clients.wait().await;
        self.ledger
    }
}

struct Customer {
    http: Http,
    addresses: Vec<SocketAddr>,
    orders: Orders,
    ledger: Arc<Ledger>,
    watchers: Semaphore,
}

impl Customer {
    /// One submit, as a careful client does it; every third has a key.
    async fn order(&self, submit: u64) {
        let key = submit.is_multiple_of(3).then(|| format!("{}-{submit}", self.ledger.tag()));
        let Answer::Promised(id) = self.place(submit, key.as_deref()).await else { return };
        // Some send it twice although they were answered.
        if submit.is_multiple_of(15) {
            let _ = self.place(submit, key.as_deref()).await;
        }
        let Ok(_place) = self.watchers.try_acquire() else { return };
        let (http, at, ledger) = (&self.http, &self.addresses, &self.ledger);
        match submit % WATCHED {
            3 => watch::by_asking(http, at, id, ledger).await,
            13 => watch::by_events(http, at, id, ledger).await,
            _ => {}
        }
    }

    async fn place(&self, submit: u64, key: Option<&str>) -> Answer {
        let began = Instant::now();
        let first = usize::try_from(submit).unwrap();
        let mut answer = Answer::Silence;
        for attempt in 0..TRIES {
            let at = self.addresses[(first + attempt) % self.addresses.len()];
            match timeout(LIMIT, self.send(at, submit, key)).await {
                Ok(Ok(said)) => {
                    answer = said;
                    break;
                }
                // No replica was there: no request was sent.
                Ok(Err(error)) if error.is_connect() => {}
                // With a key, asking again is safe; without, it is not.
                _ if key.is_some() => {}
                _ => break,
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        self.ledger.note(submit, began, answer);
        answer
    }

    async fn send(
        &self,
        at: SocketAddr,
        submit: u64,
        key: Option<&str>,
    ) -> Result<Answer, hyper_util::client::legacy::Error> {
        let mut request = Request::post(format!("http://{at}/api/orders"))
            .header("content-type", "application/json");
        if let Some(key) = key {
            request = request.header("idempotency-key", key);
        }
        let body = self.orders.details(&self.ledger.product(submit)).to_string();
        let response = self.http.request(request.body(Full::from(body)).unwrap()).await?;
        let status = response.status().as_u16();
        // An answer that broke off in the middle is none.
        let Ok(body) = response.into_body().collect().await else { return Ok(Answer::Silence) };
        Ok(match status {
            202 => Answer::Promised(order_id(&body.to_bytes())),
            503 => Answer::Refused,
            other => {
                let said = String::from_utf8_lossy(&body.to_bytes()).into_owned();
                self.ledger.note_broken(format!("submit {submit} was answered {other}: {said}"));
                Answer::Silence
            }
        })
    }
}

fn order_id(body: &[u8]) -> Uuid {
    let receipt: serde_json::Value = serde_json::from_slice(body).unwrap();
    receipt["order_id"].as_str().unwrap().parse().unwrap()
}
