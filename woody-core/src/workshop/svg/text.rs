//! Text in a drawing: escaped, and never wider than it is thought to be.

use std::fmt::{self, Display, Formatter, Write};

/// What the classes of texts mean.
pub(super) const STYLE: &str =
    ".m{text-anchor:middle}.e{text-anchor:end}.b{font-weight:bold}text{unicode-bidi:isolate}";

/// Text as it may stand in XML, between tags and in attributes.
pub(super) struct Escaped<'a>(pub(super) &'a str);

impl Display for Escaped<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        for c in self.0.chars() {
            match c {
                '&' => f.write_str("&amp;")?,
                '<' => f.write_str("&lt;")?,
                '>' => f.write_str("&gt;")?,
                '"' => f.write_str("&quot;")?,
                '\'' => f.write_str("&#39;")?,
                // XML has no way at all to write these.
                '\u{0}'..='\u{8}'
                | '\u{b}'
                | '\u{c}'
                | '\u{e}'..='\u{1f}'
                | '\u{fffe}'
                | '\u{ffff}' => f.write_char('\u{fffd}')?,
                c => f.write_char(c)?,
            }
        }
        Ok(())
    }
}

/// Returns at most `most` characters of `text`.
pub(super) fn shortened(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        None => text.to_owned(),
        Some(_) => text.chars().take(most - 1).chain(['…']).collect(),
    }
}

/// Where a text stands on its line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Anchor {
    Start,
    Middle,
    End,
}

/// One line of text, in millimetres of paper.
#[derive(Debug, Clone, Copy)]
pub(super) struct Line<'a> {
    pub(super) x: f64,
    /// Of the middle of the letters, not of the base line.
    pub(super) y: f64,
    pub(super) size: f64,
    pub(super) anchor: Anchor,
    pub(super) bold: bool,
    /// Whether it runs upwards.
    pub(super) turned: bool,
    pub(super) text: &'a str,
}

impl<'a> Line<'a> {
    pub(super) fn new(x: f64, y: f64, size: f64, text: &'a str) -> Self {
        Self { x, y, size, anchor: Anchor::Start, bold: false, turned: false, text }
    }

    pub(super) fn middle(self) -> Self {
        Self { anchor: Anchor::Middle, ..self }
    }

    pub(super) fn end(self) -> Self {
        Self { anchor: Anchor::End, ..self }
    }

    pub(super) fn bold(self) -> Self {
        Self { bold: true, ..self }
    }

    pub(super) fn turned(self, turned: bool) -> Self {
        Self { turned, ..self }
    }

    pub(super) fn write(&self, out: &mut String) -> fmt::Result {
        let Self { x, y, size, text, .. } = *self;
        out.write_str("<text")?;
        // Letters stand about a third of their size above the base line with their middle.
        let down = size * 0.35;
        if self.turned {
            write!(out, " transform=\"translate({:.1} {y:.1}) rotate(-90)\"", x + down)?;
        } else {
            write!(out, " x=\"{x:.1}\" y=\"{:.1}\"", y + down)?;
        }
        write!(out, " font-size=\"{size}\"")?;
        match (self.anchor, self.bold) {
            (Anchor::Start, false) => {}
            (Anchor::Start, true) => out.write_str(" class=\"b\"")?,
            (Anchor::Middle, false) => out.write_str(" class=\"m\"")?,
            (Anchor::Middle, true) => out.write_str(" class=\"m b\"")?,
            (Anchor::End, false) => out.write_str(" class=\"e\"")?,
            (Anchor::End, true) => out.write_str(" class=\"e b\"")?,
        }
        if text.chars().any(is_of_unknown_width) {
            let width = width_em(text) * size;
            write!(out, " textLength=\"{width:.1}\" lengthAdjust=\"spacingAndGlyphs\"")?;
        }
        writeln!(out, ">{}</text>", Escaped(text))
    }
}

/// Beyond Latin fonts differ too much: the width is told instead of guessed.
fn is_of_unknown_width(c: char) -> bool {
    c > '\u{24f}' && !matches!(c, '–' | '…' | '×' | '↔')
}

/// Returns how wide `text` is at most, in a sans-serif font of size 1.
pub(super) fn width_em(text: &str) -> f64 {
    text.chars().map(width_of).sum()
}

/// As wide as the widest of the usual fonts has it.
fn width_of(c: char) -> f64 {
    match c {
        'i' | 'j' | 'l' | '.' | ',' | ':' | ';' | '\'' | '|' | '!' => 0.37,
        'f' | 't' | 'r' | 'I' | ' ' | '(' | ')' | '[' | ']' | '/' | '-' | '\\' => 0.42,
        'm' | 'w' | 'M' | 'W' | '@' | '%' | '…' => 1.02,
        'a'..='z' | '0'..='9' => 0.64,
        'A'..='Z' | '&' | '×' | '+' | '<' | '>' | '=' | '~' | '#' => 0.84,
        '\u{0}'..='\u{24f}' => 0.8,
        '\u{1100}'.. => 1.1,
        _ => 0.9,
    }
}
