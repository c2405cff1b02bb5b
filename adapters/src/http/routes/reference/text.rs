//! Text as HTML.

use crate::http::response::Text;

/// `text` with nothing in it that a browser takes for more.
pub(super) fn escaped(text: &str) -> String {
    Text(text).to_string()
}

/// A description: paragraphs between empty lines, and code between backticks.
pub(super) fn prose(text: &str) -> String {
    let mut html = String::with_capacity(text.len() + 16);
    for paragraph in text.split("\n\n").filter(|paragraph| !paragraph.trim().is_empty()) {
        html.push_str("<p>");
        for (i, piece) in paragraph.trim().split('`').enumerate() {
            if i > 0 {
                html.push_str(if i % 2 == 1 { "<code>" } else { "</code>" });
            }
            html.push_str(&escaped(piece));
        }
        if paragraph.matches('`').count() % 2 == 1 {
            html.push_str("</code>");
        }
        html.push_str("</p>");
    }
    html
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_description_is_paragraphs_with_code() {
        let html = prose("As `GET /a?b=<c>&d` has it.\n\n\n\nNo \"more\", isn't it.");
        let code = "<code>GET /a?b=&lt;c&gt;&amp;d</code>";
        assert_eq!(
            html,
            format!("<p>As {code} has it.</p><p>No &quot;more&quot;, isn&#39;t it.</p>")
        );
        assert_eq!(prose("left `open"), "<p>left <code>open</code></p>");
        assert_eq!(prose(" \n\n "), "");
    }

    proptest! {
        #[test]
        fn no_text_opens_an_element_of_its_own(text in "[a-z`<>&\"'\n ]{0,60}") {
            let rest = prose(&text);
            let rest = ["<p>", "</p>", "<code>", "</code>"].iter().fold(rest, |rest, tag| rest.replace(tag, ""));
            prop_assert!(!rest.contains(['<', '>', '"', '\'']), "{rest}");
        }

        #[test]
        fn every_element_ends(text in "[a-z`\n ]{0,60}") {
            let html = prose(&text);
            for (begin, end) in [("<p>", "</p>"), ("<code>", "</code>")] {
                prop_assert_eq!(html.matches(begin).count(), html.matches(end).count());
            }
        }
    }
}
