//! One sheet as it is cut: its pieces, what is left of it, and the numbered cuts.

use std::collections::BTreeSet;
use std::fmt::{self, Write};

use crate::workshop::{Layout, Placement, Plan, Rect};

use super::label::{Area, Label, Taken};
use super::text::{Escaped, Line, shortened, width_em};

/// Tints of the colours of Okabe and Ito, which people of any sight tell apart, then lighter
/// ones. Dark letters are read on each, and all are told by their labels where print is grey.
const TINTS: [&str; 14] = [
    "#f2cf7f", "#aad9f4", "#7fceb9", "#f7f1a0", "#9cc6e0", "#eaae7f", "#e5bcd3", "#f8e7bf",
    "#d4ecf9", "#bfe6dc", "#fbf8cf", "#c8e0ee", "#f4d6bf", "#f2dde9",
];
/// More pieces of one sheet than this are labelled by the block.
const MAX_SINGLE: u64 = 400;
/// The most cuts of one sheet that are numbered in the drawing.
const MAX_NUMBERED: usize = 400;
/// The most cuts of one sheet that are drawn: of more none could be told from the next.
const MAX_LINES: usize = 600;
/// How often another place along a cut is tried for its number.
const PLACES: u32 = 24;
/// Height of the digits of a cut's number.
const NUMBER: f64 = 2.1;

/// The tint of a part.
pub(super) fn tint(part: usize) -> &'static str {
    TINTS[part % TINTS.len()]
}

/// A sheet on its paper.
pub(super) struct SheetDrawing<'a> {
    pub(super) plan: &'a Plan,
    pub(super) layout: &'a Layout,
    /// Where the sheet's corner is, and its size, on the paper.
    pub(super) area: Area,
    /// Millimetres of paper for one of wood.
    pub(super) scale: f64,
    /// What of the page is taken by labels and numbers.
    pub(super) taken: Taken,
    /// Rectangles that may still be drawn.
    pub(super) shapes: usize,
    /// Parts whose name stands on each of their pieces.
    pub(super) named: BTreeSet<usize>,
}

impl SheetDrawing<'_> {
    pub(super) fn write(&mut self, out: &mut String) -> fmt::Result {
        let Area { x, y, width, height } = self.area;
        writeln!(
            out,
            "<rect x=\"{x:.2}\" y=\"{y:.2}\" width=\"{width:.2}\" height=\"{height:.2}\" fill=\"#dddddd\"/>"
        )?;
        self.offcuts(out)?;
        self.pieces(out)?;
        self.cuts(out)?;
        writeln!(
            out,
            "<rect x=\"{x:.2}\" y=\"{y:.2}\" width=\"{width:.2}\" height=\"{height:.2}\" \
             fill=\"none\" stroke=\"#111\" stroke-width=\"0.5\"/>"
        )?;
        self.dimensions(out)
    }

    fn on_paper(&self, rect: Rect) -> Area {
        let at = |mm: u32| f64::from(mm) * self.scale;
        Area {
            x: self.area.x + at(rect.x_mm),
            y: self.area.y + at(rect.y_mm),
            width: at(rect.width_mm),
            height: at(rect.height_mm),
        }
    }

    /// Hatches what can be kept.
    fn offcuts(&mut self, out: &mut String) -> fmt::Result {
        for offcut in &self.layout.offcuts {
            if self.shapes == 0 {
                return Ok(());
            }
            self.shapes -= 1;
            let area = self.on_paper(*offcut);
            let Area { x, y, width, height } = area;
            writeln!(
                out,
                "<rect x=\"{x:.2}\" y=\"{y:.2}\" width=\"{width:.2}\" height=\"{height:.2}\" \
                 fill=\"url(#offcut)\" stroke=\"#555\" stroke-width=\"0.2\" stroke-dasharray=\"1.2 0.8\"/>"
            )?;
            let size = format!("{} × {}", offcut.width_mm, offcut.height_mm);
            let choices = [vec!["offcut".to_owned(), size.clone()], vec![size]];
            if let Some(label) = Label::fitting(&choices, area) {
                let Area { x, y, width, height } = label.covers();
                writeln!(
                    out,
                    "<rect x=\"{x:.2}\" y=\"{y:.2}\" width=\"{width:.2}\" height=\"{height:.2}\" fill=\"#fff\"/>"
                )?;
                self.taken.take(label.covers());
                label.write(out)?;
            }
        }
        Ok(())
    }

    fn pieces(&mut self, out: &mut String) -> fmt::Result {
        let mut placements: Vec<&Placement> = self.layout.placements.iter().collect();
        placements.sort_by_key(|placement| placement.part);
        let pieces: u64 = placements.iter().map(|placement| placement.pieces()).sum();
        let singly = pieces <= MAX_SINGLE;
        for same in placements.chunk_by(|a, b| a.part == b.part) {
            let part = same[0].part;
            let name = self.plan.part_name(same[0]);
            writeln!(
                out,
                "<g fill=\"{}\" stroke=\"#333\" stroke-width=\"0.2\"><title>{}</title>",
                tint(part),
                Escaped(name),
            )?;
            let has_grain = self.plan.parts.get(part).is_some_and(|part| part.grain);
            let (mut labels, mut arrows) = (Vec::new(), Vec::new());
            let mut is_named = true;
            for placement in same {
                for (rect, pieces) in self.rects(placement, singly) {
                    if self.shapes == 0 {
                        break;
                    }
                    self.shapes -= 1;
                    let area = self.on_paper(rect);
                    let Area { x, y, width, height } = area;
                    writeln!(
                        out,
                        "<rect x=\"{x:.2}\" y=\"{y:.2}\" width=\"{width:.2}\" height=\"{height:.2}\"/>"
                    )?;
                    let label = Label::fitting(&choices(part, name, placement, pieces), area);
                    is_named &= label.as_ref().is_some_and(|label| label.choice < 2);
                    if has_grain {
                        arrows.extend(room_for_arrow(area, label.as_ref()));
                    }
                    labels.extend(label.map(|label| (label, pieces)));
                }
            }
            out.write_str("</g>\n")?;
            for area in arrows {
                arrow(out, area)?;
                self.taken.take(area);
            }
            for (label, pieces) in labels {
                self.taken.take(label.covers());
                if pieces > 1 {
                    let Area { x, y, width, height } = label.covers();
                    writeln!(
                        out,
                        "<rect x=\"{x:.2}\" y=\"{y:.2}\" width=\"{width:.2}\" height=\"{height:.2}\" fill=\"#fff\"/>"
                    )?;
                }
                label.write(out)?;
            }
            if is_named {
                self.named.insert(part);
            }
        }
        Ok(())
    }

    /// The pieces of a block, or the block in one where there are very many.
    fn rects(&self, placement: &Placement, singly: bool) -> Vec<(Rect, u64)> {
        let Placement { x_mm, y_mm, width_mm, height_mm, columns, rows, .. } = *placement;
        let kerf = self.plan.kerf_mm;
        if !singly {
            let (width_mm, height_mm) =
                (placement.block_width_mm(kerf), placement.block_height_mm(kerf));
            return vec![(Rect { x_mm, y_mm, width_mm, height_mm }, placement.pieces())];
        }
        let piece = |column: u32, row: u32| Rect {
            x_mm: x_mm + column * (width_mm + kerf),
            y_mm: y_mm + row * (height_mm + kerf),
            width_mm,
            height_mm,
        };
        (0..columns).flat_map(|column| (0..rows).map(move |row| (piece(column, row), 1))).collect()
    }

    /// Draws the cuts, each with its number where there is room beside what is written.
    fn cuts(&mut self, out: &mut String) -> fmt::Result {
        let kerf = self.plan.kerf_mm;
        let mut path = String::new();
        let mut numbers = Vec::new();
        let mut lines = 0;
        for cut in &self.layout.cut_sequence {
            let down = cut.parts_width(&self.layout.sheet);
            for time in 0..u32::try_from(cut.times).unwrap_or(u32::MAX) {
                if lines == MAX_LINES {
                    break;
                }
                lines += 1;
                let at_mm = cut.at_mm + time * (cut.fence_mm + kerf);
                let mut blade = Rect { width_mm: kerf, height_mm: kerf, ..cut.wood };
                if down {
                    (blade.x_mm, blade.height_mm) = (at_mm, cut.length_mm);
                } else {
                    (blade.y_mm, blade.width_mm) = (at_mm, cut.length_mm);
                }
                let area = self.on_paper(blade);
                let (x, y) = area.middle();
                if down {
                    write!(path, "M{x:.2} {:.2}v{:.2}", area.y, area.height)?;
                } else {
                    write!(path, "M{:.2} {y:.2}h{:.2}", area.x, area.width)?;
                }
                if numbers.len() < MAX_NUMBERED {
                    numbers.push((cut.number + u64::from(time), area, down));
                }
            }
        }
        writeln!(out, "<path d=\"{path}\" fill=\"none\" stroke=\"#111\" stroke-width=\"0.35\"/>")?;
        let numbers: Vec<_> = numbers
            .into_iter()
            .filter_map(|(number, cut, down)| Some((number, self.place(number, cut, down)?)))
            .collect();
        out.write_str("<g fill=\"#fff\" stroke=\"#111\" stroke-width=\"0.15\">\n")?;
        for (_, Area { x, y, width, height }) in &numbers {
            writeln!(
                out,
                "<rect x=\"{x:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"{height:.1}\" rx=\"1\"/>"
            )?;
        }
        writeln!(out, "</g>\n<g class=\"m\" font-size=\"{NUMBER}\">")?;
        for (number, area) in &numbers {
            let (x, y) = area.middle();
            writeln!(out, "<text x=\"{x:.1}\" y=\"{:.1}\">{number}</text>", y + NUMBER * 0.35)?;
        }
        out.write_str("</g>\n")
    }

    /// Takes a place for the number of a cut on its line, as near to where it begins as there
    /// is room beside what is written.
    fn place(&mut self, number: u64, cut: Area, down: bool) -> Option<Area> {
        let (width, height) = (width_em(&number.to_string()) * NUMBER + 0.8, NUMBER + 0.5);
        let (length, own) = if down { (cut.height, height) } else { (cut.width, width) };
        let step = ((length - own) / f64::from(PLACES)).max(own / 2.0);
        let (x, y) = cut.middle();
        let places = (0..PLACES).map(|place| f64::from(place) * step);
        let area = |along: f64| {
            if down {
                Area { x: x - width / 2.0, y: cut.y + along, width, height }
            } else {
                Area { x: cut.x + along, y: y - height / 2.0, width, height }
            }
        };
        let free = places
            .take_while(|along| along + own <= length)
            .map(area)
            .find(|area| self.taken.is_free(*area))?;
        self.shapes = self.shapes.checked_sub(1)?;
        self.taken.take(free);
        Some(free)
    }

    /// The sheet's width above it and its height beside it.
    fn dimensions(&self, out: &mut String) -> fmt::Result {
        let Area { x, y, width, height } = self.area;
        let (right, bottom, above, beside) = (x + width, y + height, y - 3.0, x - 3.0);
        writeln!(
            out,
            "<path d=\"M{x:.2} {above:.2}H{right:.2}M{x:.2} {:.2}v3M{right:.2} {:.2}v3\
             M{beside:.2} {y:.2}V{bottom:.2}M{:.2} {y:.2}h3M{:.2} {bottom:.2}h3\" \
             fill=\"none\" stroke=\"#111\" stroke-width=\"0.2\"/>",
            above - 1.5,
            above - 1.5,
            beside - 1.5,
            beside - 1.5,
        )?;
        let sheet = &self.layout.sheet;
        let (x, y) = self.area.middle();
        Line::new(x, above - 2.2, 3.0, &sheet.width_mm.to_string()).middle().write(out)?;
        let tall = sheet.height_mm.to_string();
        Line::new(beside - 2.2, y, 3.0, &tall).middle().turned(true).write(out)
    }
}

/// Where an arrow along the grain has room on a piece: below its label, or above it.
fn room_for_arrow(piece: Area, label: Option<&Label>) -> Option<Area> {
    let (x, y) = piece.middle();
    let label = label.map_or(Area { x, y, width: 0.0, height: 0.0 }, Label::covers);
    let (width, height) = ((piece.width - 1.0).min(14.0), 1.4);
    let below = label.y + label.height + 0.3;
    let above = label.y - 0.3 - height;
    let y = if below + height < piece.y + piece.height { below } else { above };
    (width >= 3.0 && y > piece.y).then_some(Area { x: x - width / 2.0, y, width, height })
}

/// An arrow with two heads.
fn arrow(out: &mut String, area: Area) -> fmt::Result {
    let Area { x, y, width, height } = area;
    let (right, middle, half) = (x + width, y + height / 2.0, height / 2.0);
    writeln!(
        out,
        "<path d=\"M{x:.1} {middle:.1}H{right:.1}M{:.1} {y:.1}L{x:.1} {middle:.1}l{height:.1} {half:.1}\
         M{:.1} {y:.1}L{right:.1} {middle:.1}l-{height:.1} {half:.1}\" fill=\"none\" \
         stroke=\"#111\" stroke-width=\"0.25\"/>",
        x + height,
        right - height,
    )
}

/// What may stand on a piece, the most telling first: name and size, name, number.
fn choices(part: usize, name: &str, placement: &Placement, pieces: u64) -> Vec<Vec<String>> {
    let Placement { width_mm, height_mm, .. } = *placement;
    let name = match pieces {
        1 => shortened(name, 24),
        pieces => format!("{} – {pieces} pieces", shortened(name, 16)),
    };
    let size = format!("{width_mm} × {height_mm}");
    let number = format!("{}", part + 1);
    vec![vec![name.clone(), size], vec![name], vec![number]]
}
