//! How often the times were kept.

use std::{collections::HashMap, fmt};

use serde_json::json;
use time::OffsetDateTime;
use uuid::Uuid;

use crate::load::Told;

/// A row for each phase, and one for all.
pub struct Table(Vec<Row>);

#[derive(Debug, Default)]
pub struct Row {
    pub name: String,
    pub orders: usize,
    /// Those that were told when they will be ready.
    pub told: usize,
    /// How many of these were ready by then, in per cent.
    pub kept_p50: f64,
    pub kept_p90: f64,
    /// How far they were from their p50 on average, and how far p90 was from p50, in seconds.
    pub error_s: f64,
    pub width_s: f64,
}

impl Table {
    pub fn of(told: &[Told], ended: &HashMap<Uuid, OffsetDateTime>) -> Self {
        let mut names: Vec<&str> = told.iter().map(|order| order.phase).collect();
        names.dedup();
        let rows = names
            .iter()
            .map(|name| row(name, told.iter().filter(|order| order.phase == *name), ended));
        let mut rows: Vec<Row> = rows.collect();
        rows.push(row("all", told.iter(), ended));
        Self(rows)
    }

    pub fn all(&self) -> &Row {
        self.0.last().unwrap()
    }

    pub fn json(&self) -> String {
        let row = |row: &Row| {
            let Row { name, orders, told, kept_p50, kept_p90, error_s, width_s } = row;
            json!({
                "phase": name, "orders": orders, "told": told, "kept_p50_percent": kept_p50,
                "kept_p90_percent": kept_p90, "mean_error_s": error_s, "p90_after_p50_s": width_s,
            })
        };
        let rows: Vec<_> = self.0.iter().map(row).collect();
        serde_json::to_string_pretty(&rows).unwrap() + "\n"
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "| phase | orders | told | kept p50 | kept p90 | mean error | p90 after p50 |"
        )?;
        writeln!(f, "| --- | ---: | ---: | ---: | ---: | ---: | ---: |")?;
        for Row { name, orders, told, kept_p50, kept_p90, error_s, width_s } in &self.0 {
            writeln!(
                f,
                "| {name} | {orders} | {told} | {kept_p50:.1} % | {kept_p90:.1} % | {error_s:.2} s | {width_s:.2} s |"
            )?;
        }
        Ok(())
    }
}

#[expect(clippy::cast_precision_loss, reason = "hundreds of thousands")]
fn row<'a>(
    name: &str,
    orders: impl Iterator<Item = &'a Told>,
    ended: &HashMap<Uuid, OffsetDateTime>,
) -> Row {
    let mut row = Row { name: name.to_owned(), ..Row::default() };
    let (mut p50s, mut p90s) = (0_u32, 0_u32);
    for order in orders {
        row.orders += 1;
        let Some((p50, p90)) = order.ready else { continue };
        let at = ended[&order.id];
        row.told += 1;
        p50s += u32::from(at <= p50);
        p90s += u32::from(at <= p90);
        row.error_s += (at - p50).abs().as_seconds_f64();
        row.width_s += (p90 - p50).as_seconds_f64();
    }
    let of = row.told.max(1) as f64;
    (row.kept_p50, row.kept_p90) = (100.0 * f64::from(p50s) / of, 100.0 * f64::from(p90s) / of);
    (row.error_s, row.width_s) = (row.error_s / of, row.width_s / of);
    row
}
