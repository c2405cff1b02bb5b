//! What stands beside a sheet: its cuts, its parts, and the scale.

use std::collections::BTreeMap;
use std::fmt::{self, Write};

use woody_cutting::Direction;

use crate::workshop::{Cut, CutPart, Layout, Plan};

use super::label::Area;
use super::sheet::tint;
use super::text::{Line, shortened, width_em};

/// Height of letters in the lists.
const SIZE: f64 = 2.5;
const ROW: f64 = 3.7;
/// The same for many cuts.
const SMALL: f64 = 2.1;
const SMALL_ROW: f64 = 2.9;

/// Returns how many rows have room in so much height.
fn rows_in(height: f64, row: f64) -> usize {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "of one page")]
    let rows = (height.max(0.0) / row) as usize;
    rows
}

/// Writes the cuts of a sheet: in a column, or in two if they are many, in smaller letters if
/// they are very many. For a router there are none, which is said.
pub(super) fn cuts(out: &mut String, layout: &Layout, area: Area) -> fmt::Result {
    if layout.free {
        for (y, line) in
            [(0.0, "free layout, for a router:"), (ROW, "a saw may not be able to cut it")]
        {
            Line::new(area.x, area.y + y, SIZE, line).bold().write(out)?;
        }
        return Ok(());
    }
    let cuts = &layout.cut_sequence;
    // Without the heading, and the line that counts what is left out.
    let rows = |row| rows_in(area.height, row).saturating_sub(2).max(1);
    let is_small = cuts.len() > 2 * rows(ROW);
    let (size, row) = if is_small { (SMALL, SMALL_ROW) } else { (SIZE, ROW) };
    let rows = rows(row);
    for (column, cuts) in cuts.chunks(rows).take(2).enumerate() {
        let x = area.x + if column == 0 { 0.0 } else { area.width / 2.0 };
        let mut y = area.y;
        for (right, heading) in [(8.0, "cut"), (22.0, "fence"), (30.0, "long")] {
            Line::new(x + right, y, size, heading).end().bold().write(out)?;
        }
        for cut in cuts {
            y += row;
            self::cut(out, cut, (x, y), size)?;
        }
    }
    let told: u64 = cuts.iter().take(2 * rows).map(|cut| cut.times).sum();
    if told < layout.cuts {
        let rest = format!("and {} more cuts", layout.cuts - told);
        let y = area.y + area.height - row / 2.0;
        Line::new(area.x, y, size, &rest).write(out)?;
    }
    Ok(())
}

fn cut(out: &mut String, cut: &Cut, (x, y): (f64, f64), size: f64) -> fmt::Result {
    let number = match cut.times {
        1 => cut.number.to_string(),
        times => format!("{}–{}", cut.number, cut.number + times - 1),
    };
    let direction = match cut.direction {
        Direction::Rip => "rip",
        Direction::Cross => "cross",
    };
    Line::new(x + 8.0, y, size, &number).end().write(out)?;
    Line::new(x + 9.2, y, size, direction).write(out)?;
    Line::new(x + 22.0, y, size, &cut.fence_mm.to_string()).end().bold().write(out)?;
    Line::new(x + 30.0, y, size, &cut.length_mm.to_string()).end().write(out)
}

/// The parts of a sheet, each with how many of it come off.
pub(super) struct Legend<'a> {
    parts: Vec<(usize, &'a CutPart, u64)>,
    columns: usize,
}

impl<'a> Legend<'a> {
    pub(super) fn of(plan: &'a Plan, layout: &Layout) -> Self {
        let mut counts: BTreeMap<usize, u64> = BTreeMap::new();
        for placement in &layout.placements {
            *counts.entry(placement.part).or_default() += placement.pieces();
        }
        let part = |(part, count)| Some((part, plan.parts.get(part)?, count));
        let parts: Vec<_> = counts.into_iter().filter_map(part).collect();
        Self { columns: if parts.len() <= 24 { 3 } else { 4 }, parts }
    }

    /// How high it is, if it may be no higher than `most`.
    pub(super) fn height(&self, most: f64) -> f64 {
        let rows = u32::try_from(self.parts.len().div_ceil(self.columns)).unwrap_or(u32::MAX);
        (f64::from(rows) * ROW).min(most)
    }

    /// Writes it; where there is no room for all, those first whose name does not stand on
    /// their pieces.
    pub(super) fn write(
        &self,
        out: &mut String,
        area: Area,
        is_named: impl Fn(usize) -> bool,
    ) -> fmt::Result {
        let most = rows_in(area.height + 0.1, ROW).max(1);
        let rows = self.parts.len().div_ceil(self.columns).min(most);
        let room = rows * self.columns;
        let mut shown: Vec<_> = self.parts.iter().collect();
        let rest = shown.len().saturating_sub(room);
        if rest > 0 {
            shown.sort_by_key(|(part, ..)| is_named(*part));
            shown.truncate(room.saturating_sub(1));
            shown.sort_by_key(|(part, ..)| *part);
        }
        let columns = u32::try_from(self.columns).unwrap_or(1);
        let width = area.width / f64::from(columns);
        let place = |i: usize| {
            let [column, row] = [i / rows, i % rows].map(|n| u32::try_from(n).unwrap_or(0));
            (area.x + width * f64::from(column), area.y + ROW * f64::from(row))
        };
        for (i, (part, cut_part, count)) in shown.iter().enumerate() {
            let (x, y) = place(i);
            let CutPart { name, width_mm, height_mm, grain, .. } = cut_part;
            writeln!(
                out,
                "<rect x=\"{x:.1}\" y=\"{:.1}\" width=\"5.2\" height=\"3\" fill=\"{}\" \
                 stroke=\"#333\" stroke-width=\"0.2\"/>",
                y - 1.5,
                tint(*part),
            )?;
            Line::new(x + 2.6, y, 2.1, &(part + 1).to_string()).middle().write(out)?;
            let told = format!("{count} × ");
            let size = format!("{width_mm} × {height_mm}");
            Line::new(x + 13.5, y, SIZE, &told).end().write(out)?;
            Line::new(x + 14.5, y, SIZE, &size).write(out)?;
            let told = if *grain { " (grain ↔)" } else { "" };
            let name = cut_to(name, width - 33.5 - width_em(told) * SIZE) + told;
            Line::new(x + 32.0, y, SIZE, &name).bold().write(out)?;
        }
        if rest > 0 {
            let (x, y) = place(shown.len());
            let text = format!("and {} more, named on their pieces", rest + 1);
            Line::new(x, y, SIZE, &text).write(out)?;
        }
        Ok(())
    }
}

/// Returns what of `text` has room in `width`.
fn cut_to(text: &str, width: f64) -> String {
    let mut most = text.chars().count();
    loop {
        let shown = shortened(text, most.max(1));
        if most <= 1 || width_em(&shown) * SIZE <= width {
            return shown;
        }
        most -= 1;
    }
}

/// A bar of a round length, and how much smaller the drawing is than the wood.
pub(super) fn scale_bar(out: &mut String, (x, y): (f64, f64), scale: f64) -> fmt::Result {
    let lengths = [2_000_u32, 1_000, 500, 200, 100, 50, 20, 10];
    let fitting = lengths.into_iter().find(|mm| f64::from(*mm) * scale <= 50.0);
    let mm = fitting.unwrap_or(1);
    let width = f64::from(mm) * scale;
    let half = width / 2.0;
    writeln!(
        out,
        "<rect x=\"{x:.2}\" y=\"{y:.2}\" width=\"{width:.2}\" height=\"1.6\" fill=\"#fff\" \
         stroke=\"#111\" stroke-width=\"0.2\"/>\n\
         <rect x=\"{x:.2}\" y=\"{y:.2}\" width=\"{half:.2}\" height=\"1.6\" fill=\"#111\"/>"
    )?;
    let text = format!("{mm} mm, scale 1 : {:.1} on A4", 1.0 / scale);
    Line::new(x + width + 2.0, y + 0.8, SIZE, &text).write(out)
}
