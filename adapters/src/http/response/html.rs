//! Text from outside, as HTML shows it.

use std::fmt::{self, Display, Write as _};

/// Text as HTML shows it, between tags and in quoted attributes.
pub(in crate::http) struct Text<'a>(pub(in crate::http) &'a str);

impl Display for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for c in self.0.chars() {
            match c {
                '&' => f.write_str("&amp;")?,
                '<' => f.write_str("&lt;")?,
                '>' => f.write_str("&gt;")?,
                '"' => f.write_str("&quot;")?,
                '\'' => f.write_str("&#39;")?,
                c => f.write_char(c)?,
            }
        }
        Ok(())
    }
}
