//! The table: medians of all rounds, with the limit beside what it limits.

use std::{collections::BTreeSet, fmt::Write as _, fs, io, path::Path};

use serde::{Deserialize, Serialize};

use crate::{figures::Figures, scenarios::Row};

/// What was measured in all rounds.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Report {
    /// What it ran on.
    pub machine: String,
    pub rows: Vec<Measured>,
}

/// A row, with what each round found.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Measured {
    pub name: String,
    pub limit: Option<String>,
    pub rounds: Vec<Figures>,
}

impl Measured {
    /// The median over the rounds that have the figure.
    pub fn median(&self, figure: &str) -> Option<f64> {
        let mut values = self.values(figure);
        values.sort_by(f64::total_cmp);
        values.get(values.len() / 2).copied()
    }

    fn values(&self, figure: &str) -> Vec<f64> {
        self.rounds.iter().filter_map(|round| round.0.get(figure).copied()).collect()
    }

    fn spread(&self, figure: &str) -> Option<(f64, f64)> {
        let mut values = self.values(figure);
        values.sort_by(f64::total_cmp);
        Some((*values.first()?, *values.last()?))
    }
}

impl Report {
    pub fn new(machine: String) -> Self {
        Self { machine, rows: Vec::new() }
    }

    pub fn add(&mut self, row: Row) {
        let there = self.rows.iter_mut().find(|there| there.name == row.name);
        if let Some(there) = there {
            there.rounds.push(row.figures);
            return;
        }
        let limit = row.limit.map(str::to_owned);
        self.rows.push(Measured { name: row.name, limit, rounds: vec![row.figures] });
    }

    fn row(&self, name: &str) -> Option<&Measured> {
        self.rows.iter().find(|row| row.name == name)
    }

    /// The median of what part of its limit a row reached, round by round.
    fn of_limit(&self, row: &Measured) -> Option<f64> {
        let limit = self.row(row.limit.as_deref()?)?;
        let pairs = row.values(Figures::RATE).into_iter().zip(limit.values(Figures::RATE));
        let mut ratios: Vec<f64> = pairs.map(|(rate, most)| rate / most).collect();
        ratios.sort_by(f64::total_cmp);
        ratios.get(ratios.len() / 2).copied()
    }

    /// As a table of Markdown.
    pub fn table(&self) -> String {
        let mut text = format!("{}. Medians (minimum to maximum).\n\n", self.machine);
        text.push_str(
            "| measured | per second | of its limit | p50, p99 ms | cost of each | else |\n",
        );
        text.push_str("| --- | ---: | ---: | ---: | --- | --- |\n");
        for row in &self.rows {
            let rate = row.median(Figures::RATE).zip(row.spread(Figures::RATE));
            let rate = rate.map_or_else(String::new, |(rate, (least, most))| {
                if row.rounds.len() == 1 {
                    show(rate)
                } else {
                    format!("{} ({} to {})", show(rate), show(least), show(most))
                }
            });
            let ratio = self.of_limit(row).map_or_else(String::new, |ratio| format!("{ratio:.2}"));
            let latency = row.median("p50 ms").zip(row.median("p99 ms"));
            let latency = latency
                .map_or_else(String::new, |(p50, p99)| format!("{}, {}", show(p50), show(p99)));
            let (cost, rest) = others(row);
            let _ =
                writeln!(text, "| {} | {rate} | {ratio} | {latency} | {cost} | {rest} |", row.name);
        }
        text
    }

    /// What is slower here than in `before` by more than a tenth, a line each.
    pub fn slower_than(&self, before: &Self) -> Vec<String> {
        let mut slower = Vec::new();
        for row in &self.rows {
            let Some(before) = before.row(&row.name) else { continue };
            let rates = row.median(Figures::RATE).zip(before.median(Figures::RATE));
            if let Some((now, then)) = rates
                && now < 0.9 * then
            {
                let line = format!("{}: {}/s, {}/s before", row.name, show(now), show(then));
                slower.push(line);
            }
            for (figure, now) in medians(row).filter(|(figure, _)| is_cost(figure)) {
                if let Some(then) = before.median(figure)
                    && now > 1.1 * then
                {
                    let (now, then) = (show(now), show(then));
                    slower.push(format!("{}: {figure} {now}, {then} before", row.name));
                }
            }
        }
        slower
    }

    pub fn save(&self, folder: &Path) -> io::Result<()> {
        fs::create_dir_all(folder)?;
        fs::write(folder.join("results.json"), serde_json::to_vec_pretty(self)?)
    }

    pub fn read(file: &Path) -> io::Result<Self> {
        Ok(serde_json::from_slice(&fs::read(file)?)?)
    }
}

fn medians(row: &Measured) -> impl Iterator<Item = (&str, f64)> {
    let names: BTreeSet<_> =
        row.rounds.iter().flat_map(|round| round.0.keys().map(String::as_str)).collect();
    names.into_iter().filter_map(|name| Some((name, row.median(name)?)))
}

fn is_cost(figure: &str) -> bool {
    figure.ends_with(" us") || figure == "WAL bytes"
}

/// What the columns before do not show: costs, and the rest.
fn others(row: &Measured) -> (String, String) {
    let (mut costs, mut rest) = (Vec::new(), Vec::new());
    for (figure, value) in medians(row) {
        let text = format!("{figure} {}", show(value));
        match figure {
            Figures::RATE | "p50 ms" | "p99 ms" => {}
            _ if is_cost(figure) => costs.push(text),
            _ => rest.push(text),
        }
    }
    (costs.join(", "), rest.join(", "))
}

fn show(value: f64) -> String {
    match value {
        ..10.0 => format!("{value:.2}"),
        10.0..100.0 => format!("{value:.1}"),
        _ => format!("{value:.0}"),
    }
}
