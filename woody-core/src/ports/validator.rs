use async_trait::async_trait;

use crate::domain::{NewOrder, OrderDetails, Outcome, Reason, ToyOrder};

/// Decides whether an order can be made. `D` is what orders ask for.
///
/// # Contract
/// - A refused order is a verdict, not an error: errors mean that no verdict
///   could be reached.
/// - The same order may be validated twice (a delivery can come again), so a
///   validator with side effects makes them idempotent by the order's id.
/// - Nothing here may block the runtime: heavy work goes to a
///   [`HeavyPool`](crate::workshop::HeavyPool) or another thread.
///
/// # Cancel safety
/// The worker stops waiting when the validation's time is over, by dropping
/// the future.
///
/// ```
/// use async_trait::async_trait;
/// use woody_core::domain::NewOrder;
/// use woody_core::ports::{Validator, ValidateError, Verdict};
///
/// struct NoSwords;
///
/// #[async_trait]
/// impl Validator for NoSwords {
///     async fn validate(&self, order: &NewOrder) -> Result<Verdict, ValidateError> {
///         Ok(if order.details.product.as_str().contains("sword") {
///             Verdict::Rejected("we sell toys".into())
///         } else {
///             Verdict::Success(None)
///         })
///     }
/// }
/// ```
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait Validator<D: OrderDetails = ToyOrder>: Send + Sync {
    /// Reaches a verdict on `order`.
    ///
    /// # Errors
    /// See [`ValidateError`] for what the worker does on each.
    async fn validate(&self, order: &NewOrder<D>) -> Result<Verdict, ValidateError>;
}

/// What a validator found.
#[must_use]
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// The order can be made; the text, if any, is shown with its status.
    Success(Option<Reason>),
    /// The order cannot be made, and why.
    Rejected(Reason),
}

impl From<Verdict> for Outcome {
    fn from(verdict: Verdict) -> Self {
        match verdict {
            Verdict::Success(reason) => Self::Success(reason),
            Verdict::Rejected(reason) => Self::Rejected(reason),
        }
    }
}

/// No verdict could be reached.
///
/// | error | caused by | the worker | attempts |
/// | --- | --- | --- | --- |
/// | `Transient` | the order, perhaps | tries it again later, gives it up after the last attempt | counted |
/// | `Permanent` | the order | gives it up at once | |
/// | `Undecided` | not known yet | tries it again later | counted, except the last |
/// | `Unavailable` | a dependency | waits, and lets others try after a while | not counted |
/// | `Refused` | a dependency, until an operator acts | as above, and is not ready | not counted |
#[non_exhaustive]
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ValidateError {
    /// It may work another time: the order is tried again later, with growing
    /// delays, and is `Failed` after the last attempt.
    #[error("validation failed for now: {0}")]
    Transient(Reason),
    /// It will not work another time: the order is `Failed` at once.
    #[error("validation cannot succeed: {0}")]
    Permanent(Reason),
    /// It failed, and it is not known whether because of this order or because of the
    /// dependency: the order is tried again later, and not given up for this.
    #[error("validation failed, and it is not known whether the order is to blame: {0}")]
    Undecided(Reason),
    /// A dependency that every order needs is unavailable: the worker waits for it,
    /// at no attempt's cost.
    #[error("validation needs something that is unavailable: {0}")]
    Unavailable(Reason),
    /// A dependency is there and refuses: a missing right, a missing table, a damaged
    /// file. The worker waits until an operator has acted, at no attempt's cost.
    #[error("validation needs something that refuses: {0}")]
    Refused(Reason),
}

impl ValidateError {
    /// Whether the same call may succeed later.
    pub fn is_transient(&self) -> bool {
        !matches!(self, Self::Permanent(_))
    }
}
