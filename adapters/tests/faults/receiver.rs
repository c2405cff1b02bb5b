//! A receiver of webhooks that fails on command, and keeps books of what it has heard.

use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Mutex},
};

use base64::{Engine, engine::general_purpose::STANDARD};
use bytes::Bytes;
use hmac::{Hmac, KeyInit, Mac};
use http_body_util::{BodyExt, Full};
use hyper::{HeaderMap, Request, Response, StatusCode, body::Incoming, service::service_fn};
use hyper_util::rt::TokioIo;
use sha2::Sha256;
use tokio::{net::TcpListener, sync::watch, task::JoinHandle};
use uuid::Uuid;

/// How it takes what it is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hearing {
    /// It takes all of it.
    Hears,
    /// 500, every time.
    Fails,
    /// No answer until it hears again.
    Hangs,
    /// It takes all of it, and its answers are lost.
    LosesAnswers,
    /// It closes connections without a word.
    IsDead,
}

/// What it shares with the shop.
pub const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

type Failed = Box<dyn std::error::Error + Send + Sync>;

pub struct Receiver {
    pub url: String,
    books: Arc<Mutex<Books>>,
    hearing: watch::Sender<Hearing>,
    serving: JoinHandle<()>,
}

#[derive(Default)]
struct Books {
    /// The ends that it has heard of each order.
    ends: HashMap<Uuid, HashSet<String>>,
    /// How often it has heard what it had heard before.
    again: usize,
    /// What must not be.
    broken: Vec<String>,
}

impl Receiver {
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        let (hearing, watched) = watch::channel(Hearing::Hears);
        let books = Arc::<Mutex<Books>>::default();
        let noted = Arc::clone(&books);
        let serving = tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let (watched, noted) = (watched.clone(), Arc::clone(&noted));
                let service = service_fn(move |request: Request<Incoming>| {
                    hear(request, watched.clone(), Arc::clone(&noted))
                });
                let http = hyper::server::conn::http1::Builder::new();
                tokio::spawn(http.serve_connection(TokioIo::new(stream), service));
            }
        });
        Self { url, books, hearing, serving }
    }

    pub fn set(&self, hearing: Hearing) {
        self.hearing.send_replace(hearing);
    }

    /// Returns those of these ends that it has not heard.
    pub fn unheard<'a>(&self, ends: &'a [(Uuid, String)]) -> Vec<&'a (Uuid, String)> {
        let books = self.books.lock().unwrap();
        let heard = |(id, end): &(Uuid, String)| {
            books.ends.get(id).is_some_and(|heard| heard.contains(end))
        };
        ends.iter().filter(|end| !heard(end)).collect()
    }

    /// How often it has heard ends that it had heard before.
    pub fn heard_again(&self) -> usize {
        self.books.lock().unwrap().again
    }

    /// Returns what it has heard of these orders that is not how they ended; one that failed may have
    /// been validated after all.
    pub fn heard_wrong(&self, ends: &[(Uuid, String)]) -> Vec<String> {
        let books = self.books.lock().unwrap();
        let wrong = ends.iter().filter_map(|(id, end)| {
            let heard = books.ends.get(id)?;
            let is_wrong = heard.iter().any(|heard| heard != end && heard != "failed");
            is_wrong.then(|| format!("order {id} ended as {end}, and {heard:?} was told"))
        });
        wrong.chain(books.broken.iter().cloned()).collect()
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn hear(
    request: Request<Incoming>,
    mut hearing: watch::Receiver<Hearing>,
    books: Arc<Mutex<Books>>,
) -> Result<Response<Full<Bytes>>, Failed> {
    let hearing = *hearing.wait_for(|hearing| *hearing != Hearing::Hangs).await?;
    let (head, body) = request.into_parts();
    let status = match hearing {
        Hearing::IsDead => return Err("it is dead".into()),
        Hearing::Fails => StatusCode::INTERNAL_SERVER_ERROR,
        Hearing::Hears | Hearing::Hangs | Hearing::LosesAnswers => {
            let body = body.collect().await?.to_bytes();
            books.lock().unwrap().note(&head.headers, &body);
            StatusCode::NO_CONTENT
        }
    };
    if hearing == Hearing::LosesAnswers {
        return Err("its answer is lost".into());
    }
    let mut response = Response::new(Full::default());
    *response.status_mut() = status;
    Ok(response)
}

impl Books {
    fn note(&mut self, head: &HeaderMap, body: &[u8]) {
        let header =
            |name: &str| head.get(name).and_then(|value| value.to_str().ok()).unwrap_or("");
        let id = header("webhook-id");
        if header("webhook-signature") != signature(id, header("webhook-timestamp"), body) {
            self.broken.push(format!("the webhook {id} has a wrong signature"));
        }
        let event: serde_json::Value = serde_json::from_slice(body).unwrap_or_default();
        let order = event["data"]["order_id"].as_str().and_then(|id| id.parse().ok());
        let end = event["data"]["status"].as_str();
        let (Some(order), Some(end)) = (order, end) else {
            return self.broken.push(format!("the webhook {id} says {event}"));
        };
        if id != format!("{order}_{end}") || event["type"] != format!("order.{end}") {
            self.broken.push(format!("the webhook {id} is of {order} and {end}: {event}"));
        }
        if !self.ends.entry(order).or_default().insert(end.to_owned()) {
            self.again += 1;
        }
    }
}

/// Signs as Standard Webhooks has it.
fn signature(id: &str, timestamp: &str, body: &[u8]) -> String {
    let secret = STANDARD.decode(SECRET.trim_start_matches("whsec_")).unwrap();
    let mut mac = Hmac::<Sha256>::new_from_slice(&secret).unwrap();
    mac.update(format!("{id}.{timestamp}.").as_bytes());
    mac.update(body);
    format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()))
}
