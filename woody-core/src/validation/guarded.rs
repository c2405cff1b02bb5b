use std::{
    borrow::Cow,
    collections::VecDeque,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use async_trait::async_trait;

use crate::domain::{NewOrder, OrderDetails, OrderId, Reason};
use crate::ports::{ValidateError, Validator, Verdict};
use crate::resilience::{BreakerState, CircuitBreaker};

/// How many orders that failed are remembered.
const REMEMBERED: usize = 256;

/// Keeps a [`CircuitBreaker`] between the shop and a validator that asks
/// something outside, and tells an order that makes it fail from a dependency that is down.
///
/// # Contract
/// - A verdict of either kind, and a [`ValidateError::Permanent`], show that the
///   other side is there. Failures in a row of *different* orders open the breaker: one
///   order that fails again and again says nothing about the others, nor does one that
///   failed both before and after others have succeeded.
/// - While the breaker is open the validator is not asked, and the error is
///   [`ValidateError::Unavailable`] and names the dependency. Then one order is the probe;
///   if that fails, the next one to ask is the next probe.
/// - An order that fails while others succeed is to blame: [`ValidateError::Transient`].
///   While no order succeeds it is not known: [`ValidateError::Undecided`], which is no
///   order's end. The validator's own `Undecided` becomes `Transient` once another
///   order has succeeded since this one failed first.
/// - `Unavailable` and `Refused` pass as they are, and count against the dependency.
///
/// The timeout belongs here, inside the breaker: one around it would only drop
/// the call, which says nothing about the other side.
///
/// ```
/// use std::time::Duration;
/// use woody_core::{
///     resilience::{BreakerConfig, CircuitBreaker},
///     validation::{AcceptAll, Guarded},
/// };
///
/// let breaker = CircuitBreaker::new(BreakerConfig::default());
/// let guarded = Guarded::new("the payment service", AcceptAll, breaker, Duration::from_secs(2));
/// println!("{:?}", guarded.breaker());
/// ```
#[derive(Debug)]
pub struct Guarded<V> {
    name: Cow<'static, str>,
    validator: V,
    breaker: CircuitBreaker,
    timeout: Duration,
    failures: Mutex<Failures>,
}

/// Which orders failed, and whether others have succeeded since.
#[derive(Debug, Default)]
struct Failures {
    verdicts: u64,
    /// Each with the number of verdicts there were when it failed first.
    orders: VecDeque<(OrderId, u64)>,
    last: Option<Reason>,
}

/// What a failure says.
struct Blame {
    /// The order has not failed before.
    is_new: bool,
    /// It had failed before, and others have succeeded since.
    others_succeed: bool,
}

impl Failures {
    fn note(&mut self, order: OrderId, reason: &Reason) -> Blame {
        self.last = Some(reason.clone());
        let verdicts = self.verdicts;
        if let Some((_, first)) = self.orders.iter().find(|(id, _)| *id == order) {
            return Blame { is_new: false, others_succeed: *first < verdicts };
        }
        if self.orders.len() >= REMEMBERED {
            self.orders.pop_front();
        }
        self.orders.push_back((order, verdicts));
        Blame { is_new: true, others_succeed: false }
    }
}

impl<V> Guarded<V> {
    /// Guards `validator`, which has `timeout` for each call. `name` tells operators what
    /// is called: an address without secrets, say.
    pub fn new(
        name: impl Into<Cow<'static, str>>,
        validator: V,
        breaker: CircuitBreaker,
        timeout: Duration,
    ) -> Self {
        let (name, failures) = (name.into(), Mutex::default());
        Self { name, validator, breaker, timeout, failures }
    }

    /// Returns the breaker, to show its state.
    pub fn breaker(&self) -> &CircuitBreaker {
        &self.breaker
    }

    fn failures(&self) -> MutexGuard<'_, Failures> {
        self.failures.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn named(&self, reason: &Reason) -> Reason {
        Reason::new(format!("{}: {reason}", self.name))
    }

    fn closed_door(&self) -> ValidateError {
        let last = self.failures().last.clone();
        let text = match last {
            Some(last) => format!("{}: it failed too often of late: {last}", self.name),
            None => format!("{}: it failed too often of late", self.name),
        };
        ValidateError::Unavailable(Reason::new(text))
    }
}

#[async_trait]
impl<D: OrderDetails, V: Validator<D>> Validator<D> for Guarded<V> {
    async fn validate(&self, order: &NewOrder<D>) -> Result<Verdict, ValidateError> {
        let Some(permit) = self.breaker.try_acquire() else { return Err(self.closed_door()) };
        let asked = tokio::time::timeout(self.timeout, self.validator.validate(order)).await;
        let error = match asked {
            Ok(Ok(verdict)) => {
                permit.success();
                self.failures().verdicts += 1;
                return Ok(verdict);
            }
            Ok(Err(error)) => error,
            Err(_elapsed) => {
                let text = format!("no verdict within {:?}", self.timeout);
                ValidateError::Transient(text.into())
            }
        };
        let (reason, is_unsure) = match error {
            ValidateError::Permanent(_) => {
                permit.success();
                return Err(error);
            }
            ValidateError::Unavailable(reason) => {
                self.failures().last = Some(reason.clone());
                permit.failure();
                return Err(ValidateError::Unavailable(self.named(&reason)));
            }
            ValidateError::Refused(reason) => {
                self.failures().last = Some(reason.clone());
                permit.failure();
                return Err(ValidateError::Refused(self.named(&reason)));
            }
            ValidateError::Transient(reason) => (reason, false),
            ValidateError::Undecided(reason) => (reason, true),
        };
        let blame = self.failures().note(order.id, &reason);
        if blame.is_new || permit.is_probe() {
            permit.failure();
        }
        let is_down = self.breaker.state() != BreakerState::Closed;
        Err(if is_down || (is_unsure && !blame.others_succeed) {
            ValidateError::Undecided(self.named(&reason))
        } else {
            ValidateError::Transient(reason)
        })
    }
}

#[cfg(test)]
mod tests;
