use crate::{
    domain::{Details, MalformedMessage, NewOrder, OrderDetails, OrderMessage, TraceContext},
    ports::Delivery,
};

/// An order as its message told it.
pub(super) struct Received<D> {
    /// With its details as they were written: that is what the store gets, so that
    /// fields which this version does not know are not lost.
    pub(super) carried: NewOrder<Details>,
    /// With its details as the validator knows them.
    pub(super) asked: NewOrder<D>,
}

impl<D: OrderDetails> Received<D> {
    /// Reads a delivery's order. It is boxed, since it is handed on through futures, each of which has room for it.
    pub(super) fn read(delivery: &Delivery) -> Result<Box<Self>, MalformedMessage> {
        let mut carried = OrderMessage::parse(delivery.body())?.into_order();
        carried.client = delivery.client().cloned();
        let asked: NewOrder<D> = carried.decode()?;
        carried.found_by = asked.details.found_by();
        Ok(Box::new(Self { carried, asked }))
    }

    /// The same order as a part of this trace.
    pub(super) fn traced(mut self: Box<Self>, trace: Option<TraceContext>) -> Box<Self> {
        self.carried.trace = trace;
        self.asked.trace = trace;
        self
    }
}
