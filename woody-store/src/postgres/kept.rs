//! Connections that wait for the next call outside the pool.
//!
//! The pool takes a connection back in a task of its own, which asks the server once more whether it is there, and
//! lends one by way of another task. Where calls follow each other at once that is a good part of what a call costs. So
//! a connection whose call ended well is kept for the next one, unless somebody waits for the pool to have one.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use sqlx::Postgres;
use sqlx::pool::PoolConnection;

/// A connection that was idle for longer is pinged before it is used.
pub(super) const TRUSTED_FOR: Duration = Duration::from_secs(1);

/// So many are kept; others go back to the pool, which closes those that are idle for long.
const MOST: usize = 4;

/// After so long a connection goes back to the pool, which knows how old one may become.
const KEPT_FOR: Duration = Duration::from_secs(10);

/// A connection that a call has, and since when the pool does not have it.
pub(super) struct Held {
    pub(super) connection: PoolConnection<Postgres>,
    left_the_pool: Instant,
}

impl Held {
    /// A connection as the pool gives it.
    pub(super) fn new(connection: PoolConnection<Postgres>) -> Self {
        Self { connection, left_the_pool: Instant::now() }
    }
}

/// The connections to one server that are kept.
#[derive(Default)]
pub(super) struct Kept(Mutex<Inner>);

#[derive(Default)]
struct Inner {
    /// With the time of the last call; the last one was used last.
    idle: Vec<(Held, Instant)>,
    /// How many callers wait for the pool.
    waiting: usize,
}

impl Kept {
    /// Takes a connection that may be used as it is.
    pub(super) fn fresh(&self) -> Option<Held> {
        let mut inner = self.inner();
        let is_fresh = inner.idle.last().is_some_and(|(_, used)| used.elapsed() <= TRUSTED_FOR);
        if is_fresh { inner.idle.pop().map(|(held, _)| held) } else { None }
    }

    /// Takes any connection, which is to be pinged. If there is none, connections go to the pool for as long as what
    /// is returned is there.
    pub(super) fn any(self: &Arc<Self>) -> Result<Held, Waiting> {
        let mut inner = self.inner();
        let Some((held, _)) = inner.idle.pop() else {
            inner.waiting += 1;
            return Err(Waiting(Arc::clone(self)));
        };
        Ok(held)
    }

    /// Keeps a connection, unless it has been kept for long or the pool is asked for one. `is_open` says whether its
    /// pool is: once it is not, and [`let_go`](Self::let_go) was called, none is kept any more.
    pub(super) fn keep(&self, held: Held, is_open: impl FnOnce() -> bool) {
        let mut inner = self.inner();
        let has_room = inner.waiting == 0 && inner.idle.len() < MOST;
        if has_room && held.left_the_pool.elapsed() < KEPT_FOR && is_open() {
            inner.idle.push((held, Instant::now()));
        } else {
            drop(inner);
            // Into the pool.
            drop(held);
        }
    }

    /// Gives all of them back to the pool.
    pub(super) fn let_go(&self) {
        let idle = std::mem::take(&mut self.inner().idle);
        drop(idle);
    }

    /// Returns how many are kept.
    pub(super) fn count(&self) -> usize {
        self.inner().idle.len()
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A store that was not closed may be dropped when its runtime is gone. A connection that goes back to the pool needs one.
impl Drop for Inner {
    fn drop(&mut self) {
        for (held, _) in self.idle.drain(..) {
            drop(held.connection.leak());
        }
    }
}

/// Somebody who waits for the pool.
pub(super) struct Waiting(Arc<Kept>);

impl Drop for Waiting {
    fn drop(&mut self) {
        self.0.inner().waiting -= 1;
    }
}
