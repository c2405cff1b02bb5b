use std::{
    collections::HashMap,
    future::pending,
    sync::{
        Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
};

use super::*;
use crate::domain::ToyOrder;
use crate::resilience::BreakerConfig;

/// Gives one error for as long as it is down, and for one product always.
struct Moody {
    error: Option<ValidateError>,
    is_down: AtomicBool,
    asked: AtomicUsize,
    of_each: Mutex<HashMap<String, usize>>,
}

#[async_trait]
impl Validator for Moody {
    async fn validate(&self, order: &NewOrder) -> Result<Verdict, ValidateError> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        let product = order.details.product.as_str();
        *self.of_each.lock().unwrap().entry(product.to_owned()).or_default() += 1;
        if !self.is_down.load(Ordering::SeqCst) && !product.starts_with("bad") {
            return Ok(Verdict::Success(None));
        }
        match &self.error {
            Some(error) => Err(error.clone()),
            None => pending().await,
        }
    }
}

fn guarded(error: Option<ValidateError>) -> Guarded<Moody> {
    let breaker = CircuitBreaker::new(BreakerConfig { failures: 2, ..Default::default() });
    let (is_down, asked, of_each) = (AtomicBool::new(true), AtomicUsize::new(0), Mutex::default());
    let moody = Moody { error, is_down, asked, of_each };
    Guarded::new("http://fraud.example", moody, breaker, Duration::from_millis(100))
}

fn up(error: ValidateError) -> Guarded<Moody> {
    let guarded = guarded(Some(error));
    guarded.validator.is_down.store(false, Ordering::SeqCst);
    guarded
}

fn order(name: &str) -> NewOrder {
    NewOrder::new(ToyOrder::parse(name, 1).unwrap())
}

fn busy() -> ValidateError {
    ValidateError::Transient("busy".into())
}

async fn the_breaker_lets_one_through(guarded: &Guarded<Moody>) {
    tokio::time::advance(guarded.breaker().refuses_for()).await;
}

#[tokio::test(start_paused = true)]
async fn silence_and_failures_of_different_orders_open_the_breaker() {
    for error in [None, Some(busy()), Some(ValidateError::Unavailable("refused".into()))] {
        let guarded = guarded(error);
        for _ in 0..2 {
            guarded.validate(&order("Train")).await.unwrap_err();
        }
        let refused = guarded.validate(&order("Train")).await.unwrap_err();
        assert!(matches!(refused, ValidateError::Unavailable(_)), "{refused:?}");
        assert!(refused.to_string().contains("http://fraud.example"), "{refused}");
        assert_eq!(guarded.validator.asked.load(Ordering::SeqCst), 2);
    }
}

#[tokio::test(start_paused = true)]
async fn a_permanent_failure_shows_that_the_other_side_is_there() {
    let guarded = guarded(Some(ValidateError::Permanent("bad order".into())));
    for _ in 0..3 {
        assert!(!guarded.validate(&order("Train")).await.unwrap_err().is_transient());
    }
    assert_eq!(guarded.validator.asked.load(Ordering::SeqCst), 3);
}

#[tokio::test(start_paused = true)]
async fn one_order_that_always_fails_opens_nothing_and_is_to_blame() {
    let (guarded, bad) = (up(busy()), order("bad"));
    for _ in 0..5 {
        assert_eq!(guarded.validate(&bad).await, Err(busy()));
    }
    assert!(guarded.validate(&order("Train")).await.is_ok());
    assert_eq!(guarded.breaker().state(), BreakerState::Closed);
}

#[tokio::test(start_paused = true)]
async fn while_nobody_succeeds_no_order_is_to_blame() {
    let guarded = guarded(Some(busy()));
    assert_eq!(guarded.validate(&order("Train")).await, Err(busy()));
    for _ in 0..20 {
        let failed = guarded.validate(&order("Boat")).await;
        assert!(matches!(failed, Err(ValidateError::Undecided(_))), "{failed:?}");
        the_breaker_lets_one_through(&guarded).await;
    }
}

/// Five bad orders before a good one: each is a probe once, the good one closes the breaker.
#[tokio::test(start_paused = true)]
async fn a_failed_probe_leaves_the_next_probe_to_the_next_order() {
    let guarded = up(busy());
    let bad: Vec<_> = (0..5).map(|n| order(&format!("bad {n}"))).collect();
    for order in &bad {
        guarded.validate(order).await.unwrap_err();
        the_breaker_lets_one_through(&guarded).await;
    }
    assert!(guarded.validate(&order("Train")).await.is_ok());
    assert_eq!(guarded.breaker().state(), BreakerState::Closed);
    assert!(guarded.validator.of_each.lock().unwrap().values().all(|asked| *asked == 1));
    assert_eq!(guarded.validate(&bad[0]).await, Err(busy()), "others succeed: it is to blame");
}

/// No other order has come since, and the breaker has nothing to say against the service.
#[tokio::test(start_paused = true)]
async fn orders_that_failed_before_and_after_others_are_to_blame_when_only_they_are_left() {
    let guarded = up(busy());
    let bad: Vec<_> = (0..5).map(|n| order(&format!("bad {n}"))).collect();
    for order in &bad {
        guarded.validate(order).await.unwrap_err();
        the_breaker_lets_one_through(&guarded).await;
    }
    assert!(guarded.validate(&order("Train")).await.is_ok());
    for _ in 0..5 {
        for order in &bad {
            assert_eq!(guarded.validate(order).await, Err(busy()));
        }
    }
    assert_eq!(guarded.breaker().state(), BreakerState::Closed);
    // A service that fails for orders it has not seen is another matter.
    for name in ["bad ship", "bad plane"] {
        guarded.validate(&order(name)).await.unwrap_err();
    }
    assert_ne!(guarded.breaker().state(), BreakerState::Closed);
}

#[tokio::test(start_paused = true)]
async fn an_undecided_failure_is_the_orders_once_others_have_succeeded() {
    let guarded = up(ValidateError::Undecided("404".into()));
    let bad = order("bad");
    for _ in 0..3 {
        let failed = guarded.validate(&bad).await;
        assert!(matches!(failed, Err(ValidateError::Undecided(_))), "{failed:?}");
    }
    assert!(guarded.validate(&order("Train")).await.is_ok());
    assert_eq!(guarded.validate(&bad).await, Err(ValidateError::Transient("404".into())));
}
