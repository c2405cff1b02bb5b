//! Plans as drawings: one page of A4 for each way in which sheets are cut.

mod label;
mod lists;
mod page;
mod sheet;
mod text;

use std::fmt::{self, Write};

use super::{CannotMake, Layout, Placement, Plan};
use page::Page;
use text::{Escaped, STYLE, shortened};

/// The most different sheets that are drawn; the others are counted in words.
const MAX_DRAWN: usize = 12;
/// The most pieces, offcuts and numbers of cuts that are drawn, over all sheets.
const MAX_SHAPES: usize = 2_000;

impl Plan {
    /// Returns the plan as a drawing: a self-contained SVG of bounded size, a page of A4 for
    /// each way in which sheets are cut. The title may be any text.
    pub fn to_svg(&self, title: &str) -> String {
        let mut out = String::with_capacity(32 * 1024);
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
             aria-labelledby=\"t d\" font-family=\"Arial,Helvetica,sans-serif\">\n\
             <title id=\"t\">No cutting plan of {title}</title>\n<desc id=\"d\">{}</desc>\n\
             <rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n\
             <text x=\"20\" y=\"46\" font-size=\"14\" fill=\"#111\" unicode-bidi=\"isolate\">\
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
        let layouts = &self.plan.layouts;
        let shown = &layouts[..layouts.len().min(MAX_DRAWN)];
        let pages = f64::from(u32::try_from(shown.len()).unwrap_or(1).max(1));
        let rest = self.not_drawn();
        let (width, height) = (page::WIDTH, page::HEIGHT * pages);
        write!(
            out,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}mm\" height=\"{height}mm\" \
             viewBox=\"0 0 {width} {height}\" role=\"img\" aria-labelledby=\"t d\" \
             font-family=\"Arial,Helvetica,sans-serif\" fill=\"#111\">\n\
             <title id=\"t\">Cutting plan of {title}</title>\n<desc id=\"d\">{}</desc>\n\
             <style>@page{{size:A4 landscape;margin:0}}{STYLE}</style>\n\
             <defs><pattern id=\"offcut\" width=\"2\" height=\"2\" \
             patternUnits=\"userSpaceOnUse\" patternTransform=\"rotate(45)\">\
             <rect width=\"2\" height=\"2\" fill=\"#fff\"/>\
             <rect width=\"0.3\" height=\"2\" fill=\"#777\"/></pattern></defs>\n\
             <rect width=\"{width}\" height=\"{height}\" fill=\"#fff\"/>\n",
            Escaped(&self.describe()),
            title = Escaped(self.title),
        )?;
        let mut shapes = MAX_SHAPES;
        for (number, layout) in shown.iter().enumerate() {
            let (plan, title, pages) = (self.plan, self.title, layouts.len());
            shapes = Page { plan, title, layout, number, pages }.write(out, shapes)?;
        }
        if let Some(rest) = rest {
            let y = height - 3.5;
            writeln!(out, "<text x=\"10\" y=\"{y}\" font-size=\"3.2\">{rest}</text>")?;
        }
        out.write_str("</svg>\n")
    }

    /// Returns the plan in words, for those who cannot see it.
    fn describe(&self) -> String {
        let mut text = format!("{} of {}.", self.plan.summary(), self.plan.quantity);
        for layout in self.plan.layouts.iter().take(MAX_DRAWN) {
            let pieces: u64 = layout.placements.iter().map(Placement::pieces).sum();
            let free = if layout.free { ", a free layout for a router" } else { "" };
            let _ = write!(text, " {} with {pieces} pieces{free}.", caption(layout));
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
}

fn caption(layout: &Layout) -> String {
    let sheet = &layout.sheet;
    let name = shortened(&sheet.name, 24);
    format!("{} × {name} ({} × {} mm)", layout.repeat, sheet.width_mm, sheet.height_mm)
}

#[cfg(test)]
mod tests;
