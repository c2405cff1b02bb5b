use comfy_table::{ContentArrangement, Table, presets};
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::{Value, json};

use woody_adapters::terminal::{visible, visible_json, visible_lines};

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

    /// A table of `rows`, which programs get as an array of objects. `null` is
    /// what is not known.
    pub(super) fn rows<const N: usize>(columns: [&str; N], rows: Vec<[Value; N]>) -> Self {
        let mut table = Table::new();
        table.load_style(presets::UTF8_HORIZONTAL_ONLY);
        table.set_content_arrangement(ContentArrangement::Dynamic);
        table.set_header(columns);
        for row in &rows {
            table.add_row(row.iter().map(cell));
        }
        let object = |row: [Value; N]| columns.map(str::to_owned).into_iter().zip(row).collect();
        let json = rows.into_iter().map(object).map(Value::Object).collect();
        Self::new(table.to_string(), json)
    }

    /// One thing as pairs of name and value; programs get `json`.
    pub(super) fn pairs(pairs: &[(&str, String)], json: Value) -> Self {
        let width = pairs.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
        let lines: Vec<String> = pairs
            .iter()
            .map(|(name, value)| format!("{name:width$}  {}", visible(value)))
            .collect();
        Self::new(lines.join("\n"), json)
    }

    /// A text of several lines; programs get `json`.
    pub(super) fn report(text: &str, json: Value) -> Self {
        Self::new(visible_lines(text).into_owned(), json)
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

    /// 0 for good news, 1 for bad, 3 for none.
    pub fn exit_code(&self) -> u8 {
        self.exit_code
    }

    /// The same, for programs.
    pub(super) fn into_json(self) -> Self {
        Self { as_json: true, ..self }
    }
}

/// A value as people read it.
fn cell(value: &Value) -> String {
    match value {
        Value::Null => "not told".to_owned(),
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
            (Output::rows(["it", "n"], vec![[json!(HOSTILE), json!(1)]]), 5),
            (Output::report(HOSTILE, value), 2),
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
    fn numbers_are_numbers_to_programs_and_what_is_unknown_is_null() {
        let rows = vec![[json!("a"), json!(3), Value::Null]];
        let output = Output::rows(["id", "attempts", "died_at"], rows);
        assert!(output.to_string().contains("not told"));
        assert_eq!(output.into_json().to_string(), r#"[{"attempts":3,"died_at":null,"id":"a"}]"#);
    }
}
