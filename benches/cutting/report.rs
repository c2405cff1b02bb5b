//! The table: a row for each class, and the sum.

use std::collections::BTreeMap;
use std::fmt::{self, Display, Formatter};
use std::time::Duration;

/// What came of one instance.
#[derive(Clone)]
pub(crate) struct Row {
    pub(crate) class: String,
    pub(crate) name: String,
    /// Sheets, or their cost where they have one.
    pub(crate) value: u64,
    pub(crate) bound: u64,
    pub(crate) best: Option<u64>,
    pub(crate) time: Duration,
}

#[derive(Default)]
pub(crate) struct Report(Vec<Row>);

impl Report {
    pub(crate) fn add(&mut self, row: Row) {
        self.0.push(row);
    }

    /// The instances that end above the best known value.
    pub(crate) fn worse(&self) -> Vec<&str> {
        let worse = self.0.iter().filter(|row| row.best.is_some_and(|best| row.value > best));
        worse.map(|row| row.name.as_str()).collect()
    }
}

impl Display for Report {
    fn fmt(&self, out: &mut Formatter<'_>) -> fmt::Result {
        let mut classes: BTreeMap<&str, Vec<&Row>> = BTreeMap::new();
        for row in &self.0 {
            classes.entry(&row.class).or_default().push(row);
        }
        writeln!(
            out,
            "| class | instances | sheets or cost | bound | best known | above it | s each | longest |"
        )?;
        writeln!(out, "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |")?;
        for (class, rows) in &classes {
            line(out, class, rows)?;
        }
        line(out, "all", &self.0.iter().collect::<Vec<_>>())
    }
}

#[expect(clippy::cast_precision_loss, reason = "percent and seconds for people")]
fn line(out: &mut Formatter<'_>, class: &str, rows: &[&Row]) -> fmt::Result {
    let value: u64 = rows.iter().map(|row| row.value).sum();
    let bound: u64 = rows.iter().map(|row| row.bound).sum();
    let best: Option<u64> = rows.iter().map(|row| row.best).sum();
    let (best, above) = match best.filter(|best| *best > 0) {
        Some(best) => {
            (best.to_string(), format!("{:.2} %", 100.0 * (value as f64 / best as f64 - 1.0)))
        }
        None => ("-".into(), "-".into()),
    };
    let time: Duration = rows.iter().map(|row| row.time).sum();
    let longest = rows.iter().map(|row| row.time).max().unwrap_or_default();
    writeln!(
        out,
        "| {class} | {} | {value} | {bound} | {best} | {above} | {:.3} | {:.3} |",
        rows.len(),
        time.as_secs_f64() / rows.len().max(1) as f64,
        longest.as_secs_f64(),
    )
}
