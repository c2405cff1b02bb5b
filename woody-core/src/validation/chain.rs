use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use crate::domain::{NewOrder, OrderDetails, Reason, ToyOrder};
use crate::ports::{ValidateError, Validator, Verdict};

/// Asks validators one after the other.
///
/// # Contract
/// - They are asked in the order in which they were added.
/// - The first that rejects or fails decides, and the rest is not asked.
/// - When all succeed, their reasons are joined with `; `. No validator at all
///   is a success.
/// - One that takes longer than its time is dropped, which is a
///   [`ValidateError::Transient`] that names it.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// use std::sync::Arc;
/// use std::time::Duration;
/// use woody_core::domain::{NewOrder, ToyOrder};
/// use woody_core::ports::{Validator, Verdict};
/// use woody_core::validation::{AcceptAll, ValidatorChain};
///
/// let chain = ValidatorChain::new()
///     .then("stock", Duration::from_secs(1), Arc::new(AcceptAll))
///     .then("fraud check", Duration::from_secs(2), Arc::new(AcceptAll));
/// let order = NewOrder::new(ToyOrder::parse("Train", 1).unwrap());
/// assert_eq!(chain.validate(&order).await, Ok(Verdict::Success(None)));
/// # }
/// ```
#[derive(Clone)]
pub struct ValidatorChain<D: OrderDetails = ToyOrder> {
    links: Vec<Link<D>>,
}

#[derive(Clone)]
struct Link<D> {
    name: Cow<'static, str>,
    timeout: Duration,
    validator: Arc<dyn Validator<D>>,
}

impl<D: OrderDetails> Default for ValidatorChain<D> {
    fn default() -> Self {
        Self { links: vec![] }
    }
}

impl<D: OrderDetails> ValidatorChain<D> {
    /// Makes a chain without a link, which accepts everything.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a validator at the end. `name` stands in the reason when it takes
    /// longer than `timeout`.
    #[must_use]
    pub fn then(
        mut self,
        name: impl Into<Cow<'static, str>>,
        timeout: Duration,
        validator: Arc<dyn Validator<D>>,
    ) -> Self {
        self.links.push(Link { name: name.into(), timeout, validator });
        self
    }
}

impl<D: OrderDetails> std::fmt::Debug for ValidatorChain<D> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.links.iter().map(|link| (&link.name, link.timeout))).finish()
    }
}

#[async_trait]
impl<D: OrderDetails> Validator<D> for ValidatorChain<D> {
    async fn validate(&self, order: &NewOrder<D>) -> Result<Verdict, ValidateError> {
        let mut said: Option<Reason> = None;
        for link in &self.links {
            let asked = tokio::time::timeout(link.timeout, link.validator.validate(order)).await;
            let verdict = asked.unwrap_or_else(|_| {
                let text = format!("{} gave no verdict within {:?}", link.name, link.timeout);
                Err(ValidateError::Transient(text.into()))
            })?;
            match (verdict, &mut said) {
                (Verdict::Rejected(reason), _) => return Ok(Verdict::Rejected(reason)),
                (Verdict::Success(Some(more)), Some(reason)) => {
                    *reason = Reason::new(format!("{reason}; {more}"));
                }
                (Verdict::Success(more), said @ None) => *said = more,
                (Verdict::Success(None), Some(_)) => {}
            }
        }
        Ok(Verdict::Success(said))
    }
}

#[cfg(test)]
mod tests {
    use std::future::pending;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;
    use crate::validation::AcceptAll;

    /// Gives one verdict and counts how often it was asked.
    struct Always(Result<Verdict, ValidateError>, AtomicUsize);

    #[async_trait]
    impl Validator for Always {
        async fn validate(&self, _: &NewOrder) -> Result<Verdict, ValidateError> {
            self.1.fetch_add(1, Ordering::SeqCst);
            self.0.clone()
        }
    }

    struct Never;

    #[async_trait]
    impl Validator for Never {
        async fn validate(&self, _: &NewOrder) -> Result<Verdict, ValidateError> {
            pending().await
        }
    }

    fn always(verdict: Result<Verdict, ValidateError>) -> Arc<Always> {
        Arc::new(Always(verdict, AtomicUsize::new(0)))
    }

    fn order() -> NewOrder {
        NewOrder::new(ToyOrder::parse("Train", 1).unwrap())
    }

    async fn ask(links: &[Arc<Always>]) -> Result<Verdict, ValidateError> {
        let chain = links.iter().fold(ValidatorChain::new(), |chain, link| {
            chain.then("link", Duration::from_secs(1), Arc::clone(link) as Arc<dyn Validator>)
        });
        chain.validate(&order()).await
    }

    fn success(reason: Option<&str>) -> Verdict {
        Verdict::Success(reason.map(Reason::from))
    }

    #[tokio::test]
    async fn the_reasons_of_all_successes_are_joined() {
        let links = [success(None), success(Some("a")), success(None), success(Some("b"))];
        assert_eq!(ask(&links.map(Ok).map(always)).await, Ok(success(Some("a; b"))));
        assert_eq!(ask(&[]).await, Ok(success(None)));
    }

    #[tokio::test]
    async fn the_first_rejection_decides_and_the_rest_is_not_asked() {
        let rejected = |why: &str| Verdict::Rejected(why.into());
        let links = [success(Some("a")), rejected("no wood"), rejected("no glue")];
        let links = links.map(Ok).map(always);
        assert_eq!(ask(&links).await, Ok(rejected("no wood")));
        assert_eq!(links.each_ref().map(|link| link.1.load(Ordering::SeqCst)), [1, 1, 0]);
    }

    #[tokio::test]
    async fn a_failure_decides_as_well() {
        let failed = Err(ValidateError::Unavailable("no bank".into()));
        let links = [Ok(success(None)), failed.clone(), Ok(success(None))].map(always);
        assert_eq!(ask(&links).await, failed);
        assert_eq!(links[2].1.load(Ordering::SeqCst), 0);
    }

    #[tokio::test(start_paused = true)]
    async fn a_link_that_takes_too_long_is_named() {
        let chain = ValidatorChain::new()
            .then("stock", Duration::from_secs(1), Arc::new(AcceptAll))
            .then("fraud check", Duration::from_secs(2), Arc::new(Never));
        let why = "fraud check gave no verdict within 2s".into();
        assert_eq!(chain.validate(&order()).await, Err(ValidateError::Transient(why)));
    }
}
