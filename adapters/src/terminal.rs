//! What people read on a terminal or in a log: text from outside is shown, never
//! obeyed, and a terminal that takes no more is no reason to panic.

use std::{
    borrow::Cow,
    fmt::{Display, Write as _},
    io::{self, IsTerminal, Write},
};

use tracing_subscriber::{
    field::RecordFields,
    fmt::{
        FormatFields,
        format::{DefaultFields, Writer},
    },
};

/// Whether a terminal would act on `c`, or show what stands around it in another
/// order: controls of C0 and C1, line and paragraph separators, bidi marks.
fn is_hidden(c: char) -> bool {
    matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}'
        | '\u{2066}'..='\u{2069}' | '\u{feff}')
        || c.is_control()
}

/// Returns `text` with everything that would not show written as `\u{1b}`.
pub fn visible(text: &str) -> Cow<'_, str> {
    escaped(text, |_| false, |line, c| write!(line, "\\u{{{:x}}}", u32::from(c)))
}

/// Like [`visible`], for a text of several lines.
pub fn visible_lines(text: &str) -> Cow<'_, str> {
    escaped(text, |c| c == '\n', |line, c| write!(line, "\\u{{{:x}}}", u32::from(c)))
}

/// Returns a JSON document whose strings show everything, as `\u001b`.
///
/// JSON has such characters in its strings alone, and these are all of one unit of UTF-16.
pub fn visible_json(document: &str) -> Cow<'_, str> {
    escaped(document, |c| c == '\n', |line, c| write!(line, "\\u{:04x}", u32::from(c)))
}

fn escaped(
    text: &str,
    stays: impl Fn(char) -> bool,
    escape: impl Fn(&mut String, char) -> std::fmt::Result,
) -> Cow<'_, str> {
    // Nearly all there is: nothing in it is hidden.
    if text.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
        return Cow::Borrowed(text);
    }
    let hides = |c| is_hidden(c) && !stays(c);
    if !text.contains(hides) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        if hides(c) {
            // Writing to a String cannot fail.
            let _ = escape(&mut shown, c);
        } else {
            shown.push(c);
        }
    }
    Cow::Owned(shown)
}

/// Whether what is written to `stream` may have colours: where it is a terminal, unless `NO_COLOR` or `CLICOLOR=0` is set or the
/// terminal says that it is `dumb`; elsewhere only where `CLICOLOR_FORCE` asks for it.
pub fn has_colours(stream: &impl IsTerminal) -> bool {
    wants_colours(|name| std::env::var(name).ok(), stream.is_terminal())
}

fn wants_colours(variable: impl Fn(&str) -> Option<String>, is_terminal: bool) -> bool {
    // An empty variable is none (no-color.org).
    let is_set = |name| variable(name).is_some_and(|value| !value.is_empty());
    let is = |name, value: &str| variable(name).is_some_and(|set| set == value);
    if is_set("NO_COLOR") {
        false
    } else if is_set("CLICOLOR_FORCE") && !is("CLICOLOR_FORCE", "0") {
        true
    } else {
        is_terminal && !is("CLICOLOR", "0") && !is("TERM", "dumb")
    }
}

/// Prints `text` and a line feed to stdout. The reader may have closed it.
///
/// # Errors
/// What the operating system said, for instance that the disk is full.
pub fn print(text: impl Display) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    let printed = writeln!(stdout, "{text}").and_then(|()| stdout.flush());
    printed.or_else(|error| match error.kind() {
        io::ErrorKind::BrokenPipe => Ok(()),
        _ => Err(error),
    })
}

/// Prints `error: …` to stderr, on one line; where that takes nothing, the error is
/// lost.
pub fn complain(error: impl Display) {
    let _ = writeln!(io::stderr(), "error: {}", visible(&error.to_string()));
}

/// Prints `warning: …` to stderr, on one line; where that takes nothing, the warning is
/// lost.
pub fn warn(warning: impl Display) {
    let _ = writeln!(io::stderr(), "warning: {}", visible(&warning.to_string()));
}

/// Formats the message and the fields of a log line with everything in them shown.
///
/// The subscriber's own formatter escapes a part of it: neither line feeds, nor
/// bidi marks, nor anything in a field that is given with `%`.
#[derive(Debug, Default)]
pub struct VisibleFields(DefaultFields);

impl<'writer> FormatFields<'writer> for VisibleFields {
    fn format_fields<R: RecordFields>(
        &self,
        writer: Writer<'writer>,
        fields: R,
    ) -> std::fmt::Result {
        self.0.format_fields(Writer::new(&mut Shown(writer)), fields)
    }
}

/// Writes text with everything in it shown. What is hidden is a character, so each piece is shown by itself.
struct Shown<'writer>(Writer<'writer>);

impl std::fmt::Write for Shown<'_> {
    fn write_str(&mut self, text: &str) -> std::fmt::Result {
        self.0.write_str(&visible(text))
    }
}

/// Writes log lines that are JSON documents with everything in them shown.
#[derive(Debug)]
pub struct JsonLines<W>(pub W);

impl<W: Write> Write for JsonLines<W> {
    /// Writes the whole of `line`: the subscriber hands over an event at a time.
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(line);
        self.0.write_all(visible_json(&text).as_bytes())?;
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use tracing_subscriber::{fmt::layer, layer::SubscriberExt, registry};

    use super::*;

    /// What may reach us, and how it is shown.
    const HOSTILE: &str =
        "a\u{1b}[31mb\u{7}\n\u{9b}2J\u{202e}c\u{2066}\u{200f}\u{61c}\u{feff}\u{7f}\r";
    const SHOWN: &str = "a\\u{1b}[31mb\\u{7}\\u{a}\\u{9b}2J\\u{202e}c\\u{2066}\\u{200f}\\u{61c}\\u{feff}\\u{7f}\\u{d}";

    #[test]
    fn controls_and_bidi_marks_are_shown_and_letters_stay() {
        assert_eq!(visible(HOSTILE), SHOWN);
        assert_eq!(visible(SHOWN), SHOWN);
        assert_eq!(visible_lines("a\nb\r"), "a\nb\\u{d}");
        // A family is joined by U+200D, which only joins.
        for text in ["Schaukelpferd – 木馬 🚂", "👩‍👧", r#"{"product": "Train\n"}"#] {
            assert_eq!(visible(text), text);
        }
    }

    #[test]
    fn json_stays_the_same_value() {
        let document = serde_json::json!({ "reason": HOSTILE });
        let shown = visible_json(&document.to_string()).into_owned();
        assert!(!shown.contains(is_hidden), "{shown}");
        assert_eq!(serde_json::from_str::<serde_json::Value>(&shown).unwrap(), document);
    }

    #[derive(Clone, Default)]
    struct Lines(Arc<Mutex<Vec<u8>>>);

    impl Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn colours_are_for_terminals_and_for_those_who_want_them() {
        for (set, on_a_terminal, elsewhere) in [
            (&[][..], true, false),
            (&[("NO_COLOR", "1")], false, false),
            (&[("NO_COLOR", "")], true, false),
            (&[("CLICOLOR", "0")], false, false),
            (&[("TERM", "dumb")], false, false),
            (&[("CLICOLOR_FORCE", "1")], true, true),
            (&[("CLICOLOR_FORCE", "0")], true, false),
            (&[("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")], false, false),
        ] {
            let variable = |name: &str| {
                let found = set.iter().find(|(known, _)| *known == name);
                found.map(|(_, value)| (*value).to_owned())
            };
            let wanted = [true, false].map(|is_terminal| wants_colours(variable, is_terminal));
            assert_eq!(wanted, [on_a_terminal, elsewhere], "{set:?}");
        }
    }

    /// An event with text from outside in each place.
    fn log() {
        let error = io::Error::other(HOSTILE);
        let span = tracing::info_span!("request", id = %HOSTILE);
        span.in_scope(|| {
            tracing::warn!(
                product = HOSTILE,
                reason = %HOSTILE,
                error = &error as &dyn std::error::Error,
                "{HOSTILE}"
            );
        });
    }

    /// What is written of it.
    fn logged<S: tracing::Subscriber + Send + Sync + 'static>(
        subscriber: impl FnOnce(Lines) -> S,
    ) -> String {
        let lines = Lines::default();
        tracing::subscriber::with_default(subscriber(lines.clone()), log);
        let bytes = lines.0.lock().unwrap().clone();
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn a_log_line_is_one_line_and_shows_what_it_was_given() {
        let text = |ansi| {
            logged(|lines| {
                let layer = layer().with_writer(move || lines.clone()).with_ansi(ansi);
                registry().with(layer.fmt_fields(VisibleFields::default()))
            })
        };
        let json = logged(|lines| {
            registry().with(layer().with_writer(move || JsonLines(lines.clone())).json())
        });
        for (what, text) in [("plain", text(false)), ("coloured", text(true)), ("json", json)] {
            let line = text.strip_suffix('\n').unwrap();
            let ours = |c| what == "coloured" && c == '\u{1b}';
            assert!(!line.contains(|c| is_hidden(c) && !ours(c)), "{what}: {line:?}");
            assert!(!line.contains("\u{1b}[31mb"), "{what}: {line:?}");
            assert!(line.matches("[31mb").count() >= 5, "{what}: {line:?}");
        }
    }
}
