use std::time::Duration;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::Invalid;

/// The id of one order.
///
/// It is chosen before any I/O, so that the store and the broker can each
/// receive the order and still agree that it is one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct OrderId(Uuid);

impl OrderId {
    /// Makes a fresh id (UUIDv7: ids made later sort later), [ours](Self::is_ours).
    pub fn fresh() -> Self {
        Self(seal(Uuid::now_v7()))
    }

    /// Makes the id of the order that `key` names (UUIDv8 from its SHA-256),
    /// [ours](Self::is_ours).
    ///
    /// The same key gives the same id on every replica, with no look-up, which
    /// is why a double submit is one order even while the store is unavailable.
    pub fn from_key(key: &IdempotencyKey) -> Self {
        let digest = Sha256::digest([b"woodytoys order\0", key.0.as_bytes()].concat());
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&digest[..16]);
        Self(seal(Uuid::new_v8(bytes)))
    }

    /// Makes a fresh id as one is made when `ahead` has passed: ids made later than that, by
    /// clocks that are right, are [after](Self::is_after) it.
    pub(crate) fn fresh_in(ahead: Duration) -> Self {
        let mut bytes = Uuid::now_v7().into_bytes();
        let mut ms = [0; 8];
        ms[2..].copy_from_slice(&bytes[..6]);
        let ahead = u64::try_from(ahead.as_millis()).unwrap_or(u64::MAX);
        let later = u64::from_be_bytes(ms).saturating_add(ahead).min((1 << 48) - 1);
        bytes[..6].copy_from_slice(&later.to_be_bytes()[2..]);
        Self(seal(Uuid::from_bytes(bytes)))
    }

    /// Whether this id shows when it was made, and it was after `other`.
    pub(crate) fn is_after(self, other: Self) -> bool {
        self.0.get_version_num() == 7 && self > other
    }

    /// Whether this id was made here: by [`fresh`](Self::fresh) or
    /// [`from_key`](Self::from_key), in any process and at any time.
    ///
    /// The last three bytes of our ids are a hash of the others, so that every replica can
    /// tell them with nothing to look up. One of 16 million other UUIDv7 and UUIDv8 passes,
    /// and the hash is no secret: an id that is ours need not have been given to any client.
    pub fn is_ours(self) -> bool {
        matches!(self.0.get_version_num(), 7 | 8) && seal(self.0) == self.0
    }

    /// Reads the usual forms of a UUID.
    ///
    /// # Errors
    /// [`Invalid`] when `text` is no UUID.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        Uuid::try_parse(text).map(Self).map_err(|_| Invalid::new("order_id", "must be a UUID"))
    }

    /// Returns the UUID.
    pub fn as_uuid(self) -> Uuid {
        self.0
    }
}

/// Puts the hash of the other bytes into the last three, which are random in a UUIDv7:
/// the time and the counter that tell ids of one process apart come before.
fn seal(id: Uuid) -> Uuid {
    let mut bytes = id.into_bytes();
    let (made, tag) = bytes.split_at_mut(SEALED);
    let digest = Sha256::digest([b"woodytoys id\0", &*made].concat());
    tag.copy_from_slice(&digest[..16 - SEALED]);
    Uuid::from_bytes(bytes)
}

/// So many bytes of an id are chosen, the rest tells that it is ours.
const SEALED: usize = 13;

impl From<Uuid> for OrderId {
    fn from(uuid: Uuid) -> Self {
        Self(uuid)
    }
}

impl std::str::FromStr for OrderId {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        Self::parse(text)
    }
}

impl std::fmt::Display for OrderId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

/// The id of one product of the catalogue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ProductId(Uuid);

impl ProductId {
    /// Makes a fresh id.
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

    /// Returns the UUID.
    pub fn as_uuid(self) -> Uuid {
        self.0
    }
}

impl From<Uuid> for ProductId {
    fn from(uuid: Uuid) -> Self {
        Self(uuid)
    }
}

impl std::str::FromStr for ProductId {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        Self::parse(text, "product_id")
    }
}

impl std::fmt::Display for ProductId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

/// A client's key for a submit, which makes one order of it if it is sent twice: 1 to 255
/// visible ASCII characters.
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

    /// Returns this key as one that is `client`'s own: it names another order than the same key of another client, or
    /// of none.
    ///
    /// ```
    /// use woody_core::domain::{IdempotencyKey, OrderId};
    ///
    /// let key = IdempotencyKey::parse("cart-42").unwrap();
    /// let of = |client| OrderId::from_key(&key.of_client(client));
    /// assert_eq!(of("acme"), of("acme"));
    /// assert!(of("acme") != of("globex") && of("acme") != OrderId::from_key(&key));
    /// ```
    #[must_use]
    pub fn of_client(&self, client: &str) -> Self {
        // A client's key has no line feed, so what stands behind the last one is the key.
        Self(format!("{client}\n{}", self.0))
    }

    /// Returns the key.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::str::FromStr for IdempotencyKey {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        Self::parse(text)
    }
}

impl std::fmt::Display for IdempotencyKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
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
    fn an_id_that_is_ours_is_told_from_any_other() {
        let key = IdempotencyKey::parse("cart-42").unwrap();
        for ours in [OrderId::fresh(), OrderId::from_key(&key)] {
            assert!(ours.is_ours(), "{ours}");
            assert!(OrderId::parse(&ours.to_string()).unwrap().is_ours(), "{ours}");
            let mut bytes = ours.as_uuid().into_bytes();
            for at in 0..16 {
                bytes[at] ^= 1;
                assert!(!OrderId::from(Uuid::from_bytes(bytes)).is_ours(), "byte {at} of {ours}");
                bytes[at] ^= 1;
            }
        }
        for others in [Uuid::nil(), Uuid::max(), Uuid::new_v4(), Uuid::new_v8([7; 16])] {
            assert!(!OrderId::from(others).is_ours(), "{others}");
        }
    }

    #[test]
    fn ids_made_in_one_instant_differ() {
        let ids: std::collections::HashSet<_> = (0..100_000).map(|_| OrderId::fresh()).collect();
        assert_eq!(ids.len(), 100_000);
    }

    #[test]
    fn fresh_ids_sort_by_age() {
        let first = OrderId::fresh();
        assert!(first < OrderId::fresh());
        assert_eq!(first.as_uuid().get_version_num(), 7);
    }

    #[test]
    fn ids_are_after_another_when_they_were_made_later_and_show_it() {
        let before = OrderId::fresh();
        let boundary = OrderId::fresh_in(Duration::ZERO);
        let after = OrderId::fresh();
        assert!(after.is_after(boundary) && boundary.is_after(before));
        assert!(!after.is_after(OrderId::fresh_in(Duration::from_hours(1))));
        assert!(!after.is_after(OrderId::fresh_in(Duration::MAX)));
        let key = IdempotencyKey::parse("cart-42").unwrap();
        let keyed = OrderId::from_key(&key);
        assert!(!keyed.is_after(OrderId::from(Uuid::nil())), "{keyed} shows no time");
    }

    #[test]
    fn a_key_of_spaces_or_of_control_characters_is_refused() {
        for bad in ["", "   ", "a\nb", "é", &"k".repeat(256)] {
            assert!(IdempotencyKey::parse(bad).is_err(), "{bad:?}");
        }
    }
}
