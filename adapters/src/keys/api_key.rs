use std::{fmt, str::FromStr};

use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use uuid::Uuid;

/// A client's key: `woody_` and 64 hexadecimal digits, 244 bits of them random.
///
/// It is shown where it is made, and nowhere else.
pub struct ApiKey(String);

/// What keys begin with: programs that look for lost secrets find them by it.
const PREFIX: &str = "woody_";
const DIGITS: usize = 64;

impl ApiKey {
    /// Makes a key that nobody can guess, from the system's randomness.
    pub fn fresh() -> Self {
        Self(format!("{PREFIX}{}{}", Uuid::new_v4().simple(), Uuid::new_v4().simple()))
    }

    /// Returns the key itself, to be shown once.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Returns what is kept of it.
    pub fn hash(&self) -> KeyHash {
        KeyHash::of(self.0.as_bytes())
    }

    /// Whether `text` has the form of a key.
    pub(super) fn is_like(text: &str) -> bool {
        text.starts_with(PREFIX)
    }
}

/// A text that is no key; it is not shown, since it may be one but for a letter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "is no key: one is {PREFIX} and {DIGITS} hexadecimal digits, as woodyctl keys new prints it"
)]
pub struct NoApiKey;

impl FromStr for ApiKey {
    type Err = NoApiKey;

    fn from_str(text: &str) -> Result<Self, NoApiKey> {
        let digits = text.strip_prefix(PREFIX).ok_or(NoApiKey)?;
        let is_key = digits.len() == DIGITS && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
        if is_key { Ok(Self(text.to_owned())) } else { Err(NoApiKey) }
    }
}

impl fmt::Debug for ApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ApiKey(…)")
    }
}

/// The SHA-256 of a key, written as `sha256:` and 64 hexadecimal digits.
///
/// Two are compared in a time that does not depend on how far they are alike.
#[derive(Clone, Copy)]
pub struct KeyHash([u8; 32]);

impl KeyHash {
    const PREFIX: &str = "sha256:";

    pub(super) fn of(key: &[u8]) -> Self {
        Self(Sha256::digest(key).into())
    }

    /// Returns the hash of what a client has sent; `None` where that has not the form of a key and need not be looked up.
    pub(super) fn of_sent(sent: &[u8]) -> Option<Self> {
        let has_form = sent.len() == PREFIX.len() + DIGITS && sent.starts_with(PREFIX.as_bytes());
        has_form.then(|| Self::of(sent))
    }

    /// Returns its first bytes, by which it is looked up.
    pub(super) fn first(&self) -> [u8; 8] {
        let mut first = [0; 8];
        first.copy_from_slice(&self.0[..8]);
        first
    }
}

impl PartialEq for KeyHash {
    fn eq(&self, other: &Self) -> bool {
        self.0[..].ct_eq(&other.0[..]).into()
    }
}

impl Eq for KeyHash {}

/// A text that is no hash of a key. It does not show the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoHash {
    /// It is the key itself.
    #[error(
        "a key itself stands there, and should be known to its client alone: woodyctl keys new prints a line with its hash"
    )]
    Key,
    /// It is something else.
    #[error("a hash is sha256: and 64 hexadecimal digits, as woodyctl keys new prints it")]
    Other,
}

impl FromStr for KeyHash {
    type Err = NoHash;

    fn from_str(text: &str) -> Result<Self, NoHash> {
        if ApiKey::is_like(text) {
            return Err(NoHash::Key);
        }
        let digits = text.strip_prefix(Self::PREFIX).ok_or(NoHash::Other)?.as_bytes();
        let mut hash = [0; 32];
        if digits.len() != 2 * hash.len() {
            return Err(NoHash::Other);
        }
        for (byte, pair) in hash.iter_mut().zip(digits.chunks_exact(2)) {
            let digit =
                |at: u8| char::from(at).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
            let (Some(high), Some(low)) = (digit(pair[0]), digit(pair[1])) else {
                return Err(NoHash::Other);
            };
            *byte = (high << 4) | low;
        }
        Ok(Self(hash))
    }
}

impl fmt::Display for KeyHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(Self::PREFIX)?;
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for KeyHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeyHash(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_read_as_it_was_printed_and_nothing_else_is_one() {
        let key = ApiKey::fresh();
        assert_eq!(key.expose().parse::<ApiKey>().unwrap().expose(), key.expose());
        let [short, long] = [&key.expose()[..69], &format!("{}0", key.expose())].map(str::to_owned);
        let other = key.expose().replace(PREFIX, "other_");
        for text in ["", PREFIX, &short, &long, &other, &format!("{PREFIX}{}", "g".repeat(64))] {
            let error = text.parse::<ApiKey>().unwrap_err().to_string();
            assert!(!error.contains(&key.expose()[10..20]), "{error}");
        }
    }

    #[test]
    fn a_key_is_shown_only_when_it_is_exposed_and_no_two_are_alike() {
        let (one, other) = (ApiKey::fresh(), ApiKey::fresh());
        assert_ne!(one.expose(), other.expose());
        assert_eq!(one.expose().len(), 70);
        assert_eq!(format!("{one:?} {:?}", one.hash()), "ApiKey(…) KeyHash(…)");
        assert!(one.hash() == KeyHash::of_sent(one.expose().as_bytes()).unwrap());
        assert!(one.hash() != other.hash());
    }

    #[test]
    fn a_hash_is_read_as_it_is_written_and_is_that_of_sha256sum() {
        let known = "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(KeyHash::of(b"abc").to_string(), known);
        assert_eq!(known.parse::<KeyHash>().unwrap().to_string(), known);
        let (hex, long) = (&known[7..], format!("{known}0"));
        for bad in ["", "sha256:", hex, &known[..70], &long, &known.replace('b', "é")] {
            assert_eq!(bad.parse::<KeyHash>(), Err(NoHash::Other), "{bad}");
        }
        assert_eq!(ApiKey::fresh().expose().parse::<KeyHash>(), Err(NoHash::Key));
    }
}
