use std::fmt;

use async_trait::async_trait;

use crate::domain::{NewOrder, OrderDetails};
use crate::ports::{ValidateError, Validator, Verdict};

/// Returns a validator that calls an async function.
///
/// The function has the order as its own: a clone for each validation. What holds large details and is called often
/// implements [`Validator`] itself.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// use woody_core::domain::{NewOrder, ToyOrder};
/// use woody_core::ports::{ValidateError, Validator, Verdict};
/// use woody_core::validation::validator_fn;
///
/// async fn no_swords(order: NewOrder) -> Result<Verdict, ValidateError> {
///     let is_sword = order.details.product.as_str() == "Sword";
///     Ok(if is_sword { Verdict::Rejected("we sell toys".into()) } else { Verdict::Success(None) })
/// }
///
/// let order = NewOrder::new(ToyOrder::parse("Train", 1).unwrap());
/// assert_eq!(validator_fn(no_swords).validate(&order).await, Ok(Verdict::Success(None)));
/// # }
/// ```
pub fn validator_fn<F>(function: F) -> ValidatorFn<F> {
    ValidatorFn { function }
}

/// A validator that calls an async function; [`validator_fn`] makes one.
#[derive(Clone, Copy)]
pub struct ValidatorFn<F> {
    function: F,
}

impl<F> fmt::Debug for ValidatorFn<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ValidatorFn").finish_non_exhaustive()
    }
}

#[async_trait]
impl<D, F, Verdicts> Validator<D> for ValidatorFn<F>
where
    D: OrderDetails,
    F: Fn(NewOrder<D>) -> Verdicts + Send + Sync,
    Verdicts: Future<Output = Result<Verdict, ValidateError>> + Send,
{
    async fn validate(&self, order: &NewOrder<D>) -> Result<Verdict, ValidateError> {
        (self.function)(order.clone()).await
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::domain::ToyOrder;

    #[tokio::test]
    async fn a_closure_decides_about_the_order_it_is_given() {
        let validator: Arc<dyn Validator> =
            Arc::new(validator_fn(async |order: NewOrder| match order.details.quantity.get() {
                1 => Ok(Verdict::Success(None)),
                n => Err(ValidateError::Permanent(format!("{n} of them").into())),
            }));
        let order = |pieces| NewOrder::new(ToyOrder::parse("Train", pieces).unwrap());
        assert_eq!(validator.validate(&order(1)).await, Ok(Verdict::Success(None)));
        let refused = ValidateError::Permanent("2 of them".into());
        assert_eq!(validator.validate(&order(2)).await, Err(refused));
    }
}
