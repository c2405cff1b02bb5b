//! Which of the URL's servers the store uses.
//!
//! All connections are to one server, the one that takes writes, and its pool goes with
//! it. A URL of one host that has one address is used as it is, and nothing is asked
//! beforehand.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use sqlx::Connection as _;
use sqlx::postgres::{PgConnectOptions, PgPool};
use tokio::sync::Mutex;
use tokio::time::{Instant, timeout};
use tracing::{info, warn};
use woody_core::ports::StoreError;
use woody_core::resilience::Turns;

use super::address::Address;
use super::candidates::{Candidate, candidates};
use super::error::{Error, Sign, Standby, sign};
use super::kept::{Held, Kept, Waiting};
use super::pool;
use crate::StoreOptions;

/// For this long a server that has failed comes after the others.
const LATELY: Duration = Duration::from_secs(30);

/// How often others are looked for while calls fail, at most.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// A login at a server that has no other beside it may take so long.
const LONE_LOGIN: Duration = Duration::from_secs(3);

/// How often a call begins anew when its server is left meanwhile.
const ROUNDS: usize = 3;

/// The server that is used, and the connections to it.
pub(super) struct Chosen {
    pub(super) server: PgConnectOptions,
    /// Whether the server was checked and is fit.
    pub(super) is_known: AtomicBool,
    name: String,
    pool: PgPool,
    kept: Arc<Kept>,
    /// Whether there is another address that it could be at.
    has_others: bool,
    /// It was seen to take no writes.
    turned: Arc<AtomicBool>,
}

impl Chosen {
    fn has_turned(&self) -> bool {
        self.turned.load(Ordering::Relaxed)
    }

    /// Takes back a connection whose call ended well.
    pub(super) fn keep(&self, held: Held) {
        self.kept.keep(held, || !self.pool.is_closed());
    }

    /// Ends all connections, once the calls that have them are done.
    async fn close(&self) {
        // From here on none is kept any more.
        let closing = self.pool.close();
        self.kept.let_go();
        closing.await;
    }
}

/// The servers of the URL.
pub(super) struct Servers {
    address: Address,
    options: StoreOptions,
    turns: Turns<String>,
    current: RwLock<Option<Arc<Chosen>>>,
    /// Who holds it looks for a server.
    search: Mutex<Search>,
    is_closed: AtomicBool,
}

#[derive(Default)]
struct Search {
    /// When the last search ended in vain, and what it said.
    in_vain: Option<(Instant, Vain)>,
    /// When others were last looked for while there was a server.
    looked: Option<Instant>,
}

/// What a search in vain said, for all who waited for it.
#[derive(Clone)]
struct Vain {
    said: String,
    is_refused: bool,
}

impl From<Vain> for Error {
    fn from(Vain { said, is_refused }: Vain) -> Self {
        Self(if is_refused { StoreError::refused(said) } else { StoreError::unavailable(said) })
    }
}

/// What a search has found.
struct Found {
    candidate: Candidate,
    has_others: bool,
    must_write: bool,
}

impl Servers {
    pub(super) fn new(address: Address, options: StoreOptions) -> Arc<Self> {
        Arc::new(Self {
            address,
            options,
            turns: Turns::new(LATELY),
            current: RwLock::default(),
            search: Mutex::default(),
            is_closed: AtomicBool::default(),
        })
    }

    pub(super) fn shown(&self) -> String {
        self.address.shown()
    }

    /// Takes a connection that a call has just left, if there is one.
    pub(super) fn kept(&self) -> Option<(Held, Arc<Chosen>)> {
        let chosen = self.good()?;
        let held = chosen.kept.fresh()?;
        Some((held, chosen))
    }

    /// Takes a connection to the server that takes writes.
    pub(super) async fn lend(self: &Arc<Self>) -> Result<(Held, Arc<Chosen>), Error> {
        for _ in 0..ROUNDS {
            let chosen = self.chosen().await?;
            let waiting = match self.pinged(&chosen.kept).await {
                Ok(held) => return Ok((held, chosen)),
                Err(waiting) => waiting,
            };
            let mut closed = chosen.pool.close_event();
            match closed.do_until(chosen.pool.acquire()).await.flatten() {
                Ok(mut connection) if chosen.has_turned() => connection.close_on_drop(),
                Ok(connection) => {
                    drop(waiting);
                    return Ok((Held::new(connection), chosen));
                }
                // It was left for another meanwhile.
                Err(sqlx::Error::PoolClosed) if !self.is_closed() => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(StoreError::unavailable(Standby).into())
    }

    /// Takes a kept connection whose server responds; others are closed.
    async fn pinged(&self, kept: &Arc<Kept>) -> Result<Held, Waiting> {
        loop {
            let mut held = kept.any()?;
            match timeout(self.options.acquire_timeout, held.connection.ping()).await {
                Ok(Ok(())) => return Ok(held),
                Ok(Err(_)) | Err(_) => held.connection.close_on_drop(),
            }
        }
    }

    /// Returns the server that is used. If there is none, looks for one; all who call
    /// meanwhile share what comes of it.
    pub(super) async fn chosen(self: &Arc<Self>) -> Result<Arc<Chosen>, Error> {
        if let Some(chosen) = self.good() {
            return Ok(chosen);
        }
        let began = Instant::now();
        let mut search = self.search.lock().await;
        if self.is_closed() {
            return Err(sqlx::Error::PoolClosed.into());
        }
        if let Some(chosen) = self.good() {
            return Ok(chosen);
        }
        if let Some((at, vain)) = &search.in_vain
            && *at > began
        {
            return Err(vain.clone().into());
        }
        match self.find().await {
            Ok(_) if self.is_closed() => Err(sqlx::Error::PoolClosed.into()),
            Ok(found) => Ok(self.take(found)),
            Err(failures) => {
                let (error, vain) = failures.into_error();
                search.in_vain = Some((Instant::now(), vain));
                Err(error)
            }
        }
    }

    /// Hears what a call came to, and returns it. A server that takes no writes is left;
    /// one that does not respond is left if there is another.
    pub(super) fn heard(self: &Arc<Self>, error: Error) -> Error {
        let sign = sign(&error.0);
        if sign == Sign::None || self.is_closed() {
            return error;
        }
        let Some(chosen) = self.current() else { return error };
        let servers = Arc::clone(self);
        match sign {
            Sign::ReadOnly => {
                chosen.turned.store(true, Ordering::Relaxed);
                if chosen.has_others {
                    // So that the next call finds another.
                    tokio::spawn(async move { servers.chosen().await.map(drop) });
                }
            }
            Sign::Doubtful if chosen.has_others => {
                tokio::spawn(async move { servers.look_around(&chosen).await });
            }
            Sign::Doubtful | Sign::None => {}
        }
        error
    }

    /// Looks whether another server than this one is to be used.
    async fn look_around(self: &Arc<Self>, doubtful: &Arc<Chosen>) {
        let Ok(mut search) = self.search.try_lock() else { return };
        let is_current = self.good().is_some_and(|chosen| Arc::ptr_eq(&chosen, doubtful));
        let is_early = search.looked.is_some_and(|at| at.elapsed() < LOOK_EVERY);
        if !is_current || is_early {
            return;
        }
        self.turns.failed(doubtful.name.clone());
        if let Ok(found) = self.find().await
            && (found.candidate.name != doubtful.name || doubtful.has_turned())
            && !self.is_closed()
        {
            self.take(found);
        }
        search.looked = Some(Instant::now());
    }

    /// Tries the servers one after the other.
    async fn find(&self) -> Result<Found, Failures> {
        let limit = self.address.login_timeout;
        let all = candidates(&self.address.hosts, limit).await;
        let has_others = all.len() > 1;
        let must_write = self.address.must_write.unwrap_or(has_others);
        let limit = if has_others { limit } else { limit.max(LONE_LOGIN) };
        let mut failures = Failures::default();
        for name in self.turns.order(all.iter().map(|candidate| candidate.name.clone())) {
            let Some(candidate) = all.iter().find(|candidate| candidate.name == name) else {
                continue;
            };
            let found = || Found { candidate: candidate.clone(), has_others, must_write };
            if !has_others && !must_write {
                return Ok(found());
            }
            match candidate.probe(limit, must_write).await {
                Ok(()) => {
                    self.turns.good(&name);
                    failures.report();
                    return Ok(found());
                }
                Err(error) => {
                    let is_news = self.turns.failed(name.clone());
                    failures.0.push(Failure { name, error, is_news });
                }
            }
        }
        Err(failures)
    }

    /// Uses a server from now on, and leaves the one before.
    fn take(&self, found: Found) -> Arc<Chosen> {
        let Found { candidate: Candidate { name, server }, has_others, must_write } = found;
        let turned = Arc::<AtomicBool>::default();
        let pool = pool::over(&server, &self.options, must_write.then(|| Arc::clone(&turned)));
        let chosen = Arc::new(Chosen {
            server,
            is_known: AtomicBool::default(),
            name,
            pool,
            kept: Arc::default(),
            has_others,
            turned,
        });
        let mut current = self.current.write().unwrap_or_else(PoisonError::into_inner);
        let before = current.replace(Arc::clone(&chosen));
        drop(current);
        if let Some(before) = before {
            if has_others {
                info!(
                    store.host = chosen.name,
                    store.before = before.name,
                    "another server is used"
                );
            }
            let limit = self.options.call_timeout;
            // Calls that are under way end within their time.
            tokio::spawn(async move { timeout(limit, before.close()).await });
        }
        chosen
    }

    fn current(&self) -> Option<Arc<Chosen>> {
        self.current.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn good(&self) -> Option<Arc<Chosen>> {
        self.current().filter(|chosen| !chosen.has_turned())
    }

    /// Returns how many connections are in use, and how many there may be.
    pub(super) fn connections(&self) -> (usize, usize) {
        let used = self.current().map_or(0, |chosen| {
            let open = usize::try_from(chosen.pool.size()).unwrap_or(usize::MAX);
            open.saturating_sub(chosen.pool.num_idle() + chosen.kept.count())
        });
        (used, usize::try_from(self.options.max_connections).unwrap_or(usize::MAX))
    }

    fn is_closed(&self) -> bool {
        self.is_closed.load(Ordering::Relaxed)
    }

    /// Ends all connections, once the calls that have them are done.
    pub(super) async fn close(&self) {
        self.is_closed.store(true, Ordering::Relaxed);
        if let Some(chosen) = self.current() {
            chosen.close().await;
        }
    }
}

/// What the servers said that were tried in vain.
#[derive(Default)]
struct Failures(Vec<Failure>);

struct Failure {
    name: String,
    error: Error,
    is_news: bool,
}

/// What an error's source says, which is where a server's words are.
fn said(error: &StoreError) -> String {
    match error {
        StoreError::Unavailable(source) | StoreError::Refused(source) => source.to_string(),
        other => other.to_string(),
    }
}

impl Failures {
    /// Another server is used, so nobody else hears of these. A standby is no news.
    fn report(&self) {
        let is_worth =
            |failure: &&Failure| failure.is_news && sign(&failure.error.0) != Sign::ReadOnly;
        for Failure { name, error, .. } in self.0.iter().filter(is_worth) {
            let error = said(&error.0);
            warn!(store.host = name, error, "a host of the store cannot be used, another is");
        }
    }

    fn into_error(mut self) -> (Error, Vain) {
        let is_refused = self.0.iter().all(|one| matches!(one.error.0, StoreError::Refused(_)));
        if self.0.len() == 1
            && let Some(Failure { error, .. }) = self.0.pop()
        {
            let vain = Vain { said: said(&error.0), is_refused };
            return (error, vain);
        }
        let each = self.0.iter().map(|one| format!("{}: {}", one.name, said(&one.error.0)));
        let each: Vec<String> = each.collect();
        let said = format!("no host of the store can be used: {}", each.join("; "));
        let vain = Vain { said, is_refused };
        (vain.clone().into(), vain)
    }
}
