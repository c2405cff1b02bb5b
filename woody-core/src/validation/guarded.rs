use std::time::Duration;

use async_trait::async_trait;

use crate::domain::NewOrder;
use crate::ports::{ValidateError, Validator, Verdict};
use crate::resilience::CircuitBreaker;

/// Keeps a [`CircuitBreaker`] between the shop and a validator that asks
/// something outside.
///
/// # Contract
/// - A verdict of either kind, and a [`ValidateError::Permanent`], show that the
///   other side is there. A transient failure, or no answer within the timeout,
///   counts against it.
/// - While the breaker is open the validator is not asked, and the answer is
///   [`ValidateError::Unavailable`].
///
/// The timeout belongs here, inside the breaker: one around it would only drop
/// the call, which says nothing about the other side.
#[derive(Debug)]
pub struct Guarded<V> {
    validator: V,
    breaker: CircuitBreaker,
    timeout: Duration,
}

impl<V: Validator> Guarded<V> {
    /// Guards `validator`, which has `timeout` for each answer.
    pub fn new(validator: V, breaker: CircuitBreaker, timeout: Duration) -> Self {
        Self { validator, breaker, timeout }
    }

    /// The breaker, for whoever shows its state.
    pub fn breaker(&self) -> &CircuitBreaker {
        &self.breaker
    }
}

#[async_trait]
impl<V: Validator> Validator for Guarded<V> {
    async fn validate(&self, order: &NewOrder) -> Result<Verdict, ValidateError> {
        let Some(permit) = self.breaker.try_acquire() else {
            return Err(ValidateError::Unavailable("it failed too often of late".into()));
        };
        let asked = tokio::time::timeout(self.timeout, self.validator.validate(order)).await;
        let result = asked.unwrap_or_else(|_| {
            let text = format!("no answer within {:?}", self.timeout);
            Err(ValidateError::Transient(text.into()))
        });
        match &result {
            Err(error) if error.is_transient() => permit.failure(),
            _ => permit.success(),
        }
        result
    }
}

#[cfg(test)]
mod tests {
    use std::future::pending;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;
    use crate::domain::{ProductName, Quantity};
    use crate::resilience::BreakerConfig;

    /// Answers the first calls with an error, then never again.
    struct Failing(Option<ValidateError>, AtomicUsize);

    #[async_trait]
    impl Validator for Failing {
        async fn validate(&self, _: &NewOrder) -> Result<Verdict, ValidateError> {
            self.1.fetch_add(1, Ordering::SeqCst);
            match &self.0 {
                Some(error) => Err(error.clone()),
                None => pending().await,
            }
        }
    }

    async fn ask_thrice(error: Option<ValidateError>) -> (Vec<ValidateError>, usize) {
        let breaker = CircuitBreaker::new(BreakerConfig { failures: 2, ..Default::default() });
        let failing = Failing(error, AtomicUsize::new(0));
        let guarded = Guarded::new(failing, breaker, Duration::from_millis(100));
        let order = NewOrder::new(ProductName::parse("Train").unwrap(), Quantity::ONE);
        let mut errors = Vec::new();
        for _ in 0..3 {
            errors.push(guarded.validate(&order).await.unwrap_err());
        }
        (errors, guarded.validator.1.load(Ordering::SeqCst))
    }

    #[tokio::test(start_paused = true)]
    async fn silence_and_transient_failures_open_the_breaker() {
        for error in [None, Some(ValidateError::Transient("busy".into()))] {
            let (errors, asked) = ask_thrice(error).await;
            assert!(matches!(errors[1], ValidateError::Transient(_)), "{errors:?}");
            assert!(matches!(errors[2], ValidateError::Unavailable(_)), "{errors:?}");
            assert_eq!(asked, 2);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_permanent_failure_shows_that_the_other_side_is_there() {
        let (errors, asked) = ask_thrice(Some(ValidateError::Permanent("bad order".into()))).await;
        assert!(errors.iter().all(|error| !error.is_transient()));
        assert_eq!(asked, 3);
    }
}
