//! One page: a sheet, its cuts and its parts, under a title.

use std::collections::BTreeSet;
use std::fmt::{self, Write};

use crate::workshop::{Layout, Plan};

use super::label::{Area, Taken};
use super::lists::{self, Legend};
use super::sheet::SheetDrawing;
use super::text::{Escaped, Line, shortened};

/// A4 lying, in millimetres.
pub(super) const WIDTH: f64 = 297.0;
pub(super) const HEIGHT: f64 = 210.0;
const MARGIN: f64 = 10.0;
/// Where the list of cuts begins.
const LISTS: f64 = 219.0;
/// Where the sheet's corner is: its dimensions stand above and beside it.
const LEFT: f64 = MARGIN + 8.0;
const TOP: f64 = 34.0;
const FOOT: f64 = HEIGHT - MARGIN - 4.0;
/// The most of the page's height that the parts take.
const MOST_LEGEND: f64 = 52.0;

/// A page of a plan's drawing.
pub(super) struct Page<'a> {
    pub(super) plan: &'a Plan,
    pub(super) title: &'a str,
    pub(super) layout: &'a Layout,
    /// 0 for the first.
    pub(super) number: usize,
    /// How many there are, those that are not drawn included.
    pub(super) pages: usize,
}

impl Page<'_> {
    /// Writes the page, with so many rectangles at most, and returns how many are left.
    pub(super) fn write(&self, out: &mut String, shapes: usize) -> Result<usize, fmt::Error> {
        let down = f64::from(u32::try_from(self.number).unwrap_or(u32::MAX)) * HEIGHT;
        writeln!(out, "<g transform=\"translate(0 {down:.0})\">")?;
        self.head(out)?;
        let legend = Legend::of(self.plan, self.layout);
        let room_below = legend.height(MOST_LEGEND);
        let sheet = &self.layout.sheet;
        let (wide, tall) = (f64::from(sheet.width_mm.max(1)), f64::from(sheet.height_mm.max(1)));
        let (width, height) = (LISTS - 8.0 - LEFT, FOOT - 6.0 - room_below - TOP);
        let scale = (width / wide).min(height / tall);
        let area = Area { x: LEFT, y: TOP, width: wide * scale, height: tall * scale };
        let mut drawing = SheetDrawing {
            plan: self.plan,
            layout: self.layout,
            area,
            scale,
            taken: Taken::none(WIDTH, HEIGHT),
            shapes,
            named: BTreeSet::new(),
        };
        drawing.write(out)?;
        let beside = Area { x: LISTS, y: 28.0, width: WIDTH - MARGIN - LISTS, height: FOOT - 30.0 };
        lists::cuts(out, self.layout, beside)?;
        let y = TOP + area.height + 6.0;
        let below = Area { x: MARGIN, y, width: LISTS - 8.0 - MARGIN, height: FOOT - y };
        legend.write(out, below, |part| drawing.named.contains(&part))?;
        lists::scale_bar(out, (MARGIN, FOOT + 1.2), scale)?;
        let note = if self.layout.free {
            "pieces lie a router bit's width apart; ↔: the grain"
        } else {
            "rip: along the sheet's longer side; cross: across it; fence: the strip that comes off; \
             ↔: the grain"
        };
        Line::new(WIDTH - MARGIN, FOOT + 2.0, 2.3, note).end().write(out)?;
        out.write_str("</g>\n")?;
        Ok(drawing.shapes)
    }

    /// The title block.
    fn head(&self, out: &mut String) -> fmt::Result {
        let Self { plan, layout, number, pages, .. } = *self;
        let sheet = &layout.sheet;
        let title = format!("{} × {}", plan.quantity, shortened(self.title, 48));
        // It may be of any script, with marks that turn what stands beside it.
        writeln!(
            out,
            "<text x=\"{MARGIN}\" y=\"16\" font-size=\"5.6\" font-weight=\"bold\" \
             unicode-bidi=\"isolate\">{}</text>",
            Escaped(&title)
        )?;
        let kerf = plan.kerf_mm;
        let about = format!("{}, kerf {kerf} mm", plan.summary().as_str());
        Line::new(MARGIN, 21.0, 3.2, &about).write(out)?;
        let times = match layout.repeat {
            1 => "once".to_owned(),
            times => format!("× {times}"),
        };
        let right = WIDTH - MARGIN;
        let cut = format!("cut {times}: {}", shortened(&sheet.name, 24));
        Line::new(right, 14.2, 5.0, &cut).bold().end().write(out)?;
        let (width, height) = (sheet.width_mm, sheet.height_mm);
        let page = number + 1;
        let size = format!("{width} × {height} mm, layout {page} of {pages}");
        Line::new(right, 21.0, 3.2, &size).end().write(out)?;
        writeln!(out, "<path d=\"M{MARGIN} 24.5H{right}\" stroke=\"#111\" stroke-width=\"0.4\"/>")
    }
}
