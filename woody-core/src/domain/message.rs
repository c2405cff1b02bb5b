use bytes::Bytes;
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

use super::{
    ClientName, Details, DetailsError, NewOrder, OrderDetails, OrderId, TraceContext, fields::Flat,
    order::now,
};

/// An order on the wire: one flat JSON object, of a toy
/// `{"order_id": "…", "product": "…"}`.
///
/// Beside the fields of its details stand `order_id`, which is always there, and
/// `accepted_at`, which may be missing.
///
/// ```
/// use woody_core::domain::{OrderMessage, ToyOrder};
///
/// let message = OrderMessage::parse(
///     br#"{"order_id": "0b7f6ba6-8a0a-4a4c-a0e5-3f4f3f1f9f11", "product": "Train", "colour": "red"}"#,
/// ).unwrap();
/// let toy: ToyOrder = message.details.decode().unwrap();
/// assert_eq!(toy.product.as_str(), "Train");
/// assert_eq!(toy.quantity.get(), 1);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderMessage {
    /// The order's id.
    pub order_id: OrderId,
    /// What it asks for, as the publisher wrote it: fields that this version does not
    /// know are in there too.
    pub details: Details,
    /// When it was accepted, UTC; unknown when the publisher does not say.
    pub accepted_at: Option<OffsetDateTime>,
    /// The trace that the order belongs to. It is no part of the body: brokers that have headers
    /// carry it there.
    pub trace: Option<TraceContext>,
    /// Who has placed the order, where clients have names; no part of the body either.
    pub client: Option<ClientName>,
}

/// A message that no retry will turn into an order.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("malformed order message: {0}")]
pub struct MalformedMessage(String);

impl From<DetailsError> for MalformedMessage {
    fn from(error: DetailsError) -> Self {
        Self(error.to_string())
    }
}

impl OrderMessage {
    /// The largest message that is looked at, in bytes: the largest details, and what
    /// stands beside them.
    pub const MAX_BYTES: usize = Details::LARGEST + 1024;

    /// Reads a message, whatever its details are.
    ///
    /// # Errors
    /// [`MalformedMessage`] says what is wrong, and where.
    pub fn parse(body: &[u8]) -> Result<Self, MalformedMessage> {
        if body.len() > Self::MAX_BYTES {
            return Err(MalformedMessage(format!(
                "{} bytes, more than {}",
                body.len(),
                Self::MAX_BYTES
            )));
        }
        let Flat { order_id, accepted_at, details } =
            serde_json::from_slice(body).map_err(|error| MalformedMessage(error.to_string()))?;
        let details = Details::trusted(details)?;
        Ok(Self { order_id, details, accepted_at, trace: None, client: None })
    }

    /// Writes the message.
    pub fn to_bytes(&self) -> Bytes {
        let details = self.details.as_str();
        let mut body = String::with_capacity(details.len() + 96);
        body.push_str("{\"order_id\":\"");
        body.push_str(self.order_id.as_uuid().hyphenated().encode_lower(&mut [0; 36]));
        body.push('"');
        let fields = details.strip_prefix('{').unwrap_or(details).trim_ascii_start();
        // What `Details` holds is an object, so it ends with a brace.
        let fields = fields.strip_suffix('}').unwrap_or(fields).trim_ascii_end();
        if !fields.is_empty() {
            body.push(',');
            body.push_str(fields);
        }
        if let Some(stamp) = self.accepted_at.and_then(|at| at.format(&Rfc3339).ok()) {
            body.push_str(",\"accepted_at\":\"");
            body.push_str(&stamp);
            body.push('"');
        }
        body.push('}');
        body.into()
    }

    /// Returns the order that the message asks for; one that does not say when it was
    /// accepted is taken to be accepted now.
    pub fn into_order(self) -> NewOrder<Details> {
        NewOrder {
            id: self.order_id,
            details: self.details,
            accepted_at: self.accepted_at.unwrap_or_else(now),
            trace: self.trace,
            client: self.client,
            found_by: None,
        }
    }

    /// Reads the details as a `D`.
    ///
    /// # Errors
    /// [`MalformedMessage`] with the path to what is wrong.
    pub fn decode<D: OrderDetails>(&self) -> Result<D, MalformedMessage> {
        Ok(self.details.decode()?)
    }
}

impl From<&NewOrder<Details>> for OrderMessage {
    fn from(order: &NewOrder<Details>) -> Self {
        Self {
            order_id: order.id,
            details: order.details.clone(),
            accepted_at: Some(order.accepted_at),
            trace: order.trace,
            client: order.client.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::{Quantity, ToyOrder};

    #[test]
    fn the_reference_publisher_is_understood() {
        let body =
            br#"{"order_id": "3f0d6a2e-47d4-4b80-9d0e-0f4c6f3e2b11", "product": "TestProduct"}"#;
        let message = OrderMessage::parse(body).unwrap();
        assert_eq!(message.decode::<ToyOrder>().unwrap().quantity, Quantity::ONE);
        assert_eq!(message.accepted_at, None);
    }

    #[test]
    fn a_toy_is_written_as_it_always_was() {
        let order = NewOrder {
            id: OrderId::parse("3f0d6a2e-47d4-4b80-9d0e-0f4c6f3e2b11").unwrap(),
            details: ToyOrder::parse("Train", 2).unwrap(),
            accepted_at: time::macros::datetime!(2026-11-23 19:12:00.5 UTC),
            trace: None,
            client: None,
            found_by: None,
        };
        let message = OrderMessage::from(&order.encode(Details::MAX_BYTES).unwrap());
        let body = "{\"order_id\":\"3f0d6a2e-47d4-4b80-9d0e-0f4c6f3e2b11\",\"product\":\"Train\",\
                    \"quantity\":2,\"accepted_at\":\"2026-11-23T19:12:00.5Z\"}";
        assert_eq!(message.to_bytes(), body);
    }

    #[test]
    fn what_is_wrong_is_said() {
        let endless = vec![b' '; OrderMessage::MAX_BYTES + 1];
        let id = "3f0d6a2e-47d4-4b80-9d0e-0f4c6f3e2b11";
        for (body, says) in [
            ("hello".to_owned(), "expected value"),
            (r#"{"product": "x"}"#.to_owned(), "order_id"),
            (r#"{"order_id": "7", "product": "x"}"#.to_owned(), "UUID"),
            (format!(r#"{{"order_id": "{id}", "order_id": "{id}", "product": "x"}}"#), "order_id"),
            (format!(r#"{{"order_id": "{id}", "product": " "}}"#), "product"),
            (format!(r#"{{"order_id": "{id}", "product": "x", "quantity": 0}}"#), "quantity"),
            (String::from_utf8(endless).unwrap(), "bytes"),
        ] {
            let read = OrderMessage::parse(body.as_bytes()).and_then(|m| m.decode::<ToyOrder>());
            let error = read.unwrap_err().to_string();
            assert!(error.contains(says), "{error} does not mention {says}");
        }
    }

    #[test]
    fn the_orders_own_fields_are_no_details() {
        let body = br#"{"status": 7, "a\u0062": [1, 2], "order_id": "3f0d6a2e-47d4-4b80-9d0e-0f4c6f3e2b11",
            "accepted_at": null, "reason": {}, "n" : 1.50 }"#;
        let message = OrderMessage::parse(body).unwrap();
        assert_eq!(message.details.as_str(), r#"{"ab":[1, 2],"n":1.50}"#);
        assert_eq!(OrderMessage::parse(&message.to_bytes()), Ok(message));
    }

    #[test]
    fn no_details_at_all_are_an_object_too() {
        let body = br#"{"order_id":"3f0d6a2e-47d4-4b80-9d0e-0f4c6f3e2b11"}"#;
        let message = OrderMessage::parse(body).unwrap();
        assert_eq!(message.details.as_str(), "{}");
        assert_eq!(message.to_bytes(), &body[..]);
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(name in "[^\\p{Cc}\\s]{1,50}", n in 1i64..=1000) {
            let order = NewOrder::new(ToyOrder::parse(&name, n).unwrap());
            let carried = order.encode(Details::MAX_BYTES).unwrap();
            let message = OrderMessage::from(&carried);
            let read = OrderMessage::parse(&message.to_bytes()).unwrap();
            prop_assert_eq!(&read, &message);
            prop_assert_eq!(read.into_order().decode(), Ok(order));
        }

        #[test]
        fn any_object_comes_through(fields in prop::collection::btree_map(any::<String>(), any::<String>(), 0..6)) {
            let text = serde_json::to_string(&fields).unwrap();
            prop_assume!(Details::parse(&text).is_ok());
            let order = NewOrder::new(Details::parse(&text).unwrap());
            let read = OrderMessage::parse(&OrderMessage::from(&order).to_bytes()).unwrap();
            let read: std::collections::BTreeMap<String, String> =
                serde_json::from_str(read.details.as_str()).unwrap();
            prop_assert_eq!(read, fields);
        }

        #[test]
        fn no_bytes_make_the_parser_panic(body in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = OrderMessage::parse(&body);
        }
    }
}
