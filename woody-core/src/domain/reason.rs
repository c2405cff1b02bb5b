use serde::{Deserialize, Serialize};

use super::line::one_line;

/// Why an order ended as it did: one line of text, 500 characters at most.
///
/// Any text becomes one: control characters are replaced by spaces and what is too long
/// is cut, since a reason often quotes the error of a dependency.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub struct Reason(String);

impl Reason {
    /// The longest reason, in characters.
    pub const MAX_CHARS: usize = 500;

    /// Tidies `text` into a reason.
    pub fn new(text: impl AsRef<str>) -> Self {
        Self(one_line(text.as_ref(), Self::MAX_CHARS))
    }

    /// Returns the text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<String> for Reason {
    fn from(text: String) -> Self {
        Self::new(text)
    }
}

impl From<&str> for Reason {
    fn from(text: &str) -> Self {
        Self::new(text)
    }
}

impl From<Reason> for String {
    fn from(reason: Reason) -> Self {
        reason.0
    }
}

impl std::fmt::Display for Reason {
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
        fn any_text_becomes_one_bounded_line(text in any::<String>()) {
            let reason = Reason::new(&text);
            prop_assert!(reason.as_str().chars().count() <= Reason::MAX_CHARS);
            prop_assert!(!reason.as_str().chars().any(char::is_control));
            // What was stored and is read back is the same reason.
            prop_assert_eq!(Reason::new(reason.as_str()), reason);
        }
    }

    #[test]
    fn a_cut_at_a_blank_leaves_none() {
        let text = format!("\0{} b", "a".repeat(Reason::MAX_CHARS - 1));
        assert_eq!(Reason::new(text).as_str(), "a".repeat(Reason::MAX_CHARS - 1));
    }
}
