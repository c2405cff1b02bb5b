//! Whether an operator has paused the workers.

use std::{fmt, sync::Arc, time::Duration};

use async_trait::async_trait;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::{
    domain::Pause,
    ports::{Broker, Consumer, ConsumerState, Delivery, Pauses, Prefetch},
    resilience::RetryDelays,
};

/// Looks every few seconds whether an operator has paused the workers, for consumers, for
/// readiness, the gauge and the log.
///
/// What was seen last holds while the store is unavailable. Before anything was seen nothing
/// is taken: a worker that starts again in the middle of a pause is paused. A store that
/// refuses to say it (it lacks the table, or the right) pauses nobody.
pub struct PauseWatch {
    pauses: Arc<dyn Pauses>,
    seen: watch::Sender<Seen>,
}

/// What was seen last.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Seen {
    Nothing,
    NoPause,
    Paused(Pause),
}

impl fmt::Debug for PauseWatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PauseWatch").field("seen", &*self.seen.borrow()).finish_non_exhaustive()
    }
}

impl PauseWatch {
    /// Makes one that has not looked yet.
    pub fn new(pauses: Arc<dyn Pauses>) -> Self {
        Self { pauses, seen: watch::Sender::new(Seen::Nothing) }
    }

    /// Looks again and again until `shutdown`, at the latest when `every` has passed: workers
    /// that were started together do not ask together.
    pub async fn run(&self, every: Duration, shutdown: CancellationToken) {
        let every = every.max(Duration::from_millis(1));
        let looking = async {
            loop {
                self.look().await;
                // From a half of it to the whole.
                let pause = RetryDelays::new(every / 2, every).next_delay();
                tokio::time::sleep(pause).await;
            }
        };
        shutdown.run_until_cancelled(looking).await;
    }

    /// Looks once.
    pub async fn look(&self) {
        let seen = match self.pauses.current().await {
            Ok(None) => Seen::NoPause,
            Ok(Some(pause)) => Seen::Paused(pause),
            Err(error) if error.is_transient() => return,
            Err(error) => {
                if *self.seen.borrow() != Seen::Nothing {
                    return;
                }
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "whether workers are paused cannot be read: they work"
                );
                Seen::NoPause
            }
        };
        let before = self.seen.send_replace(seen.clone());
        if before != seen {
            tell(&before, &seen);
        }
    }

    /// Returns the pause that was seen last, if it was one.
    pub fn current(&self) -> Option<Pause> {
        match &*self.seen.borrow() {
            Seen::Paused(pause) => Some(pause.clone()),
            Seen::Nothing | Seen::NoPause => None,
        }
    }

    /// Returns a consumer that takes nothing while workers are paused: it leaves the queue,
    /// and gives back what it has not handed out. What was handed out is settled as ever.
    pub fn consumer(
        self: &Arc<Self>,
        broker: Arc<dyn Broker>,
        prefetch: Prefetch,
    ) -> Box<dyn Consumer> {
        Box::new(PausableConsumer {
            seen: self.seen.subscribe(),
            _watch: Arc::clone(self),
            broker,
            prefetch,
            inner: None,
            state: watch::Sender::new(ConsumerState::Recovering),
        })
    }
}

/// Tells the log and the gauge of a change.
fn tell(before: &Seen, now: &Seen) {
    match (before, now) {
        (_, Seen::Paused(Pause { since, by, because })) => {
            metrics::gauge!("woody_queue_paused").set(1.0);
            let because = because.as_ref().map_or("", |because| because.as_str());
            tracing::warn!(%since, %by, because, "workers are paused: no new orders are taken");
        }
        (Seen::Paused(pause), _) => {
            metrics::gauge!("woody_queue_paused").set(0.0);
            tracing::info!(since = %pause.since, by = %pause.by, "workers are no longer paused");
        }
        _ => metrics::gauge!("woody_queue_paused").set(0.0),
    }
}

/// A consumer of the queue, and none while workers are paused.
struct PausableConsumer {
    seen: watch::Receiver<Seen>,
    /// What tells of changes lives as long as this.
    _watch: Arc<PauseWatch>,
    broker: Arc<dyn Broker>,
    prefetch: Prefetch,
    inner: Option<(Box<dyn Consumer>, watch::Receiver<ConsumerState>)>,
    state: watch::Sender<ConsumerState>,
}

impl PausableConsumer {
    fn tell(&self, state: ConsumerState) {
        self.state.send_if_modified(|before| std::mem::replace(before, state) != state);
    }

    fn is_stopped(&self) -> bool {
        *self.state.borrow() == ConsumerState::Stopped
    }
}

#[async_trait]
impl Consumer for PausableConsumer {
    async fn next(&mut self) -> Option<Delivery> {
        while !self.is_stopped() {
            let seen = self.seen.borrow_and_update().clone();
            match (&mut self.inner, seen) {
                (Some((inner, state)), Seen::NoPause) => {
                    let now = tokio::select! {
                        biased;
                        Ok(()) = self.seen.changed() => continue,
                        Ok(()) = state.changed() => *state.borrow_and_update(),
                        delivery = inner.next() => match delivery {
                            Some(delivery) => return Some(delivery),
                            None => ConsumerState::Stopped,
                        },
                    };
                    self.tell(now);
                }
                (None, Seen::NoPause) => match self.broker.consumer(self.prefetch).await {
                    Ok(inner) => {
                        let mut state = inner.state();
                        let now = *state.borrow_and_update();
                        self.inner = Some((inner, state));
                        self.tell(now);
                    }
                    // The broker was closed.
                    Err(_) => self.tell(ConsumerState::Stopped),
                },
                // Begun again by the next call, if this one is dropped.
                (Some((inner, _)), Seen::Paused(_) | Seen::Nothing) => {
                    inner.stop().await;
                    self.inner = None;
                }
                (None, seen) => {
                    if seen != Seen::Nothing {
                        self.tell(ConsumerState::Paused);
                    }
                    // The sender lives in self.
                    let _ = self.seen.changed().await;
                }
            }
        }
        None
    }

    fn state(&self) -> watch::Receiver<ConsumerState> {
        self.state.subscribe()
    }

    async fn stop(&mut self) {
        self.tell(ConsumerState::Stopped);
        if let Some((inner, _)) = &mut self.inner {
            inner.stop().await;
        }
        self.inner = None;
    }
}
