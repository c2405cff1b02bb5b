use crate::{
    domain::{NewOrder, ToyOrder},
    services::Ready,
};

/// An order that is kept from now on.
#[must_use]
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Accepted<D = ToyOrder> {
    /// The order as it was accepted.
    pub order: NewOrder<D>,
    /// Where it is kept.
    pub kept: Kept,
    /// When it will be ready; `None` as long as there is no data, and for one that was kept
    /// already.
    pub ready: Option<Ready>,
}

/// Where an accepted order is durable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kept {
    /// In the store, new.
    InStore,
    /// In the store since an earlier submit under the same key, perhaps of the same batch.
    Already,
    /// In the broker alone: the store is unavailable, a worker writes it later.
    InBroker,
}
