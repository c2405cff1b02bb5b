//! Text from anywhere as one line.

/// Returns `text` as one line of at most `most` characters: control characters become spaces,
/// and blanks around it go.
pub(super) fn one_line(text: &str, most: usize) -> String {
    let blank = |c: char| c.is_whitespace() || c.is_control();
    let mut line: String = text
        .trim_matches(blank)
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .take(most)
        .collect();
    // The cut may have left a blank at the end.
    line.truncate(line.trim_end().len());
    line
}

/// Makes a type of any text as one line of at most `MAX_CHARS` characters.
macro_rules! line_of_text {
    ($(#[$about:meta])* $name:ident, $most:literal) => {
        $(#[$about])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
        #[serde(from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// The longest one, in characters.
            pub const MAX_CHARS: usize = $most;

            /// Tidies `text`: control characters are replaced by spaces, and what is too long is
            /// cut.
            pub fn new(text: impl AsRef<str>) -> Self {
                Self($crate::domain::line::one_line(text.as_ref(), Self::MAX_CHARS))
            }

            /// Returns the text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl From<String> for $name {
            fn from(text: String) -> Self {
                Self::new(text)
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self::new(text)
            }
        }

        impl From<$name> for String {
            fn from(text: $name) -> Self {
                text.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

pub(super) use line_of_text;
