use crate::domain::{Details, MalformedMessage, NewOrder, OrderDetails, OrderMessage};

/// An order as its message told it.
pub(super) struct Received<D> {
    /// With its details as they were written: that is what the store gets, so that
    /// fields which this version does not know are not lost.
    pub(super) carried: NewOrder<Details>,
    /// With its details as the validator knows them.
    pub(super) asked: NewOrder<D>,
}

impl<D: OrderDetails> Received<D> {
    pub(super) fn read(body: &[u8]) -> Result<Self, MalformedMessage> {
        let carried = OrderMessage::parse(body)?.into_order();
        let asked = carried.decode()?;
        Ok(Self { carried, asked })
    }
}
