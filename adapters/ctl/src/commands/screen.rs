//! Where results are printed: a terminal, whose width and colours count, or a file, which gets all of it.

use std::io::{IsTerminal, stdout};

use time::{OffsetDateTime, format_description::well_known::Rfc3339};
use woody_adapters::{figures, terminal};
use woody_core::domain::now;

/// Where an [`Output`](super::Output) is printed.
#[derive(Debug, Clone, Copy)]
pub struct Screen {
    /// The columns of a terminal. None elsewhere: nothing is cut there, and no age added.
    pub(super) width: Option<usize>,
    /// Whether there may be colours.
    pub(super) has_colours: bool,
    /// What ages are counted to.
    pub(super) now: OffsetDateTime,
}

impl Screen {
    /// That which stdout is.
    pub fn of_stdout() -> Self {
        let width = rustix::termios::tcgetwinsize(stdout()).ok().map(|size| size.ws_col);
        // A terminal that does not say how wide it is has what terminals have.
        let width = width.map(|width| if width == 0 { 80 } else { usize::from(width) });
        Self {
            width: width.filter(|_| stdout().is_terminal()),
            has_colours: terminal::has_colours(&stdout()),
            now: now(),
        }
    }

    /// A file or a pipe.
    pub fn file() -> Self {
        Self { width: None, has_colours: false, now: OffsetDateTime::UNIX_EPOCH }
    }

    #[cfg(test)]
    pub(super) fn of_width(width: usize, now: &str) -> Self {
        let now = OffsetDateTime::parse(now, &Rfc3339).unwrap();
        Self { width: Some(width), has_colours: false, now }
    }

    /// Returns a time with its age, for instance `03:10:54Z, 3 min ago`, and its age alone, if `text` is a time and
    /// this a terminal.
    pub(super) fn time(&self, text: &str) -> Option<(String, String)> {
        self.width?;
        let at = OffsetDateTime::parse(text, &Rfc3339).ok()?.to_offset(time::UtcOffset::UTC);
        let age = age(self.now - at);
        let day =
            if at.date() == self.now.date() { String::new() } else { format!("{} ", at.date()) };
        let (hour, minute, second) = at.to_hms();
        Some((format!("{day}{hour:02}:{minute:02}:{second:02}Z, {age}"), age))
    }
}

/// How long ago something was, or in how long it will be by another clock.
fn age(since: time::Duration) -> String {
    let age = figures::age(since.unsigned_abs());
    match since.whole_seconds() {
        0 => "now".to_owned(),
        1.. => format!("{age} ago"),
        _ => format!("in {age}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_person_reads_how_long_ago_it_was() {
        let now = "2026-11-30T03:13:54Z";
        let screen = Screen::of_width(80, now);
        for (at, whole, age) in [
            (now, "03:13:54Z, now", "now"),
            ("2026-11-30T03:13:53.5Z", "03:13:53Z, now", "now"),
            ("2026-11-30T03:10:54.123456Z", "03:10:54Z, 2 min ago", "2 min ago"),
            ("2026-11-30T04:10:54+01:00", "03:10:54Z, 3 min ago", "3 min ago"),
            ("2026-11-29T23:59:59Z", "2026-11-29 23:59:59Z, 3 h 13 min ago", "3 h 13 min ago"),
            ("2026-11-28T12:00:00Z", "2026-11-28 12:00:00Z, 39 h 13 min ago", "39 h 13 min ago"),
            ("2026-10-01T00:00:00Z", "2026-10-01 00:00:00Z, 60 d ago", "60 d ago"),
            ("2026-11-30T03:14:24Z", "03:14:24Z, in 30 s", "in 30 s"),
        ] {
            assert_eq!(screen.time(at), Some((whole.to_owned(), age.to_owned())), "{at}");
        }
        assert_eq!(screen.time("now"), None);
        // A program that reads what is printed wants the time, and nothing else.
        assert_eq!(Screen::file().time(now), None);
    }
}
