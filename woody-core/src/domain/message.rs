use bytes::Bytes;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use super::{NewOrder, OrderId, ProductName, Quantity, order::now};

/// An order on the wire: JSON, `{"order_id": "…", "product": "…"}`.
///
/// These two fields are what every publisher writes and every worker reads.
/// `quantity` and `accepted_at` may be missing, and fields that this version
/// does not know are ignored.
///
/// ```
/// use woody_core::domain::OrderMessage;
///
/// let message = OrderMessage::parse(
///     br#"{"order_id": "0b7f6ba6-8a0a-4a4c-a0e5-3f4f3f1f9f11", "product": "Train", "colour": "red"}"#,
/// ).unwrap();
/// assert_eq!(message.product.as_str(), "Train");
/// assert_eq!(message.quantity.get(), 1);
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderMessage {
    /// The order's id.
    pub order_id: OrderId,
    /// The product asked for.
    pub product: ProductName,
    /// How many pieces; 1 when the publisher does not say.
    #[serde(default)]
    pub quantity: Quantity,
    /// When it was accepted, UTC; unknown when the publisher does not say.
    #[serde(
        default,
        with = "time::serde::rfc3339::option",
        skip_serializing_if = "Option::is_none"
    )]
    pub accepted_at: Option<OffsetDateTime>,
}

/// A message that no retry will turn into an order.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("malformed order message: {0}")]
pub struct MalformedMessage(String);

impl OrderMessage {
    /// The largest message that is looked at, in bytes.
    pub const MAX_BYTES: usize = 64 * 1024;

    /// Reads a message.
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
        serde_json::from_slice(body).map_err(|error| MalformedMessage(error.to_string()))
    }

    /// Writes the message.
    pub fn to_bytes(&self) -> Bytes {
        // Strings and numbers under fixed keys: serialising them cannot fail.
        serde_json::to_vec(self).unwrap_or_default().into()
    }

    /// The order that the message asks for; one that does not say when it was
    /// accepted is taken to be accepted now.
    pub fn into_order(self) -> NewOrder {
        NewOrder {
            id: self.order_id,
            product: self.product,
            quantity: self.quantity,
            accepted_at: self.accepted_at.unwrap_or_else(now),
        }
    }
}

impl From<&NewOrder> for OrderMessage {
    fn from(order: &NewOrder) -> Self {
        Self {
            order_id: order.id,
            product: order.product.clone(),
            quantity: order.quantity,
            accepted_at: Some(order.accepted_at),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_reference_publisher_is_understood() {
        let body =
            br#"{"order_id": "3f0d6a2e-47d4-4b80-9d0e-0f4c6f3e2b11", "product": "TestProduct"}"#;
        let message = OrderMessage::parse(body).unwrap();
        assert_eq!(message.quantity, Quantity::ONE);
        assert_eq!(message.accepted_at, None);
    }

    #[test]
    fn what_is_wrong_is_said() {
        let endless = vec![b' '; OrderMessage::MAX_BYTES + 1];
        for (body, says) in [
            (&b"hello"[..], "expected value"),
            (br#"{"product": "x"}"#, "order_id"),
            (br#"{"order_id": "7", "product": "x"}"#, "UUID"),
            (br#"{"order_id": "3f0d6a2e-47d4-4b80-9d0e-0f4c6f3e2b11", "product": " "}"#, "product"),
            (br#"{"order_id": "3f0d6a2e-47d4-4b80-9d0e-0f4c6f3e2b11", "product": "x", "quantity": 0}"#, "quantity"),
            (&endless, "bytes"),
        ] {
            let error = OrderMessage::parse(body).unwrap_err().to_string();
            assert!(error.contains(says), "{error} does not mention {says}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(name in "[^\\p{Cc}\\s]{1,50}", n in 1i64..=1000) {
            let order = NewOrder::new(ProductName::parse(&name).unwrap(), Quantity::new(n).unwrap());
            let message = OrderMessage::from(&order);
            let read = OrderMessage::parse(&message.to_bytes()).unwrap();
            prop_assert_eq!(&read, &message);
            prop_assert_eq!(read.into_order(), order);
        }

        #[test]
        fn no_bytes_make_the_parser_panic(body in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = OrderMessage::parse(&body);
        }
    }
}
