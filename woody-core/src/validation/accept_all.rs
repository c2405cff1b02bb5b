use async_trait::async_trait;

use crate::domain::{NewOrder, OrderDetails};
use crate::ports::{ValidateError, Validator, Verdict};

/// Accepts every order at once.
///
/// It measures what the pipeline costs by itself, and stands in where orders
/// need no validation.
#[derive(Debug, Clone, Copy, Default)]
pub struct AcceptAll;

#[async_trait]
impl<D: OrderDetails> Validator<D> for AcceptAll {
    async fn validate(&self, _: &NewOrder<D>) -> Result<Verdict, ValidateError> {
        Ok(Verdict::Success(None))
    }
}
