//! Orders placed at a steady rate, with books: what a rehearsal of an update is
//! judged by.

mod address;
mod books;
mod key;

use std::{
    fmt::Write as _,
    fs::File,
    io::{self, Write as _},
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use clap::Args;
use futures::future::join_all;
use http_body_util::{BodyExt, Full, Limited};
use hyper::{
    Method, Request, StatusCode,
    body::Bytes,
    header::{AUTHORIZATION, CONTENT_TYPE, HeaderName},
    http::uri::PathAndQuery,
};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::{TokioExecutor, TokioTimer},
};
use serde::Deserialize;
use serde_json::json;
use tokio::{
    signal::unix::{SignalKind, signal},
    sync::Semaphore,
    time::{Instant, MissedTickBehavior, interval, sleep, timeout},
};
use tokio_util::task::TaskTracker;
use uuid::Uuid;
use woody_core::domain::{Details, OrderId};

use self::{
    address::{path, shop},
    books::{Answer, Books, report},
    key::shown,
};
use super::{
    error::CtlError,
    output::{Output, progress_bar},
};
use woody_adapters::config::{
    ConfigError,
    bounds::{MILLISECOND, MONTH, time, whole},
};

/// Flags of `woodyctl load`.
#[derive(Debug, Args)]
pub(super) struct LoadArgs {
    /// Where the shop is: http://HOST[:PORT]
    url: String,
    /// Orders a second, whether or not the ones before are answered (1 to 100000).
    #[arg(long, default_value = "100", value_name = "N",
          value_parser = whole::<u32>(1, 100_000))]
    rate: u32,
    /// For how long; Ctrl-C and SIGTERM end it early, with its report (1ms to 30days).
    #[arg(long = "for", default_value = "10s", value_name = "TIME",
          value_parser = time(MILLISECOND, MONTH))]
    lasts: Duration,
    /// What is ordered.
    #[arg(long, default_value = "Train", value_name = "NAME")]
    product: String,
    /// What an order of another type asks for: a JSON object, sent as it is.
    #[arg(long, value_name = "JSON", conflicts_with = "product")]
    details: Option<Details>,
    /// Path that is asked too, once for each order; several take turns.
    #[arg(long, value_name = "PATH", value_parser = path)]
    also: Vec<PathAndQuery>,
    /// File that holds the key to show, where the shop's clients have keys.
    #[arg(long, env = "WOODY_KEY_FILE", value_name = "PATH")]
    key_file: Option<PathBuf>,
    /// File for the ids that were promised, which `orders audit --promised` reads.
    #[arg(long, value_name = "FILE")]
    ledger: Option<PathBuf>,
}

/// Longer than a shop takes to reply, whatever is unavailable.
const REPLY_TIMEOUT: Duration = Duration::from_secs(30);
/// Orders under way; the next one waits, and the rate is not kept.
const UNDER_WAY: usize = 4_096;
const MAX_ANSWER: usize = 64 * 1024;

type Http = Client<HttpConnector, Full<Bytes>>;

#[derive(Deserialize)]
struct Receipt {
    order_id: OrderId,
}

pub(super) async fn run(args: LoadArgs) -> Result<Output, CtlError> {
    let shop = shop(&args.url).map_err(ConfigError::new)?;
    let cannot_write = |path: &PathBuf, error: &io::Error| {
        ConfigError::because(format!("{} cannot be written", path.display()), error)
    };
    // Before any order is placed: a promise that cannot be written down is none that can be audited.
    let mut ledger = match &args.ledger {
        Some(path) => Some((path, File::create(path).map_err(|error| cannot_write(path, &error))?)),
        None => None,
    };
    let began = Instant::now();
    let (books, stopped) = place_orders(&args, &shop, began).await?;
    if let Some((path, file)) = &mut ledger {
        let lines = books.promised.iter().fold(String::new(), |mut lines, (id, submit)| {
            let _ = writeln!(lines, "{id} {}-{submit}", books.run);
            lines
        });
        file.write_all(lines.as_bytes()).map_err(|error| cannot_write(path, &error))?;
    }
    Ok(report(books, began, stopped))
}

/// Places orders until it is time to stop, waits for every response, and says when it
/// stopped.
async fn place_orders(
    args: &LoadArgs,
    shop: &str,
    began: Instant,
) -> Result<(Books, Instant), ConfigError> {
    let no_signals = |error| ConfigError::because("cannot listen for signals", &error);
    let mut terminate = signal(SignalKind::terminate()).map_err(no_signals)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(no_signals)?;
    let http: Http = Client::builder(TokioExecutor::new())
        .pool_timer(TokioTimer::new())
        .retry_canceled_requests(false)
        .build(HttpConnector::new());
    let key = args.key_file.as_ref().map(shown).transpose()?;
    let to = format!("{shop}/api/orders");
    // Each run's submits are its own: two ledgers joined are one.
    let run = Uuid::now_v7().simple().to_string();
    let body = match &args.details {
        Some(details) => details.to_string(),
        None => json!({ "product": args.product }).to_string(),
    };
    let body = Bytes::from(body);
    let books = Books::of(run.clone());
    let (books, tasks) = (Arc::new(Mutex::new(books)), TaskTracker::new());
    let places = Arc::new(Semaphore::new(UNDER_WAY));
    let seconds = usize::try_from(args.lasts.as_secs()).unwrap_or(usize::MAX);
    let progress = progress_bar(seconds, "placing orders");
    let mut beat = interval(Duration::from_secs(1) / args.rate);
    beat.set_missed_tick_behavior(MissedTickBehavior::Burst);
    let end = sleep(args.lasts);
    tokio::pin!(end);
    for submit in 0.. {
        let place = tokio::select! {
            biased;
            () = &mut end => break,
            _ = terminate.recv() => break,
            _ = interrupt.recv() => break,
            place = async {
                beat.tick().await;
                Arc::clone(&places).acquire_owned().await
            } => place,
        };
        // The semaphore is never closed.
        let Ok(place) = place else { break };
        progress.set_position(began.elapsed().as_secs());
        let request = Request::post(&to)
            .header(CONTENT_TYPE, "application/json")
            .header(HeaderName::from_static("idempotency-key"), format!("{run}-{submit}"))
            .body(Full::from(body.clone()))
            .map_err(|error| ConfigError::because(to.clone(), &error))?;
        let mut requests = vec![request];
        if let Some(path) = args.also.iter().cycle().nth(turn(submit, args.also.len())) {
            let to = format!("{shop}{path}");
            let ask = Request::get(&to).body(Full::default());
            requests.push(ask.map_err(|error| ConfigError::because(to, &error))?);
        }
        if let Some(key) = &key {
            for request in &mut requests {
                request.headers_mut().insert(AUTHORIZATION, key.clone());
            }
        }
        let (http, books) = (http.clone(), Arc::clone(&books));
        tasks.spawn(async move {
            let asking = requests.into_iter().map(async |request| {
                let asked = Instant::now();
                let answer = timeout(REPLY_TIMEOUT, send(&http, request)).await;
                let answer =
                    answer.unwrap_or_else(|_| Answer::Failed("no response in 30 s".into()));
                lock(&books).note(submit, asked, answer);
            });
            join_all(asking).await;
            drop(place);
        });
    }
    let stopped = Instant::now();
    tasks.close();
    tasks.wait().await;
    progress.finish_and_clear();
    let books = std::mem::take(&mut *lock(&books));
    Ok((books, stopped))
}

/// Whose turn it is of so many.
fn turn(submit: u64, of: usize) -> usize {
    usize::try_from(submit).unwrap_or_default().checked_rem(of).unwrap_or_default()
}

fn lock(books: &Mutex<Books>) -> std::sync::MutexGuard<'_, Books> {
    books.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Nothing is tried again: what a client without patience would see.
async fn send(http: &Http, request: Request<Full<Bytes>>) -> Answer {
    let is_order = request.method() == Method::POST;
    let response = match http.request(request).await {
        Ok(response) => response,
        Err(error) => {
            return Answer::Failed(ConfigError::because("no response", &error).to_string());
        }
    };
    let status = response.status();
    let body = match Limited::new(response.into_body(), MAX_ANSWER).collect().await {
        Ok(body) => body.to_bytes(),
        Err(error) => return Answer::Failed(format!("{status}, and then {error}")),
    };
    if !is_order && status.is_success() {
        return Answer::Given;
    }
    match (status, serde_json::from_slice::<Receipt>(&body)) {
        (StatusCode::ACCEPTED, Ok(receipt)) => Answer::Promised(receipt.order_id),
        (StatusCode::SERVICE_UNAVAILABLE | StatusCode::TOO_MANY_REQUESTS, _) => {
            Answer::Refused(said(status, &body))
        }
        _ => Answer::Failed(said(status, &body)),
    }
}

fn said(status: StatusCode, body: &[u8]) -> String {
    format!("{status}: {}", String::from_utf8_lossy(body))
}
