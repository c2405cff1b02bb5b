use crate::domain::{ClientName, IdempotencyKey, OrderDetails, ToyOrder, TraceContext};

/// What a client asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderRequest<D = ToyOrder> {
    /// What it asks for.
    pub details: D,
    /// What the client calls this submit, if it may send it twice.
    pub key: Option<IdempotencyKey>,
    /// The trace that the request belongs to, if the client named one: it goes with the order, to
    /// whoever is told of its end.
    pub trace: Option<TraceContext>,
    /// Who asks, where clients have names: it is kept with the order.
    pub client: Option<ClientName>,
}

impl<D> OrderRequest<D> {
    /// Makes a request that its client calls `key`: sent twice, it is one order.
    #[must_use]
    pub fn keyed(details: D, key: IdempotencyKey) -> Self {
        Self { details, key: Some(key), trace: None, client: None }
    }

    /// The same request as a part of this trace.
    #[must_use]
    pub fn traced(self, trace: Option<TraceContext>) -> Self {
        Self { trace, ..self }
    }

    /// The same request of this client.
    #[must_use]
    pub fn placed_by(self, client: Option<ClientName>) -> Self {
        Self { client, ..self }
    }
}

/// A request without a key: each is an order of its own.
impl<D: OrderDetails> From<D> for OrderRequest<D> {
    fn from(details: D) -> Self {
        Self { details, key: None, trace: None, client: None }
    }
}
