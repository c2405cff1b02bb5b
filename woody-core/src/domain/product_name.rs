use serde::{Deserialize, Serialize};

use super::Invalid;

/// The name of a product: 1 to 200 characters after trimming, none of them
/// a control character.
///
/// ```
/// use woody_core::domain::ProductName;
///
/// let name = ProductName::parse("  Train  ").unwrap();
/// assert_eq!(name.as_str(), "Train");
/// assert!(ProductName::parse("\n").is_err());
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ProductName(String);

impl ProductName {
    /// The longest name, in characters.
    pub const MAX_CHARS: usize = 200;

    /// Trims and checks `text`.
    ///
    /// # Errors
    /// [`Invalid`] when nothing is left, when it is too long, or when it holds
    /// a control character.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        let invalid = |problem: String| Err(Invalid::new("product", problem));
        let name = text.trim();
        // Bytes first: a hostile megabyte is refused without counting its characters.
        let chars =
            if name.len() > 4 * Self::MAX_CHARS { usize::MAX } else { name.chars().count() };
        if chars == 0 {
            return invalid("must not be empty".into());
        }
        if chars > Self::MAX_CHARS {
            return invalid(format!("must have at most {} characters", Self::MAX_CHARS));
        }
        if let Some(c) = name.chars().find(|c| c.is_control()) {
            return invalid(format!("must not hold control characters (found U+{:04X})", c as u32));
        }
        Ok(Self(name.to_owned()))
    }

    /// Returns the name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::str::FromStr for ProductName {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        Self::parse(text)
    }
}

impl TryFrom<String> for ProductName {
    type Error = Invalid;

    fn try_from(text: String) -> Result<Self, Invalid> {
        Self::parse(&text)
    }
}

impl From<ProductName> for String {
    fn from(name: ProductName) -> Self {
        name.0
    }
}

impl std::fmt::Display for ProductName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_name_that_parses_keeps_the_rules(text in any::<String>()) {
            if let Ok(name) = ProductName::parse(&text) {
                let n = name.as_str().chars().count();
                prop_assert!((1..=200).contains(&n));
                prop_assert_eq!(name.as_str(), text.trim());
                prop_assert!(!name.as_str().chars().any(char::is_control));
                prop_assert_eq!(ProductName::parse(name.as_str()), Ok(name.clone()));
            }
        }

        #[test]
        fn every_plain_name_of_legal_length_parses(text in "[a-zA-Zé蛇]{1,200}") {
            prop_assert!(ProductName::parse(&text).is_ok());
        }
    }

    #[test]
    fn two_hundred_characters_are_the_limit_whatever_their_bytes() {
        assert!(ProductName::parse(&"蛇".repeat(200)).is_ok());
        assert!(ProductName::parse(&"蛇".repeat(201)).is_err());
    }
}
