use std::any::Any;
use std::num::NonZeroUsize;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use rayon::{ThreadPool, ThreadPoolBuilder};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};

use super::Wanted;
use crate::domain::PoolUse;

/// How much heavy work there may be at once.
#[non_exhaustive]
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeavyPoolConfig {
    /// Threads, each with one job at a time; 1,024 at most.
    pub threads: NonZeroUsize,
    /// Jobs that may wait for a thread.
    pub waiting: usize,
    /// How long [`HeavyPool::run`] waits until its job may wait for a thread.
    pub patience: Duration,
    /// How long a job is [`Wanted`], from when it begins to run.
    pub limit: Duration,
    /// How nice the threads are to the others of the process: 0 (not at all)
    /// to 19. It has an effect on Linux only, where each thread has its own.
    pub nice: i32,
}

impl HeavyPoolConfig {
    crate::__setters! {
        threads: NonZeroUsize,
        waiting: usize,
        patience: Duration,
        limit: Duration,
        nice: i32,
    }
}

impl Default for HeavyPoolConfig {
    /// A thread per core, 256 waiting jobs, ten seconds of patience, five for a job, nice 10.
    fn default() -> Self {
        Self {
            threads: thread::available_parallelism().unwrap_or(NonZeroUsize::MIN),
            waiting: 256,
            patience: Duration::from_secs(10),
            limit: Duration::from_secs(5),
            nice: 10,
        }
    }
}

/// More than a machine has cores: beyond that threads only cost.
const MOST_THREADS: NonZeroUsize = NonZeroUsize::MIN.saturating_add(1_023);

/// A heavy job has no result.
#[non_exhaustive]
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HeavyError {
    /// Every thread is busy and every waiting place is taken.
    #[error("all heavy work places are taken")]
    Busy,
    /// The job panicked, with this message.
    #[error("heavy work panicked: {0}")]
    Panicked(String),
    /// The job ended at its limit, with nothing to show.
    #[error("heavy work took longer than it may")]
    TookTooLong,
    /// The pool is shut down, or no thread of it could be started.
    #[error("the pool of heavy work is closed")]
    Closed,
}

impl HeavyError {
    /// Whether the same job may succeed later.
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::Busy | Self::TookTooLong)
    }
}

/// Runs heavy work on threads of its own, so that the runtime's stay free.
///
/// Its threads have a lower priority than the others, and jobs are bounded:
/// one runs on each thread, a number of them waits, and past that the result
/// is [`HeavyError::Busy`]. Clones share one pool. Inside a job, rayon's
/// parallel iterators use the threads of this pool.
///
/// # Cancel safety
/// A job that still waits when its future is dropped never runs, and its place
/// is free at once. One that runs is not [`Wanted`] from then on: if it asks, it
/// ends soon, and if not it goes on to its end. Its result is dropped.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// use woody_core::workshop::{HeavyPool, HeavyPoolConfig};
///
/// let pool = HeavyPool::new(HeavyPoolConfig::default());
/// let sum = pool.run(|| (1..=1_000_u64).sum::<u64>()).await;
/// assert_eq!(sum, Ok(500_500));
/// pool.shutdown().await;
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct HeavyPool {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    config: HeavyPoolConfig,
    /// One for each job that waits or runs.
    places: Arc<Semaphore>,
    /// One for each job that runs.
    slots: Arc<Semaphore>,
    threads: Mutex<Threads>,
}

#[derive(Debug, Default)]
struct Threads {
    pool: Option<Arc<ThreadPool>>,
    handles: Vec<JoinHandle<()>>,
}

impl Default for HeavyPool {
    fn default() -> Self {
        Self::new(HeavyPoolConfig::default())
    }
}

impl HeavyPool {
    /// Starts the threads.
    ///
    /// A machine that refuses them gives a pool on which every job is
    /// [`HeavyError::Closed`].
    pub fn new(mut config: HeavyPoolConfig) -> Self {
        config.threads = config.threads.min(MOST_THREADS);
        let threads = config.threads.get();
        let started = start(&config).unwrap_or_else(|error| {
            tracing::error!(%error, "the threads for heavy work could not be started");
            Threads::default()
        });
        let places = threads.saturating_add(config.waiting).min(Semaphore::MAX_PERMITS);
        Self {
            inner: Arc::new(Inner {
                places: Arc::new(Semaphore::new(places)),
                slots: Arc::new(Semaphore::new(threads)),
                threads: Mutex::new(started),
                config,
            }),
        }
    }

    /// Runs `job` and waits for its result; while every place is taken it
    /// waits for one, up to the configured patience.
    ///
    /// # Errors
    /// [`HeavyError`].
    pub async fn run<T, F>(&self, job: F) -> Result<T, HeavyError>
    where
        T: Send + 'static,
        F: FnOnce() -> T + Send + 'static,
    {
        self.run_while_wanted(|_| job()).await
    }

    /// As [`run`](Self::run), for a job that asks whether it is still wanted.
    ///
    /// # Errors
    /// [`HeavyError`].
    pub async fn run_while_wanted<T, F>(&self, job: F) -> Result<T, HeavyError>
    where
        T: Send + 'static,
        F: FnOnce(&Wanted) -> T + Send + 'static,
    {
        let place = Arc::clone(&self.inner.places).acquire_owned();
        let place = tokio::time::timeout(self.inner.config.patience, place)
            .await
            .map_err(|_| HeavyError::Busy)?
            .map_err(|_| HeavyError::Closed)?;
        self.run_in(place, job).await
    }

    /// Runs `job` and waits for its result, unless every place is taken: then
    /// it returns [`HeavyError::Busy`] at once.
    ///
    /// # Errors
    /// [`HeavyError`].
    pub async fn try_run<T, F>(&self, job: F) -> Result<T, HeavyError>
    where
        T: Send + 'static,
        F: FnOnce() -> T + Send + 'static,
    {
        self.try_run_while_wanted(|_| job()).await
    }

    /// As [`try_run`](Self::try_run), for a job that asks whether it is still wanted.
    ///
    /// # Errors
    /// [`HeavyError`].
    pub async fn try_run_while_wanted<T, F>(&self, job: F) -> Result<T, HeavyError>
    where
        T: Send + 'static,
        F: FnOnce(&Wanted) -> T + Send + 'static,
    {
        let place =
            Arc::clone(&self.inner.places).try_acquire_owned().map_err(|error| match error {
                tokio::sync::TryAcquireError::NoPermits => HeavyError::Busy,
                tokio::sync::TryAcquireError::Closed => HeavyError::Closed,
            })?;
        self.run_in(place, job).await
    }

    async fn run_in<T, F>(&self, place: OwnedSemaphorePermit, job: F) -> Result<T, HeavyError>
    where
        T: Send + 'static,
        F: FnOnce(&Wanted) -> T + Send + 'static,
    {
        // Jobs queue here and not inside the thread pool: a future that is
        // dropped while it waits takes its job with it.
        let slot =
            Arc::clone(&self.inner.slots).acquire_owned().await.map_err(|_| HeavyError::Closed)?;
        let pool = self.threads().pool.clone().ok_or(HeavyError::Closed)?;
        let (answer, result) = oneshot::channel();
        // Dropped with this future, and so the job knows.
        let caller = Arc::new(());
        let (waits, limit) = (Arc::downgrade(&caller), self.inner.config.limit);
        pool.spawn_fifo(move || {
            let wanted = Wanted::by(waits, limit);
            let outcome = catch_unwind(AssertUnwindSafe(|| job(&wanted)));
            drop((slot, place));
            // The caller may have stopped waiting, which is fine.
            let _ = answer.send(outcome.map_err(|panic| HeavyError::Panicked(message(&*panic))));
        });
        drop(pool);
        let outcome = result.await.unwrap_or(Err(HeavyError::Closed));
        drop(caller);
        outcome
    }

    /// Returns how many threads run a job, and how many jobs wait for one.
    pub fn usage(&self) -> PoolUse {
        let (used, waiting) = self.load();
        PoolUse { used, limit: self.inner.config.threads.get(), waiting: Some(waiting) }
    }

    /// Returns how many jobs run, and how many wait for a thread.
    pub fn load(&self) -> (usize, usize) {
        let threads = self.inner.config.threads.get();
        let places = threads.saturating_add(self.inner.config.waiting).min(Semaphore::MAX_PERMITS);
        let running = threads.saturating_sub(self.inner.slots.available_permits());
        let taken = places.saturating_sub(self.inner.places.available_permits());
        (running, taken.saturating_sub(running))
    }

    /// Refuses new jobs, drops the waiting ones, lets the running ones end and
    /// joins the threads. A second call, or one on a clone, finds nothing to do.
    pub async fn shutdown(&self) {
        self.inner.places.close();
        self.inner.slots.close();
        let Threads { pool, handles } = std::mem::take(&mut *self.threads());
        // The threads end when the last handle of the pool is dropped.
        drop(pool);
        let joined = tokio::task::spawn_blocking(move || {
            for handle in handles {
                // Panics of jobs are caught; there is nothing to learn here.
                let _ = handle.join();
            }
        });
        let _ = joined.await;
    }

    fn threads(&self) -> std::sync::MutexGuard<'_, Threads> {
        self.inner.threads.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn start(config: &HeavyPoolConfig) -> Result<Threads, rayon::ThreadPoolBuildError> {
    let nice = config.nice.clamp(0, 19);
    let mut handles = Vec::new();
    let pool = ThreadPoolBuilder::new()
        .num_threads(config.threads.get())
        .thread_name(|index| format!("heavy-{index}"))
        .spawn_handler(|worker| {
            let mut builder = thread::Builder::new();
            if let Some(name) = worker.name() {
                builder = builder.name(name.to_owned());
            }
            handles.push(builder.spawn(move || {
                lower_priority(nice);
                worker.run();
            })?);
            Ok(())
        })
        .build()?;
    Ok(Threads { pool: Some(Arc::new(pool)), handles })
}

/// Lowers the priority of the calling thread, not of its process: Linux keeps
/// one per thread, where POSIX has one per process.
#[cfg(target_os = "linux")]
fn lower_priority(nice: i32) {
    if let Err(error) = rustix::process::setpriority_process(None, nice) {
        tracing::warn!(%error, nice, "heavy work keeps its usual priority");
    }
}

#[cfg(not(target_os = "linux"))]
fn lower_priority(_: i32) {}

fn message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("no message")
        .to_owned()
}

#[cfg(test)]
mod tests;
