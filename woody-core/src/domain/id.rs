use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::Invalid;

/// The name of one order, for its whole life.
///
/// It is chosen before any I/O, so that the store and the broker can each
/// receive the order and still agree that it is one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct OrderId(Uuid);

impl OrderId {
    /// A fresh id (UUIDv7: ids made later sort later).
    pub fn fresh() -> Self {
        Self(Uuid::now_v7())
    }

    /// The id of the order that `key` names (UUIDv8 from its SHA-256).
    ///
    /// The same key gives the same id on every replica, with no look-up, which
    /// is why a double submit is one order even while the store is away.
    pub fn from_key(key: &IdempotencyKey) -> Self {
        let digest = Sha256::digest([b"woodytoys order\0", key.0.as_bytes()].concat());
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&digest[..16]);
        Self(Uuid::new_v8(bytes))
    }

    /// Reads the usual forms of a UUID.
    ///
    /// # Errors
    /// [`Invalid`] when `text` is no UUID.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        Uuid::try_parse(text).map(Self).map_err(|_| Invalid::new("order_id", "must be a UUID"))
    }

    /// The UUID.
    pub fn as_uuid(self) -> Uuid {
        self.0
    }
}

impl From<Uuid> for OrderId {
    fn from(uuid: Uuid) -> Self {
        Self(uuid)
    }
}

impl std::fmt::Display for OrderId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

/// The name of one product of the catalogue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ProductId(Uuid);

impl ProductId {
    /// A fresh id.
    pub fn fresh() -> Self {
        Self(Uuid::now_v7())
    }

    /// Reads the usual forms of a UUID; `field` is named in the error.
    ///
    /// # Errors
    /// [`Invalid`] when `text` is no UUID.
    pub fn parse(text: &str, field: &'static str) -> Result<Self, Invalid> {
        Uuid::try_parse(text).map(Self).map_err(|_| Invalid::new(field, "must be a UUID"))
    }

    /// The UUID.
    pub fn as_uuid(self) -> Uuid {
        self.0
    }
}

impl From<Uuid> for ProductId {
    fn from(uuid: Uuid) -> Self {
        Self(uuid)
    }
}

impl std::fmt::Display for ProductId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

/// What a client calls its submit, so that sending it twice is one order:
/// 1 to 255 visible ASCII characters.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct IdempotencyKey(String);

impl IdempotencyKey {
    /// Accepts 1 to 255 visible ASCII characters (spaces inside allowed).
    ///
    /// # Errors
    /// [`Invalid`] for anything else.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        let text = text.trim();
        if text.is_empty() || text.len() > 255 || !text.bytes().all(|b| (b' '..=b'~').contains(&b))
        {
            return Err(Invalid::new(
                "Idempotency-Key",
                "must be 1 to 255 visible ASCII characters",
            ));
        }
        Ok(Self(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_names_the_same_order_everywhere() {
        let key = IdempotencyKey::parse("cart-42").unwrap();
        assert_eq!(OrderId::from_key(&key), OrderId::from_key(&key));
        assert_eq!(OrderId::from_key(&key).as_uuid().get_version_num(), 8);
        let other = IdempotencyKey::parse("cart-43").unwrap();
        assert_ne!(OrderId::from_key(&key), OrderId::from_key(&other));
    }

    #[test]
    fn fresh_ids_sort_by_age() {
        let first = OrderId::fresh();
        assert!(first < OrderId::fresh());
        assert_eq!(first.as_uuid().get_version_num(), 7);
    }

    #[test]
    fn a_key_of_spaces_or_of_control_characters_is_refused() {
        for bad in ["", "   ", "a\nb", "é", &"k".repeat(256)] {
            assert!(IdempotencyKey::parse(bad).is_err(), "{bad:?}");
        }
    }
}
