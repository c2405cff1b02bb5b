use clap::ValueEnum;
use comfy_table::{ContentArrangement, Table, presets};
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::{Value, json};

use woody_adapters::terminal::{visible, visible_json, visible_lines};

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
    text: String,
    json: Value,
    as_json: bool,
    exit_code: u8,
}

impl Output {
    /// One line, `{"message": …}` for programs.
    pub(super) fn text(line: impl AsRef<str>) -> Self {
        let line = line.as_ref();
        Self::new(visible(line).into_owned(), json!({ "message": line }))
    }

    /// A table of things, each a row of `columns` and an object for programs. `null`
    /// is what is not known.
    pub(super) fn table<const N: usize>(
        columns: [&str; N],
        things: Vec<([Value; N], Value)>,
    ) -> Self {
        let mut table = Table::new();
        table.load_style(presets::UTF8_HORIZONTAL_ONLY);
        table.set_content_arrangement(ContentArrangement::Dynamic);
        table.set_header(columns);
        for (row, _) in &things {
            table.add_row(row.iter().map(cell));
        }
        let json = things.into_iter().map(|(_, object)| object).collect();
        Self::new(table.to_string(), json)
    }

    /// One thing as pairs of name and value; programs get `json`.
    pub(super) fn pairs(pairs: &[(impl AsRef<str>, String)], json: Value) -> Self {
        let names: Vec<_> = pairs.iter().map(|(name, _)| visible(name.as_ref())).collect();
        let widths = names.iter().map(|name| name.chars().count());
        let width = widths.filter(|width| *width <= WIDEST_NAME).max().unwrap_or(0);
        let lines: Vec<String> = names
            .iter()
            .zip(pairs)
            .map(|(name, (_, value))| format!("{name:width$}  {}", visible(value)))
            .collect();
        Self::new(lines.join("\n"), json)
    }

    /// A text of several lines; programs get `json`.
    pub(super) fn report(text: &str, json: Value) -> Self {
        Self::new(visible_lines(text).into_owned(), json)
    }

    /// A file as its format has it; its line feeds stay what they are.
    pub(super) fn file(text: &str) -> Self {
        let lines = text.trim_end_matches(['\r', '\n']).split("\r\n");
        let lines: Vec<_> = lines.map(visible_lines).collect();
        Self::new(lines.join("\r\n"), Value::Null)
    }

    /// The same with a line below it; programs get `json`.
    pub(super) fn concluding(self, line: &str, json: Value) -> Self {
        Self { text: format!("{}\n{}", self.text, visible(line)), json, ..self }
    }

    fn new(text: String, json: Value) -> Self {
        Self { text, json, as_json: false, exit_code: 0 }
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

/// A value as people read it.
fn cell(value: &Value) -> String {
    match value {
        Value::Null => "unknown".to_owned(),
        Value::String(text) => visible(text).into_owned(),
        other => visible(&other.to_string()).into_owned(),
    }
}

impl std::fmt::Display for Output {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.as_json {
            f.write_str(&visible_json(&self.json.to_string()))
        } else {
            f.write_str(&self.text)
        }
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
    fn numbers_are_numbers_to_programs_and_what_is_unknown_is_null() {
        let object = json!({ "id": "a", "attempts": 3, "died_at": null });
        let rows = vec![([json!("a"), json!(3), Value::Null], object)];
        let output = Output::table(["id", "attempts", "died_at"], rows);
        assert!(output.to_string().contains("unknown"));
        assert_eq!(output.into_json().to_string(), r#"[{"attempts":3,"died_at":null,"id":"a"}]"#);
    }
}
