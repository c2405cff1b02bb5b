use comfy_table::{ContentArrangement, Table, presets};
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::{Value, json};

/// What a command has to say, for people and for programs.
#[derive(Debug)]
pub struct Output {
    text: String,
    json: Value,
    as_json: bool,
    failing: bool,
}

impl Output {
    /// One line, `{"message": …}` for programs.
    pub(super) fn text(line: impl Into<String>) -> Self {
        let text = line.into();
        Self { json: json!({ "message": text }), text, as_json: false, failing: false }
    }

    /// A table of `rows`, which programs get as an array of objects.
    pub(super) fn rows<const N: usize>(columns: [&str; N], rows: Vec<[String; N]>) -> Self {
        let json = rows
            .iter()
            .map(|row| columns.iter().zip(row).map(|(k, v)| ((*k).to_owned(), json!(v))).collect())
            .map(Value::Object)
            .collect();
        let mut table = Table::new();
        table.load_style(presets::UTF8_HORIZONTAL_ONLY);
        table.set_content_arrangement(ContentArrangement::Dynamic);
        table.set_header(columns);
        for row in rows {
            table.add_row(row);
        }
        Self { text: table.to_string(), json, as_json: false, failing: false }
    }

    /// One thing as pairs of name and value; programs get `json`.
    pub(super) fn pairs(pairs: &[(&str, String)], json: Value) -> Self {
        let width = pairs.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
        let lines: Vec<String> =
            pairs.iter().map(|(name, value)| format!("{name:width$}  {value}")).collect();
        Self { text: lines.join("\n"), json, as_json: false, failing: false }
    }

    /// A text of several lines; programs get `json`.
    pub(super) fn report(text: String, json: Value) -> Self {
        Self { text, json, as_json: false, failing: false }
    }

    /// The same, and it is bad news: exit code 1.
    pub(super) fn failing(self) -> Self {
        Self { failing: true, ..self }
    }

    /// Whether it is bad news.
    pub fn is_failing(&self) -> bool {
        self.failing
    }

    /// The same, for programs.
    pub(super) fn into_json(self) -> Self {
        Self { as_json: true, ..self }
    }
}

impl std::fmt::Display for Output {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.as_json { self.json.fmt(f) } else { f.write_str(&self.text) }
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
