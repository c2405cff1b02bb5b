use crate::domain::{IdempotencyKey, OrderDetails, ToyOrder};

/// What a client asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderRequest<D = ToyOrder> {
    /// What it asks for.
    pub details: D,
    /// What the client calls this submit, if it may send it twice.
    pub key: Option<IdempotencyKey>,
}

impl<D> OrderRequest<D> {
    /// Makes a request that its client calls `key`: sent twice, it is one order.
    #[must_use]
    pub fn keyed(details: D, key: IdempotencyKey) -> Self {
        Self { details, key: Some(key) }
    }
}

/// A request without a key: each is an order of its own.
impl<D: OrderDetails> From<D> for OrderRequest<D> {
    fn from(details: D) -> Self {
        Self { details, key: None }
    }
}
