use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// How soon a [`CircuitBreaker`] opens, and for how long.
#[non_exhaustive]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BreakerConfig {
    /// Failures in a row that open it; 0 counts as 1.
    pub failures: u32,
    /// How long the first opening lasts. Each probe that fails doubles it.
    pub open_for: Duration,
    /// The longest that an opening lasts; a day at most.
    pub open_at_most: Duration,
}

impl BreakerConfig {
    crate::__setters! {
        failures: u32,
        open_for: Duration,
        open_at_most: Duration,
    }
}

impl Default for BreakerConfig {
    /// Five failures in a row; one second, at most thirty.
    fn default() -> Self {
        Self {
            failures: 5,
            open_for: Duration::from_secs(1),
            open_at_most: Duration::from_secs(30),
        }
    }
}

/// A probe is at most a day away; longer times might overflow the clock.
const LONGEST_OPENING: Duration = Duration::from_hours(24);

/// The state of a [`CircuitBreaker`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BreakerState {
    /// Calls go through.
    Closed,
    /// Calls are refused.
    Open,
    /// The next call is let through as a probe, or one is under way.
    HalfOpen,
}

/// Stops calls to an unavailable dependency, and finds out when it is back.
///
/// ```text
///            failures in a row               the time is over
///   Closed ────────────────────► Open ──────────────────────► HalfOpen
///     ▲                            ▲      the probe failed        │
///     │                            └──────────────────────────────┤
///     └───────────────────────────────────────────────────────────┘
///                          the probe succeeded
/// ```
///
/// # Contract
/// - While it is open, [`try_acquire`](Self::try_acquire) returns `None` and
///   nothing else happens: no lock is held across a wait, nothing is queued.
/// - While it is half open there is exactly one probe. A probe that is dropped
///   (its call was cancelled) says nothing: the next caller probes.
/// - A result counts for the period in which its call began. A call that began
///   before the breaker opened cannot close it or open it again.
/// - Each opening lasts between half and the whole of its time (jitter, so that
///   replicas do not probe together); the time doubles from opening to opening
///   until a probe succeeds.
///
/// ```
/// use woody_core::resilience::{BreakerConfig, CircuitBreaker};
///
/// let breaker = CircuitBreaker::new(BreakerConfig::default().failures(2));
/// for _ in 0..2 {
///     breaker.try_acquire().expect("it is closed").failure();
/// }
/// assert!(breaker.try_acquire().is_none(), "two failures in a row opened it");
/// ```
#[derive(Debug)]
pub struct CircuitBreaker {
    config: BreakerConfig,
    inner: Mutex<Inner>,
}

#[derive(Debug)]
struct Inner {
    phase: Phase,
    /// Grows with each change of phase; results of another period are ignored.
    period: u64,
    /// Openings since the last success.
    openings: u32,
}

#[derive(Debug, Clone, Copy)]
enum Phase {
    Closed { failures: u32 },
    Open { until: Instant },
    Probing,
}

impl CircuitBreaker {
    /// Makes a closed breaker.
    pub fn new(config: BreakerConfig) -> Self {
        let inner = Inner { phase: Phase::Closed { failures: 0 }, period: 0, openings: 0 };
        Self { config, inner: Mutex::new(inner) }
    }

    /// Returns a permit for one call, or `None` while the dependency is taken to be
    /// unavailable.
    ///
    /// Report how the call went with [`Permit::success`] or [`Permit::failure`].
    #[must_use = "a permit that is dropped at once says nothing about the dependency"]
    pub fn try_acquire(&self) -> Option<Permit<'_>> {
        let mut inner = self.lock();
        match inner.phase {
            Phase::Closed { .. } => {}
            Phase::Open { until } if Instant::now() >= until => inner.enter(Phase::Probing),
            Phase::Open { .. } | Phase::Probing => return None,
        }
        Some(Permit { breaker: self, period: inner.period, reported: false })
    }

    /// Returns where it stands now.
    pub fn state(&self) -> BreakerState {
        match self.lock().phase {
            Phase::Closed { .. } => BreakerState::Closed,
            Phase::Open { until } if Instant::now() < until => BreakerState::Open,
            Phase::Open { .. } | Phase::Probing => BreakerState::HalfOpen,
        }
    }

    /// Returns how long calls will be refused for, at least; zero when one may go through.
    ///
    /// What a caller tells its own client to wait (`Retry-After`).
    pub fn refuses_for(&self) -> Duration {
        match self.lock().phase {
            Phase::Open { until } => until.saturating_duration_since(Instant::now()),
            Phase::Closed { .. } | Phase::Probing => Duration::ZERO,
        }
    }

    fn report(&self, period: u64, report: Report) {
        let mut inner = self.lock();
        if inner.period != period {
            return;
        }
        match (inner.phase, report) {
            (Phase::Closed { .. }, Report::Success) => inner.phase = Phase::Closed { failures: 0 },
            (Phase::Closed { failures }, Report::Failure)
                if failures.saturating_add(1) < self.config.failures =>
            {
                inner.phase = Phase::Closed { failures: failures + 1 };
            }
            (Phase::Probing, Report::Success) => {
                inner.openings = 0;
                inner.enter(Phase::Closed { failures: 0 });
            }
            (Phase::Closed { .. } | Phase::Probing, Report::Failure) => {
                let until = Instant::now() + self.opening(inner.openings);
                inner.openings = inner.openings.saturating_add(1);
                inner.enter(Phase::Open { until });
            }
            (Phase::Probing, Report::Nothing) => {
                inner.enter(Phase::Open { until: Instant::now() });
            }
            (Phase::Closed { .. }, Report::Nothing) | (Phase::Open { .. }, _) => {}
        }
    }

    /// Returns how long the opening after `earlier` ones lasts.
    fn opening(&self, earlier: u32) -> Duration {
        let doubled = self.config.open_for.saturating_mul(2_u32.saturating_pow(earlier));
        let whole = doubled.min(self.config.open_at_most).min(LONGEST_OPENING);
        whole.mul_f64(0.5 + fastrand::f64() / 2.0)
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // Nothing panics while it is held; if it did, the state would still be whole.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for CircuitBreaker {
    fn default() -> Self {
        Self::new(BreakerConfig::default())
    }
}

impl Inner {
    fn enter(&mut self, phase: Phase) {
        self.phase = phase;
        self.period += 1;
    }
}

#[derive(Debug, Clone, Copy)]
enum Report {
    Success,
    Failure,
    Nothing,
}

/// Leave to make one call; see [`CircuitBreaker`].
///
/// Dropping it reports nothing, which is right for a call that was cancelled.
#[must_use = "report how the call went with `success` or `failure`"]
#[derive(Debug)]
pub struct Permit<'a> {
    breaker: &'a CircuitBreaker,
    period: u64,
    reported: bool,
}

impl Permit<'_> {
    /// Whether this call finds out if the dependency is back.
    pub fn is_probe(&self) -> bool {
        let inner = self.breaker.lock();
        inner.period == self.period && matches!(inner.phase, Phase::Probing)
    }

    /// Notes that the dependency replied, whatever it said.
    pub fn success(mut self) {
        self.reported = true;
        self.breaker.report(self.period, Report::Success);
    }

    /// Notes that the dependency did not reply.
    pub fn failure(mut self) {
        self.reported = true;
        self.breaker.report(self.period, Report::Failure);
    }
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        if !self.reported {
            self.breaker.report(self.period, Report::Nothing);
        }
    }
}

#[cfg(test)]
mod tests;
