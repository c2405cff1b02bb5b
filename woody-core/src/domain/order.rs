use time::OffsetDateTime;

use super::{
    ClientName, Details, DetailsError, Label, OrderDetails, OrderId, OrderStatus, ToyOrder,
    TraceContext,
};

/// An order as it is accepted: all that must survive from then on.
///
/// Programs hold the details as a type of their own, ports as [`Details`].
///
/// ```
/// use woody_core::domain::{Details, NewOrder, ToyOrder};
///
/// let order = NewOrder::new(ToyOrder::parse("Train", 2)?);
/// let carried = order.encode(Details::MAX_BYTES)?;
/// assert_eq!(carried.details.as_str(), r#"{"product":"Train","quantity":2}"#);
/// assert_eq!(carried.decode::<ToyOrder>()?, order);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewOrder<D = ToyOrder> {
    /// Its id.
    pub id: OrderId,
    /// What it asks for.
    pub details: D,
    /// When it was accepted, UTC.
    pub accepted_at: OffsetDateTime,
    /// The trace that it belongs to, if its client named one.
    pub trace: Option<TraceContext>,
    /// Who has placed it, where clients have names.
    pub client: Option<ClientName>,
    /// What [operators find it by](OrderDetails::found_by). A store keeps it to list orders by, and returns it with none.
    pub found_by: Option<Label>,
}

/// Returns the time now, UTC, in whole microseconds: what every store can keep.
pub fn now() -> OffsetDateTime {
    let now = OffsetDateTime::now_utc();
    now.replace_nanosecond(now.nanosecond() / 1_000 * 1_000).unwrap_or(now)
}

impl<D> NewOrder<D> {
    /// Makes an order with a fresh id, accepted now.
    pub fn new(details: D) -> Self {
        Self {
            id: OrderId::fresh(),
            details,
            accepted_at: now(),
            trace: None,
            client: None,
            found_by: None,
        }
    }

    /// Returns the same order, asking for something else.
    fn with<E>(&self, details: E) -> NewOrder<E> {
        let Self { id, accepted_at, trace, .. } = *self;
        let (client, found_by) = (self.client.clone(), self.found_by.clone());
        NewOrder { id, details, accepted_at, trace, client, found_by }
    }
}

impl<D: OrderDetails> NewOrder<D> {
    /// Returns the order as ports carry it; its details may be `at_most` bytes of text.
    ///
    /// # Errors
    /// [`DetailsError`], as [`Details::of`].
    pub fn encode(&self, at_most: usize) -> Result<NewOrder<Details>, DetailsError> {
        let found_by = self.details.found_by();
        Ok(NewOrder { found_by, ..self.with(Details::of(&self.details, at_most)?) })
    }
}

impl NewOrder<Details> {
    /// Returns the order with its details as a `D`.
    ///
    /// # Errors
    /// [`DetailsError`], as [`Details::decode`].
    pub fn decode<D: OrderDetails>(&self) -> Result<NewOrder<D>, DetailsError> {
        Ok(self.with(self.details.decode()?))
    }

    /// Returns how many bytes of text it holds of its own: a client's name is shared by its orders.
    pub(crate) fn text_bytes(&self) -> usize {
        self.details.as_str().len()
            + self.found_by.as_ref().map_or(0, |found_by| found_by.as_str().len())
    }

    /// Whether `other` asks for the same in the same words, whenever it was sent.
    pub fn asks_the_same_as(&self, other: &Self) -> bool {
        self.details == other.details
    }
}

/// An order and its status.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order<D = ToyOrder> {
    /// Its id.
    pub id: OrderId,
    /// What it asks for.
    pub details: D,
    /// Its status.
    pub status: OrderStatus,
    /// When it was accepted, UTC.
    pub accepted_at: OffsetDateTime,
    /// When its final state was saved, UTC.
    pub finished_at: Option<OffsetDateTime>,
    /// The trace that it belongs to, if its client named one.
    pub trace: Option<TraceContext>,
    /// Who has placed it, where clients have names.
    pub client: Option<ClientName>,
}

impl Order<Details> {
    /// Returns the order with its details as a `D`.
    ///
    /// # Errors
    /// [`DetailsError`], as [`Details::decode`].
    pub fn decode<D: OrderDetails>(self) -> Result<Order<D>, DetailsError> {
        let Self { id, details, status, accepted_at, finished_at, trace, client } = self;
        let details = details.decode()?;
        Ok(Order { id, details, status, accepted_at, finished_at, trace, client })
    }
}
