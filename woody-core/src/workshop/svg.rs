//! Plans as drawings.

use std::fmt::{self, Display, Formatter, Write};

use super::{CannotMake, Layout, Placement, Plan, Rect};

/// The most different sheets that are drawn; the others are counted in words.
const MAX_DRAWN: usize = 6;
/// The most rectangles that are drawn, over all sheets.
const MAX_SHAPES: usize = 1_500;
const PER_ROW: usize = 3;
/// Room for one sheet, in units of the drawing.
const CELL: f64 = 380.0;
const GAP: f64 = 20.0;
const HEAD: f64 = 56.0;
const CAPTION: f64 = 26.0;

impl Plan {
    /// Returns the plan as a drawing: a self-contained SVG of bounded size. The title
    /// may be any text.
    pub fn to_svg(&self, title: &str) -> String {
        let mut out = String::with_capacity(16 * 1024);
        // Writing to a String cannot fail.
        let _ = Drawing { plan: self, title }.write(&mut out);
        out
    }
}

impl CannotMake {
    /// Returns the verdict as a drawing: its text, in the place of a plan.
    pub fn to_svg(&self, title: &str) -> String {
        let why = self.to_string();
        let (title, short) = (Escaped(title), shortened(&why, 110));
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 800 80\" role=\"img\" \
             aria-labelledby=\"t d\" font-family=\"system-ui,sans-serif\">\n\
             <title id=\"t\">No cutting plan of {title}</title>\n<desc id=\"d\">{}</desc>\n\
             <rect width=\"100%\" height=\"100%\" fill=\"#fffdf8\"/>\n\
             <text x=\"20\" y=\"46\" font-size=\"14\" fill=\"#3d2b1f\" unicode-bidi=\"isolate\">\
             {}</text>\n</svg>\n",
            Escaped(&why),
            Escaped(&short),
        )
    }
}

struct Drawing<'a> {
    plan: &'a Plan,
    title: &'a str,
}

impl Drawing<'_> {
    fn write(&self, out: &mut String) -> fmt::Result {
        let shown = &self.plan.layouts[..self.plan.layouts.len().min(MAX_DRAWN)];
        let widest = shown.iter().map(|layout| layout.sheet.width_mm).max().unwrap_or(1);
        let scale = CELL / f64::from(widest.max(1));
        let tallest = |row: &[Layout]| {
            let tallest = row.iter().map(|layout| layout.sheet.height_mm).max().unwrap_or(0);
            f64::from(tallest) * scale + CAPTION + GAP
        };
        let columns = shown.len().clamp(1, PER_ROW);
        let width = (0..columns).fold(GAP, |width, _| width + CELL + GAP);
        let height = shown.chunks(PER_ROW).map(tallest).sum::<f64>() + HEAD + 2.0 * GAP;

        write!(
            out,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width:.0} {height:.0}\" \
             role=\"img\" aria-labelledby=\"t d\" font-family=\"system-ui,sans-serif\">\n\
             <title id=\"t\">Cutting plan of {title}</title>\n<desc id=\"d\">{}</desc>\n\
             <defs><pattern id=\"offcut\" width=\"30\" height=\"30\" \
             patternUnits=\"userSpaceOnUse\" patternTransform=\"rotate(45)\">\
             <rect width=\"30\" height=\"30\" fill=\"#f6ecd9\"/>\
             <rect width=\"3\" height=\"30\" fill=\"#c9ad84\"/></pattern></defs>\n\
             <rect width=\"100%\" height=\"100%\" fill=\"#fffdf8\"/>\n\
             <text x=\"{GAP}\" y=\"26\" font-size=\"18\" font-weight=\"600\" fill=\"#3d2b1f\" \
             unicode-bidi=\"isolate\">{} × {}</text>\n\
             <text x=\"{GAP}\" y=\"46\" font-size=\"13\" fill=\"#6b5544\">{}</text>\n",
            Escaped(&self.describe()),
            self.plan.quantity,
            Escaped(&shortened(self.title, 60)),
            Escaped(self.plan.summary().as_str()),
            title = Escaped(self.title),
        )?;

        let (mut y, mut shapes) = (HEAD, MAX_SHAPES);
        for row in shown.chunks(PER_ROW) {
            let mut x = GAP;
            for layout in row {
                self.sheet(out, layout, (x, y), scale, &mut shapes)?;
                x += CELL + GAP;
            }
            y += tallest(row);
        }
        if let Some(rest) = self.not_drawn() {
            writeln!(
                out,
                "<text x=\"{GAP}\" y=\"{:.0}\" font-size=\"13\" fill=\"#6b5544\">{rest}</text>",
                y + GAP
            )?;
        }
        out.write_str("</svg>\n")
    }

    /// Returns the plan in words, for those who cannot see it.
    fn describe(&self) -> String {
        let mut text = format!("{} of {}.", self.plan.summary(), self.plan.quantity);
        for layout in self.plan.layouts.iter().take(MAX_DRAWN) {
            let pieces: u64 = layout.placements.iter().map(Placement::pieces).sum();
            let _ = write!(text, " {} with {pieces} pieces.", caption(layout));
        }
        if let Some(rest) = self.not_drawn() {
            let _ = write!(text, " {rest}.");
        }
        text
    }

    fn not_drawn(&self) -> Option<String> {
        let rest = self.plan.layouts.get(MAX_DRAWN..).filter(|rest| !rest.is_empty())?;
        let sheets: u64 = rest.iter().map(|layout| layout.repeat).sum();
        Some(format!("and {sheets} more sheets, cut in {} other ways", rest.len()))
    }

    fn sheet(
        &self,
        out: &mut String,
        layout: &Layout,
        (x, y): (f64, f64),
        scale: f64,
        shapes: &mut usize,
    ) -> fmt::Result {
        let (width, height) = (layout.sheet.width_mm, layout.sheet.height_mm);
        write!(
            out,
            "<text x=\"{x:.0}\" y=\"{:.0}\" font-size=\"13\" fill=\"#3d2b1f\">{}</text>\n\
             <g transform=\"translate({x:.0} {:.0}) scale({scale:.5})\">\n\
             <rect width=\"{width}\" height=\"{height}\" fill=\"#ead7b7\" stroke=\"#8a6d4b\" \
             stroke-width=\"4\"/>\n",
            y + CAPTION - 10.0,
            Escaped(&caption(layout)),
            y + CAPTION,
        )?;
        for offcut in &layout.offcuts {
            if *shapes > 0 {
                *shapes -= 1;
                offcut_shape(out, offcut)?;
            }
        }
        let mut placements: Vec<&Placement> = layout.placements.iter().collect();
        placements.sort_by_key(|placement| placement.part);
        for same in placements.chunk_by(|a, b| a.part == b.part) {
            if *shapes > 0 {
                self.pieces(out, same[0], same, shapes)?;
            }
        }
        out.write_str("</g>\n")
    }

    /// Returns all pieces of one part on one sheet: their shapes, then their labels.
    fn pieces(
        &self,
        out: &mut String,
        first: &Placement,
        all: &[&Placement],
        shapes: &mut usize,
    ) -> fmt::Result {
        let name = self.plan.part_name(first);
        let drawn = &all[..all.len().min(*shapes)];
        *shapes -= drawn.len();
        // The golden angle keeps the colours of neighbours apart.
        let hue = first.part * 137 % 360;
        writeln!(
            out,
            "<g fill=\"hsl({hue},55%,70%)\" stroke=\"hsl({hue},45%,35%)\" stroke-width=\"2\">\
             <title>{}</title>",
            Escaped(name)
        )?;
        let kerf = self.plan.kerf_mm;
        for placement in drawn {
            let Placement { x_mm: x, y_mm: y, .. } = **placement;
            let width = placement.block_width_mm(kerf);
            let height = placement.block_height_mm(kerf);
            writeln!(out, "<rect x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\"/>")?;
        }
        out.write_str(
            "<g stroke=\"none\" fill=\"#2b2118\" text-anchor=\"middle\" \
             unicode-bidi=\"isolate\">\n",
        )?;
        for placement in drawn {
            label(out, placement, name, kerf)?;
        }
        out.write_str("</g></g>\n")
    }
}

/// Writes what can be kept: hatched, with its size where there is room.
fn offcut_shape(out: &mut String, offcut: &Rect) -> fmt::Result {
    let Rect { x_mm: x, y_mm: y, width_mm: width, height_mm: height } = *offcut;
    writeln!(
        out,
        "<rect x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\" \
         fill=\"url(#offcut)\" stroke=\"#8a6d4b\" stroke-width=\"2\" stroke-dasharray=\"14 8\">\
         <title>offcut</title></rect>"
    )?;
    let text = format!("{width} × {height}");
    let size = (height * 6 / 10).min(width / 6).min(44);
    if size < 18 {
        return Ok(());
    }
    let (x, y) = (x + width / 2, y + height / 2 + size * 35 / 100);
    writeln!(
        out,
        "<text x=\"{x}\" y=\"{y}\" font-size=\"{size}\" fill=\"#6b5544\" \
         text-anchor=\"middle\">{text}</text>"
    )
}

/// Returns the part's name on its piece, or how many pieces a block has, where there is room.
fn label(out: &mut String, placement: &Placement, name: &str, kerf: u32) -> fmt::Result {
    let (width, height) = (placement.block_width_mm(kerf), placement.block_height_mm(kerf));
    let text = match placement.pieces() {
        1 => shortened(name, 12),
        pieces => format!("{} × {pieces}", shortened(name, 8)),
    };
    let chars = u32::try_from(text.chars().count()).unwrap_or(u32::MAX);
    let size = (height * 6 / 10).min(width * 14 / 10 / chars.max(1)).min(60);
    if size < 18 {
        return Ok(());
    }
    let (x, y) = (placement.x_mm + width / 2, placement.y_mm + height / 2 + size * 35 / 100);
    writeln!(out, "<text x=\"{x}\" y=\"{y}\" font-size=\"{size}\">{}</text>", Escaped(&text))
}

fn caption(layout: &Layout) -> String {
    let sheet = &layout.sheet;
    let name = shortened(&sheet.name, 24);
    format!("{} × {name} ({} × {} mm)", layout.repeat, sheet.width_mm, sheet.height_mm)
}

/// Returns at most `most` characters of `text`.
fn shortened(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        None => text.to_owned(),
        Some(_) => text.chars().take(most - 1).chain(['…']).collect(),
    }
}

/// Text as it may stand in XML, between tags and in attributes.
struct Escaped<'a>(&'a str);

impl Display for Escaped<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        for c in self.0.chars() {
            match c {
                '&' => f.write_str("&amp;")?,
                '<' => f.write_str("&lt;")?,
                '>' => f.write_str("&gt;")?,
                '"' => f.write_str("&quot;")?,
                '\'' => f.write_str("&#39;")?,
                // XML has no way at all to write these.
                '\u{0}'..='\u{8}'
                | '\u{b}'
                | '\u{c}'
                | '\u{e}'..='\u{1f}'
                | '\u{fffe}'
                | '\u{ffff}' => f.write_char('\u{fffd}')?,
                c => f.write_char(c)?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
