use std::{fmt, str::FromStr, sync::Arc};

/// What a client is called that is known by its key: 1 to 64 of `a` to `z`, digits, `-`, `_` and `.`, the first a letter or
/// a digit. Cheap to clone.
///
/// It is kept with each of the client's orders, and stands in traces and in what the client has cancelled.
///
/// ```
/// use woody_core::domain::ClientName;
///
/// let client: ClientName = "acme-web".parse()?;
/// assert_eq!(client.as_str(), "acme-web");
/// assert!("Acme & sons".parse::<ClientName>().is_err());
/// # Ok::<(), woody_core::domain::NoClientName>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ClientName(Arc<str>);

impl ClientName {
    /// The longest name, in characters.
    pub const MAX_CHARS: usize = 64;

    /// Returns the name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A text that is no name of a client. It does not show the text, which may be a key in the wrong place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a client's name is 1 to 64 of a to z, 0 to 9, -, _ and ., the first a letter or a digit")]
pub struct NoClientName;

impl FromStr for ClientName {
    type Err = NoClientName;

    fn from_str(text: &str) -> Result<Self, NoClientName> {
        let is_plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
        let fits = (1..=Self::MAX_CHARS).contains(&text.len())
            && text.bytes().all(|b| is_plain(b) || b"-_.".contains(&b))
            && text.bytes().next().is_some_and(is_plain);
        if fits { Ok(Self(text.into())) } else { Err(NoClientName) }
    }
}

impl fmt::Display for ClientName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
