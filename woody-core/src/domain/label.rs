use serde::{Deserialize, Serialize};

use super::line::one_line;

/// A short name of somebody or something: one line of text, 100 characters at most.
///
/// Any text becomes one: control characters are replaced by spaces and what is too long is
/// cut. It may be empty.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub struct Label(String);

impl Label {
    /// The longest label, in characters.
    pub const MAX_CHARS: usize = 100;

    /// Tidies `text` into a label.
    pub fn new(text: impl AsRef<str>) -> Self {
        Self(one_line(text.as_ref(), Self::MAX_CHARS))
    }

    /// Returns the text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<String> for Label {
    fn from(text: String) -> Self {
        Self::new(text)
    }
}

impl From<&str> for Label {
    fn from(text: &str) -> Self {
        Self::new(text)
    }
}

impl From<Label> for String {
    fn from(label: Label) -> Self {
        label.0
    }
}

impl std::fmt::Display for Label {
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
            let label = Label::new(&text);
            prop_assert!(label.as_str().chars().count() <= Label::MAX_CHARS);
            prop_assert!(!label.as_str().chars().any(char::is_control));
            // What was stored and is read back is the same label.
            prop_assert_eq!(Label::new(label.as_str()), label);
        }
    }
}
