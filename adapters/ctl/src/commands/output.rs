use clap::ValueEnum;
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::{Value, json};

use woody_adapters::terminal::{visible, visible_json, visible_lines};

use super::{screen::Screen, table};

/// How results are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// For people.
    #[value(alias = "text")]
    Table,
    /// For programs: one JSON document.
    Json,
    /// A plan's drawings, a page for each way in which sheets are cut.
    Svg,
    /// A plan's cut list.
    Csv,
    /// A plan's pieces, a line for each, for programs that print labels.
    Labels,
    /// A plan's drawings for routers.
    Dxf,
}

impl Format {
    /// Whether only a plan can be printed so.
    pub(super) fn is_of_plans(self) -> bool {
        !matches!(self, Self::Table | Self::Json)
    }
}

/// What a command has to say, for people and for programs.
///
/// Whatever it is made from may come from outside; each way to make one shows
/// what a terminal would obey.
#[derive(Debug)]
pub struct Output {
    body: Body,
    /// Lines below it.
    below: Vec<String>,
    tone: Option<Tone>,
    json: Value,
    as_json: bool,
    exit_code: u8,
}

/// What is said, before it is known where.
#[derive(Debug)]
enum Body {
    Text(String),
    Pairs(Vec<(String, String)>),
    Table { columns: Vec<String>, rows: Vec<Vec<Value>> },
}

/// How the first line is meant: its colour, where there are any.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tone {
    /// Green.
    Well,
    /// Yellow.
    Wrong,
    /// Red.
    Act,
}

impl Tone {
    fn painted(self, line: &str) -> String {
        let colour = match self {
            Self::Well => 32,
            Self::Wrong => 33,
            Self::Act => 31,
        };
        format!("\u{1b}[1;{colour}m{line}\u{1b}[0m")
    }
}

impl Output {
    /// One line, `{"message": …}` for programs.
    pub(super) fn text(line: impl AsRef<str>) -> Self {
        let line = line.as_ref();
        Self::new(Body::Text(visible(line).into_owned()), json!({ "message": line }))
    }

    /// A table of things, each a row of `columns` and an object for programs. `null`
    /// is what is not known. Of none people read `none`.
    pub(super) fn table<const N: usize>(
        columns: [&str; N],
        things: Vec<([Value; N], Value)>,
    ) -> Self {
        let (rows, json) = things.into_iter().map(|(row, object)| (row.to_vec(), object)).unzip();
        let columns = columns.map(str::to_owned).to_vec();
        Self::new(Body::Table { columns, rows }, Value::Array(json))
    }

    /// One thing as pairs of name and value; programs get `json`.
    pub(super) fn pairs(pairs: &[(impl AsRef<str>, String)], json: Value) -> Self {
        let pairs = pairs.iter().map(|(name, value)| {
            (visible(name.as_ref()).into_owned(), visible(value).into_owned())
        });
        Self::new(Body::Pairs(pairs.collect()), json)
    }

    /// A text of several lines; programs get `json`.
    pub(super) fn report(text: &str, json: Value) -> Self {
        Self::new(Body::Text(visible_lines(text).into_owned()), json)
    }

    /// A file as its format has it; its line feeds stay what they are.
    pub(super) fn file(text: &str) -> Self {
        let lines = text.trim_end_matches(['\r', '\n']).split("\r\n");
        let lines: Vec<_> = lines.map(visible_lines).collect();
        Self::new(Body::Text(lines.join("\r\n")), Value::Null)
    }

    /// A text of our own, with nothing from outside in it; programs get `json`.
    pub(super) fn own(text: &str, json: Value) -> Self {
        Self::new(Body::Text(text.trim_end().to_owned()), json)
    }

    /// The same with a line below it for people.
    pub(super) fn below(mut self, line: &str) -> Self {
        self.below.push(visible(line).into_owned());
        self
    }

    /// The same with a line below it; programs get `json`.
    pub(super) fn concluding(self, line: &str, json: Value) -> Self {
        Self { json, ..self.below(line) }
    }

    /// The same, with `json` for programs.
    pub(super) fn told_as(self, json: Value) -> Self {
        Self { json, ..self }
    }

    fn new(body: Body, json: Value) -> Self {
        Self { body, below: Vec::new(), tone: None, json, as_json: false, exit_code: 0 }
    }

    /// The same, its first line in a colour where there are colours.
    pub(super) fn in_tone(self, tone: Tone) -> Self {
        Self { tone: Some(tone), ..self }
    }

    /// The same, and it is bad news: exit code 1.
    pub(super) fn failing(self) -> Self {
        Self { exit_code: 1, ..self }
    }

    /// The same, and it does not settle what was asked: exit code 3.
    pub(super) fn unsettled(self) -> Self {
        Self { exit_code: 3, ..self }
    }

    /// The same, and somebody must act: exit code 4.
    pub(super) fn urgent(self) -> Self {
        Self { exit_code: 4, ..self }
    }

    /// 0 for good news, 1 for bad, 3 for none, 4 for what somebody must act on.
    pub fn exit_code(&self) -> u8 {
        self.exit_code
    }

    /// The same, for programs.
    pub(super) fn into_json(self) -> Self {
        Self { as_json: true, ..self }
    }
}

/// A longer name than this does not push away the values of the others.
const WIDEST_NAME: usize = 40;

impl Output {
    /// Returns what is printed there.
    pub fn on(&self, screen: &Screen) -> String {
        if self.as_json {
            return visible_json(&self.json.to_string()).into_owned();
        }
        let mut text = match &self.body {
            Body::Text(text) => text.clone(),
            Body::Pairs(pairs) => lined_up(pairs, screen),
            Body::Table { rows, .. } if rows.is_empty() => "none".to_owned(),
            Body::Table { columns, rows } => table::drawn(columns, rows, screen),
        };
        for line in &self.below {
            text.push('\n');
            text.push_str(line);
        }
        match self.tone.filter(|_| screen.has_colours) {
            Some(tone) => {
                let (first, rest) = text.split_at(text.find('\n').unwrap_or(text.len()));
                format!("{}{rest}", tone.painted(first))
            }
            None => text,
        }
    }
}

/// Pairs below each other, their values in a column; a time with its age where a person looks.
fn lined_up(pairs: &[(String, String)], screen: &Screen) -> String {
    let widths = pairs.iter().map(|(name, _)| name.chars().count());
    let width = widths.filter(|width| *width <= WIDEST_NAME).max().unwrap_or(0);
    let line = |(name, value): &(String, String)| {
        let age = screen.time(value).filter(|_| table::is_time(name));
        let age = age.map_or_else(String::new, |(_, age)| format!(" ({age})"));
        format!("{name:width$}  {value}{age}")
    };
    pairs.iter().map(line).collect::<Vec<_>>().join("\n")
}

/// As in a file: whole, without colours.
impl std::fmt::Display for Output {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.on(&Screen::file()))
    }
}

/// Shows how far something long has come, on a terminal only.
pub(super) fn progress_bar(len: usize, doing: &'static str) -> ProgressBar {
    let bar = ProgressBar::new(len as u64);
    if let Ok(style) = ProgressStyle::with_template("{msg} {wide_bar} {pos}/{len} {eta}") {
        bar.set_style(style);
    }
    bar.with_message(doing)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOSTILE: &str = "a\u{1b}]0;pwned\u{7}\nb\u{9b}2J\u{202e}c\r";

    #[test]
    fn no_way_to_make_an_output_lets_text_reach_a_terminal_raw() {
        let value = json!({ "it": HOSTILE });
        for (output, lines) in [
            (Output::text(HOSTILE), 1),
            (Output::pairs(&[("it", HOSTILE.to_owned()), ("n", "1".to_owned())], value.clone()), 2),
            (Output::pairs(&[(HOSTILE, "it".to_owned())], value.clone()), 1),
            (Output::table(["it", "n"], vec![([json!(HOSTILE), json!(1)], value.clone())]), 5),
            (Output::report(HOSTILE, value.clone()), 2),
            (Output::text("it").concluding(HOSTILE, value), 2),
        ] {
            let text = output.to_string();
            assert!(!text.contains(['\u{1b}', '\u{7}', '\u{9b}', '\u{202e}', '\r']), "{text:?}");
            assert_eq!(text.lines().count(), lines, "{text}");
            let document = output.into_json().to_string();
            assert!(document.is_ascii(), "{document}");
            assert!(document.contains("\\u009b") && document.contains("\\u202e"), "{document}");
            let value: Value = serde_json::from_str(&document).unwrap();
            assert!(value.to_string().contains("pwned"));
        }
    }

    #[test]
    fn a_file_keeps_its_lines_and_nothing_else_that_a_terminal_obeys() {
        let file = Output::file(&format!("a,b\r\n1,{HOSTILE}\r\n")).to_string();
        assert!(file.starts_with("a,b\r\n1,a\\u{1b}"), "{file:?}");
        assert!(!file.contains(['\u{1b}', '\u{7}', '\u{9b}', '\u{202e}']), "{file:?}");
    }

    #[test]
    fn of_nothing_people_read_none_and_programs_get_an_empty_list() {
        let empty = || Output::table(["id"], Vec::new());
        assert_eq!(empty().to_string(), "none");
        assert_eq!(empty().concluding("0 orders", json!([])).to_string(), "none\n0 orders");
        assert_eq!(empty().into_json().to_string(), "[]");
    }

    #[test]
    fn a_first_line_has_its_colour_where_there_are_colours() {
        let output = Output::report("All is well.\nmore", Value::Null).in_tone(Tone::Well);
        assert_eq!(output.to_string(), "All is well.\nmore");
        let screen = Screen { has_colours: true, ..Screen::file() };
        assert_eq!(output.on(&screen), "\u{1b}[1;32mAll is well.\u{1b}[0m\nmore");
        assert_eq!(output.into_json().on(&screen), "null");
    }

    #[test]
    fn a_time_has_its_age_beside_it_where_a_person_looks() {
        let time = "2026-11-30T03:10:54Z".to_owned();
        let output = Output::pairs(&[("died at", time.clone()), ("body", time)], Value::Null);
        let shown = output.on(&Screen::of_width(80, "2026-11-30T03:13:54Z"));
        let [at, body] =
            ["died at  ", "body     "].map(|name| format!("{name}2026-11-30T03:10:54Z"));
        assert_eq!(shown, format!("{at} (3 min ago)\n{body}"));
        assert_eq!(output.to_string(), format!("{at}\n{body}"));
    }

    #[test]
    fn numbers_are_numbers_to_programs_and_what_is_unknown_is_null() {
        let object = json!({ "id": "a", "attempts": 3, "died_at": null });
        let rows = vec![([json!("a"), json!(3), Value::Null], object)];
        let output = Output::table(["id", "attempts", "died_at"], rows);
        assert!(output.to_string().contains("unknown"));
        assert_eq!(output.into_json().to_string(), r#"[{"attempts":3,"died_at":null,"id":"a"}]"#);
    }
}
