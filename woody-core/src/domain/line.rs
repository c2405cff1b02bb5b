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
