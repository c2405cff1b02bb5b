//! What came of each fault, for people.

use std::{fmt::Write as _, io::Write as _, time::Duration};

use crate::{evidence::Findings, first_sentence::Told};

/// One fault and what came of it.
pub struct Row {
    pub fault: String,
    pub accepted: usize,
    pub refused: usize,
    /// Of these, those after the first second, when breakers are open.
    pub refused_late: usize,
    pub longest_refusal: Duration,
    pub silent: usize,
    pub p99: Option<Duration>,
    pub findings: Findings,
    /// From the end of the fault; `None` when it never came.
    pub recovery: Option<Duration>,
    /// What clients and listeners saw that must not be.
    pub broken: Vec<String>,
    /// Whether both dependencies were unavailable, so that refusing is right.
    pub may_refuse: bool,
    /// Orders whose messages were taken for lost.
    pub published_again: u64,
    /// Ends of orders that the receiver of webhooks had heard before.
    pub told_again: usize,
    /// What an operator was told first.
    pub told: Told,
    /// Whether messages were lost, so that publishing again is right.
    pub may_publish_again: bool,
}

impl Row {
    /// What is wrong with it, if anything.
    pub fn complaint(&self) -> Option<String> {
        let late = self.refused_late > 0 && !self.may_refuse;
        let vain = self.published_again > 0 && !self.may_publish_again;
        let bad = late || vain || !self.findings.are_clean() || !self.broken.is_empty();
        (bad || self.recovery.is_none()).then(|| {
            let broken = self.broken.iter().take(10).fold(String::new(), |mut all, one| {
                let _ = write!(all, "\n    {one}");
                all
            });
            format!(
                "{}: {:?}, {} refused late, {} published again, recovery {:?}{broken}",
                self.fault, self.findings, self.refused_late, self.published_again, self.recovery
            )
        })
    }
}

const COLUMNS: [&str; 14] = [
    "fault",
    "accepted",
    "refused",
    "late",
    "longest refusal ms",
    "no answer",
    "p99 ms",
    "failed",
    "lost",
    "doubled",
    "published again",
    "told again",
    "recovery s",
    "named after s",
];

/// Shows the rows, whether or not the test's output is captured.
pub fn print(title: &str, rows: &[Row]) {
    let ms = |time: Duration| time.as_millis().to_string();
    let or_none = |text: Option<String>| text.unwrap_or_else(|| "-".to_owned());
    let mut cells: Vec<[String; 14]> = vec![COLUMNS.map(ToOwned::to_owned)];
    cells.extend(rows.iter().map(|row| {
        [
            row.fault.clone(),
            row.accepted.to_string(),
            row.refused.to_string(),
            row.refused_late.to_string(),
            ms(row.longest_refusal),
            row.silent.to_string(),
            or_none(row.p99.map(ms)),
            row.findings.failed.to_string(),
            row.findings.lost.to_string(),
            row.findings.doubled.to_string(),
            row.published_again.to_string(),
            row.told_again.to_string(),
            or_none(row.recovery.map(|time| format!("{:.1}", time.as_secs_f64()))),
            named(&row.told),
        ]
    }));
    let width = |column: usize| cells.iter().map(|row| row[column].len()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..COLUMNS.len()).map(width).collect();
    let mut text = format!("\n{title}\n");
    for (n, row) in cells.iter().enumerate() {
        for (column, (cell, &width)) in row.iter().zip(&widths).enumerate() {
            let _ = if column == 0 {
                write!(text, "| {cell:<width$} ")
            } else {
                write!(text, "| {cell:>width$} ")
            };
        }
        text.push_str("|\n");
        if n == 0 {
            for (column, &width) in widths.iter().enumerate() {
                let (dashes, colon) = ("-".repeat(width), if column == 0 { " " } else { ":" });
                let _ = write!(text, "| {dashes}{colon}");
            }
            text.push_str("|\n");
        }
    }
    for row in rows.iter().filter(|row| row.told.expected.is_some() && row.told.after.is_none()) {
        let _ = writeln!(text, "not named: {}: {:?}", row.fault, row.told.last);
    }
    say(&text);
}

/// How long it took until the first sentence named the fault.
fn named(told: &Told) -> String {
    match (told.expected, told.after) {
        (None, _) => "-".to_owned(),
        (Some(_), Some(after)) => format!("{:.1}", after.as_secs_f64()),
        (Some(_), None) => "never".to_owned(),
    }
}

/// Says something at once, whether or not the test's output is captured.
pub fn say(text: &str) {
    let _ = writeln!(std::io::stderr(), "{text}");
}
