use std::{
    error::Error,
    fmt,
    pin::pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use time::OffsetDateTime;

use crate::{
    domain::now,
    resilience::{BreakerConfig, BreakerState, CircuitBreaker, Permit},
    services::group_commit::{CommitError, GroupCommit, GroupError, Underway, Weight},
};

/// Probes are cheap and an outage is short: look again within two seconds.
const BREAKER: BreakerConfig = BreakerConfig {
    failures: 5,
    open_for: Duration::from_millis(500),
    open_at_most: Duration::from_secs(2),
};

/// A dependency that can keep orders, behind a breaker and a deadline.
pub(super) struct GuardedSink<T, R, E> {
    /// What the log calls it.
    name: &'static str,
    commits: GroupCommit<T, R, E>,
    deadline: Duration,
    breaker: CircuitBreaker,
    outage: Mutex<Option<Outage<E>>>,
}

/// Why a sink did not take an order.
pub(super) enum NotTaken<R, E> {
    /// Too many orders wait for it.
    Overloaded,
    /// The process is shutting down.
    Closing,
    /// It cannot take any.
    Unavailable(Outage<E>),
    /// It has not answered in time, and may take it yet.
    Late(Outage<E>, Underway<R, E>),
}

/// Why a call of a dependency failed.
pub(super) enum CallError<E> {
    /// It says no.
    Refused(E),
    /// It does not reply; the call may take effect all the same.
    Unavailable(Outage<E>),
}

/// A dependency that takes no orders: since when, and why.
#[derive(Debug)]
pub struct Outage<E> {
    since: OffsetDateTime,
    cause: Option<Arc<E>>,
}

impl<E> Outage<E> {
    /// Returns when the first of the calls failed that have failed in a row since.
    pub fn since(&self) -> OffsetDateTime {
        self.since
    }

    /// Returns the error of the last call; `None` when it timed out.
    pub fn cause(&self) -> Option<&E> {
        self.cause.as_deref()
    }
}

impl<R, E> NotTaken<R, E> {
    /// Of an item that did not come to a commit: no result for the breaker.
    fn without_a_result(error: GroupError<E>) -> Self {
        match error {
            GroupError::Full => Self::Overloaded,
            GroupError::Closed => Self::Closing,
            GroupError::Failed(cause) => {
                Self::Unavailable(Outage { since: now(), cause: Some(cause) })
            }
        }
    }
}

impl<E> Clone for Outage<E> {
    fn clone(&self) -> Self {
        Self { since: self.since, cause: self.cause.clone() }
    }
}

/// For the log: it shows the error with all its causes.
impl<E: Error> fmt::Display for Outage<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(error) = &self.cause else {
            return write!(f, "has not answered in time since {}", self.since);
        };
        write!(f, "has failed since {} ({error}", self.since)?;
        let mut cause = error.source();
        while let Some(error) = cause {
            write!(f, ": {error}")?;
            cause = error.source();
        }
        f.write_str(")")
    }
}

impl<T, R, E> GuardedSink<T, R, E>
where
    T: Clone + Weight + Send + 'static,
    R: Send + 'static,
    E: CommitError,
{
    /// Makes a sink that is taken to be available.
    pub(super) fn new(
        name: &'static str,
        commits: GroupCommit<T, R, E>,
        deadline: Duration,
    ) -> Self {
        let (breaker, outage) = (CircuitBreaker::new(BREAKER), Mutex::default());
        Self { name, commits, deadline, breaker, outage }
    }

    /// Whether it has taken what it was given lately.
    pub(super) fn is_there(&self) -> bool {
        self.breaker.state() == BreakerState::Closed
    }

    /// How long [`take`](Self::take) waits for an answer.
    pub(super) fn deadline(&self) -> Duration {
        self.deadline
    }

    /// Keeps `item`, unless the breaker is open.
    pub(super) async fn take(&self, item: T) -> Result<R, NotTaken<R, E>> {
        let Some(permit) = self.breaker.try_acquire() else {
            return Err(NotTaken::Unavailable(self.since_when()));
        };
        let mut underway = self.commits.enqueue(item).map_err(NotTaken::without_a_result)?;
        let cause = match tokio::time::timeout(self.deadline, underway.result()).await {
            Ok(Ok(taken)) => {
                permit.success();
                self.came_back();
                return Ok(taken);
            }
            Ok(Err(GroupError::Failed(error))) => Some(error),
            Ok(Err(other)) => return Err(NotTaken::without_a_result(other)),
            Err(_elapsed) => None,
        };
        let is_late = cause.is_none();
        let outage = self.failed(permit, cause);
        Err(if is_late { NotTaken::Late(outage, underway) } else { NotTaken::Unavailable(outage) })
    }

    /// Keeps `items`, handed over together, unless the breaker is open. To that they are one
    /// call, which succeeds with any of them.
    pub(super) async fn take_all(&self, items: Vec<T>) -> Vec<Result<R, NotTaken<R, E>>> {
        if items.is_empty() {
            return vec![];
        }
        let Some(permit) = self.breaker.try_acquire() else {
            let outage = self.since_when();
            return items.iter().map(|_| Err(NotTaken::Unavailable(outage.clone()))).collect();
        };
        let mut ends = Vec::with_capacity(items.len());
        let mut late = pin!(tokio::time::sleep(self.deadline));
        for underway in self.commits.enqueue_all(items) {
            ends.push(match underway {
                Ok(mut underway) => tokio::select! {
                    biased;
                    result = underway.result() => result.map_err(NotTaken::without_a_result),
                    () = &mut late => {
                        Err(NotTaken::Late(Outage { since: now(), cause: None }, underway))
                    }
                },
                Err(refused) => Err(NotTaken::without_a_result(refused)),
            });
        }
        if ends.iter().any(Result::is_ok) {
            permit.success();
            self.came_back();
            return ends;
        }
        let cause = ends.iter().find_map(|end| match end {
            Err(NotTaken::Unavailable(outage) | NotTaken::Late(outage, _)) => {
                Some(outage.cause.clone())
            }
            _ => None,
        });
        let Some(cause) = cause else { return ends };
        let since = self.failed(permit, cause).since;
        for end in &mut ends {
            if let Err(NotTaken::Unavailable(outage) | NotTaken::Late(outage, _)) = end {
                outage.since = since;
            }
        }
        ends
    }

    /// Calls the dependency for something else, unless the breaker is open.
    ///
    /// What it refuses says nothing about the items that it is to keep.
    pub(super) async fn call<O>(
        &self,
        deadline: Duration,
        call: impl Future<Output = Result<O, E>>,
    ) -> Result<O, CallError<E>> {
        let Some(permit) = self.breaker.try_acquire() else {
            return Err(CallError::Unavailable(self.since_when()));
        };
        let cause = match tokio::time::timeout(deadline, call).await {
            Ok(Ok(result)) => {
                permit.success();
                self.came_back();
                return Ok(result);
            }
            Ok(Err(error)) if error.may_be_one_items_fault() => {
                return Err(CallError::Refused(error));
            }
            Ok(Err(error)) => Some(Arc::new(error)),
            Err(_elapsed) => None,
        };
        Err(CallError::Unavailable(self.failed(permit, cause)))
    }

    fn failed(&self, permit: Permit<'_>, cause: Option<Arc<E>>) -> Outage<E> {
        let outage = {
            let mut outage = self.outage();
            let since = outage.as_ref().map_or_else(now, Outage::since);
            outage.insert(Outage { since, cause }).clone()
        };
        let was_there = self.is_there();
        permit.failure();
        if was_there && !self.is_there() {
            tracing::warn!(
                dependency = self.name,
                outage = %outage,
                "the {} takes no orders: it is asked again within seconds",
                self.name
            );
        }
        outage
    }

    /// Returns the outage because of which the breaker is open.
    fn since_when(&self) -> Outage<E> {
        // It may have recovered just now; then there is no outage to report.
        self.outage().clone().unwrap_or(Outage { since: now(), cause: None })
    }

    /// A success ends an outage, unless it is of a call that began before it.
    fn came_back(&self) {
        if self.is_there() {
            *self.outage() = None;
        }
    }

    fn outage(&self) -> MutexGuard<'_, Option<Outage<E>>> {
        // Nothing panics while it is held; if it did, the value would still be whole.
        self.outage.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};

    use tokio::time::advance;
    use tokio_util::task::TaskTracker;

    use super::*;
    use crate::{ports::BrokerError, services::group_commit::GroupLimits};

    const LIMITS: GroupLimits = GroupLimits { waiting: 64, bytes: usize::MAX, batch: 16, lanes: 1 };

    #[tokio::test(start_paused = true)]
    async fn an_open_breaker_tells_when_it_began_and_why_until_a_probe_succeeds() {
        let works = Arc::new(AtomicBool::new(false));
        let commits = {
            let works = Arc::clone(&works);
            GroupCommit::start(&TaskTracker::new(), LIMITS, move |items: Vec<()>| {
                let works = works.load(Ordering::SeqCst);
                async move {
                    if works {
                        Ok(items)
                    } else {
                        Err(BrokerError::unavailable("no route to host"))
                    }
                }
            })
        };
        let sink = GuardedSink::new("broker", commits, Duration::from_secs(1));
        let mut told = Vec::new();
        for _ in 0..10 {
            let Err(NotTaken::Unavailable(outage)) = sink.take(()).await else {
                panic!("it is unavailable")
            };
            told.push((outage.since(), outage.to_string()));
        }
        assert!(!sink.is_there());
        assert!(told.iter().all(|one| *one == told[0]), "{told:?}");
        let text = &told[0].1;
        assert!(text.ends_with("(the broker is unavailable: no route to host)"), "{text}");

        works.store(true, Ordering::SeqCst);
        advance(BREAKER.open_for).await;
        assert!(sink.take(()).await.is_ok());
        assert!(sink.outage().is_none());
    }

    #[tokio::test(start_paused = true)]
    async fn a_batch_that_fails_is_one_failure_to_the_breaker_and_none_if_some_of_it_is_kept() {
        let commits =
            GroupCommit::start(&TaskTracker::new(), LIMITS, |items: Vec<()>| async move {
                // The second commit of a batch of more than 16.
                if items.len() < 16 { Err(BrokerError::unavailable("gone")) } else { Ok(items) }
            });
        let sink = GuardedSink::new("broker", commits, Duration::from_secs(1));
        for _ in 0..2 * BREAKER.failures {
            let ends = sink.take_all(vec![(); 20]).await;
            assert_eq!(
                ends.iter().map(Result::is_ok).collect::<Vec<_>>(),
                [[true; 16].as_slice(), &[false; 4]].concat()
            );
            assert!(sink.is_there());
        }
        for failures in 1..=BREAKER.failures {
            let ends = sink.take_all(vec![(); 10]).await;
            let outages: Vec<_> = ends
                .iter()
                .map(|end| match end {
                    Err(NotTaken::Unavailable(outage)) => outage.since(),
                    _ => panic!("it is unavailable"),
                })
                .collect();
            assert_eq!(outages, [outages[0]; 10]);
            assert_eq!(sink.is_there(), failures < BREAKER.failures);
        }
        let ends = sink.take_all(vec![(); 20]).await;
        assert!(ends.iter().all(|end| matches!(end, Err(NotTaken::Unavailable(_)))));
    }

    #[tokio::test(start_paused = true)]
    async fn a_silent_dependency_is_told_apart_from_one_that_fails() {
        let commits = GroupCommit::start(&TaskTracker::new(), LIMITS, |_: Vec<()>| {
            std::future::pending::<Result<Vec<()>, BrokerError>>()
        });
        let sink = GuardedSink::new("broker", commits, Duration::from_secs(1));
        let Err(NotTaken::Late(outage, _)) = sink.take(()).await else { panic!("it is silent") };
        assert!(outage.cause().is_none());
        assert!(outage.to_string().starts_with("has not answered in time since "), "{outage}");
    }
}
