//! Plans as DXF, for routers and drawing programs.
//!
//! R12 (AC1009) in ASCII, which all of them read: closed polylines and texts on layers, in
//! millimetres, y upwards. Each way in which sheets are cut is drawn once, side by side.

use std::fmt::{self, Write};

use super::{CannotMake, Layout, Placement, Plan};

/// The most pieces that are written.
const MAX_PIECES: u64 = 10_000;
/// Between two sheets, in millimetres.
const GAP: u32 = 200;
/// Layers with their colours: red, black or white, blue, green.
const LAYERS: [(&str, u8); 4] = [("SHEET", 1), ("PIECES", 7), ("OFFCUTS", 5), ("LABELS", 3)];

impl Plan {
    /// Returns the plan as a drawing in DXF R12, in millimetres: sheets, pieces, offcuts and
    /// labels on layers of these names, sheets that are cut alike once.
    ///
    /// # Errors
    /// How many pieces there would be, if there are more than 10,000 to be drawn.
    pub fn to_dxf(&self) -> Result<String, u64> {
        let drawn = |layout: &Layout| layout.placements.iter().map(Placement::pieces).sum::<u64>();
        let pieces = self.layouts.iter().map(drawn).sum();
        if pieces > MAX_PIECES {
            return Err(pieces);
        }
        let mut dxf = Dxf::new();
        let mut left = 0;
        for layout in &self.layouts {
            // Writing to a String cannot fail.
            let _ = self.sheet(&mut dxf, layout, left);
            left += layout.sheet.width_mm + GAP;
        }
        Ok(dxf.finish())
    }

    fn sheet(&self, dxf: &mut Dxf, layout: &Layout, left: u32) -> fmt::Result {
        let sheet = &layout.sheet;
        let (width, height) = (sheet.width_mm, sheet.height_mm);
        dxf.rect("SHEET", [left, 0, width, height])?;
        let text = format!("{} x {} ({width} x {height} mm)", layout.repeat, sheet.name);
        dxf.text([left, height + 30], 40, &text)?;
        // A plan's y goes down from the sheet's top edge.
        let up = |y: u32, tall: u32| height.saturating_sub(y + tall);
        for offcut in &layout.offcuts {
            let (x, y) = (left + offcut.x_mm, up(offcut.y_mm, offcut.height_mm));
            dxf.rect("OFFCUTS", [x, y, offcut.width_mm, offcut.height_mm])?;
        }
        for placement in &layout.placements {
            let Placement { width_mm: wide, height_mm: tall, columns, rows, .. } = *placement;
            let name = self.part_name(placement);
            for column in 0..columns {
                for row in 0..rows {
                    let x = left + placement.x_mm + column * (wide + self.kerf_mm);
                    let y = up(placement.y_mm + row * (tall + self.kerf_mm), tall);
                    dxf.rect("PIECES", [x, y, wide, tall])?;
                    let letters = u32::try_from(name.chars().count()).unwrap_or(u32::MAX).max(1);
                    let size =
                        (tall / 3).min(wide.saturating_mul(9) / letters.saturating_mul(10)).min(30);
                    if size > 2 {
                        dxf.text([x + wide / 20, y + tall / 3], size, name)?;
                    }
                }
            }
        }
        Ok(())
    }
}

impl CannotMake {
    /// Returns the verdict as a DXF drawing: its text, in the place of a plan.
    pub fn to_dxf(&self) -> String {
        let mut dxf = Dxf::new();
        let _ = dxf.text([0, 0], 40, &self.to_string());
        dxf.finish()
    }
}

/// A drawing in the making: pairs of a group code and a value, each on its line.
struct Dxf(String);

impl Dxf {
    fn new() -> Self {
        let mut out = String::with_capacity(16 * 1024);
        out.push_str(
            "999\nmillimetres\n0\nSECTION\n2\nHEADER\n9\n$ACADVER\n1\nAC1009\n0\nENDSEC\n",
        );
        out.push_str("0\nSECTION\n2\nTABLES\n0\nTABLE\n2\nLTYPE\n70\n1\n0\nLTYPE\n2\nCONTINUOUS\n");
        out.push_str("70\n0\n3\nSolid line\n72\n65\n73\n0\n40\n0.0\n0\nENDTAB\n");
        let _ = writeln!(out, "0\nTABLE\n2\nLAYER\n70\n{}", LAYERS.len());
        for (layer, colour) in LAYERS {
            let _ = writeln!(out, "0\nLAYER\n2\n{layer}\n70\n0\n62\n{colour}\n6\nCONTINUOUS");
        }
        out.push_str("0\nENDTAB\n0\nENDSEC\n0\nSECTION\n2\nENTITIES\n");
        Self(out)
    }

    /// A closed polyline around a rectangle of left, bottom, width and height.
    fn rect(&mut self, layer: &str, [x, y, width, height]: [u32; 4]) -> fmt::Result {
        let out = &mut self.0;
        writeln!(out, "0\nPOLYLINE\n8\n{layer}\n66\n1\n10\n0.0\n20\n0.0\n30\n0.0\n70\n1")?;
        for (x, y) in [(x, y), (x + width, y), (x + width, y + height), (x, y + height)] {
            writeln!(out, "0\nVERTEX\n8\n{layer}\n10\n{x}.0\n20\n{y}.0\n30\n0.0")?;
        }
        writeln!(out, "0\nSEQEND\n8\n{layer}")
    }

    fn text(&mut self, [x, y]: [u32; 2], size: u32, text: &str) -> fmt::Result {
        let text = ascii(text);
        writeln!(
            self.0,
            "0\nTEXT\n8\nLABELS\n10\n{x}.0\n20\n{y}.0\n30\n0.0\n40\n{size}.0\n1\n{text}"
        )
    }

    fn finish(mut self) -> String {
        self.0.push_str("0\nENDSEC\n0\nEOF\n");
        self.0
    }
}

/// Returns text as R12 writes it, in one line: other characters by their number, and signs that
/// it reads as commands as others.
fn ascii(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars().take(200) {
        match c {
            '\\' => out.push('/'),
            '^' | '%' => out.push('_'),
            ' '..='~' => out.push(c),
            c if c.is_control() => out.push(' '),
            c => {
                let mut units = [0; 2];
                for unit in c.encode_utf16(&mut units) {
                    // Writing to a String cannot fail.
                    let _ = write!(out, "\\U+{unit:04X}");
                }
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{ProductName, Quantity};
    use crate::workshop::{CuttingList, Workshop};

    /// Type, layer, and the values of each group code.
    type Entity = (String, String, Vec<(i32, String)>);

    /// Reads a drawing's entities.
    fn entities(dxf: &str) -> Vec<Entity> {
        let lines: Vec<&str> = dxf.lines().collect();
        assert_eq!(lines.len() % 2, 0, "pairs of code and value");
        let pairs =
            lines.chunks(2).map(|pair| (pair[0].parse::<i32>().unwrap(), pair[1].to_owned()));
        let mut entities: Vec<Entity> = Vec::new();
        let mut in_entities = false;
        for (code, value) in pairs {
            in_entities |= code == 2 && value == "ENTITIES";
            match (code, entities.last_mut()) {
                (0, _) if in_entities => entities.push((value, String::new(), Vec::new())),
                (8, Some(entity)) => entity.1 = value,
                (_, Some(entity)) => entity.2.push((code, value)),
                _ => {}
            }
        }
        entities
    }

    #[test]
    fn every_piece_is_a_closed_rectangle_of_its_size() {
        let name = ProductName::parse("Train").unwrap();
        let list = CuttingList::letters(&name);
        let plan = Workshop::default().plan(&list, Quantity::BATCH).unwrap();
        let dxf = plan.to_dxf().unwrap();
        assert!(dxf.is_ascii() && dxf.ends_with("0\nENDSEC\n0\nEOF\n"));
        let entities = entities(&dxf);
        let mut sizes = Vec::new();
        for (i, (kind, layer, _)) in entities.iter().enumerate() {
            if kind == "POLYLINE" && layer == "PIECES" {
                let corner = |vertex: &Entity, code| {
                    assert_eq!((vertex.0.as_str(), vertex.1.as_str()), ("VERTEX", "PIECES"));
                    let value = vertex.2.iter().find(|(found, _)| *found == code).unwrap();
                    value.1.strip_suffix(".0").unwrap().parse::<u32>().unwrap()
                };
                let (first, third) = (&entities[i + 1], &entities[i + 3]);
                sizes.push([10, 20].map(|code| corner(third, code) - corner(first, code)));
                assert_eq!(entities[i + 5].0, "SEQEND");
            }
        }
        assert_eq!(sizes.len() as u64, plan.figures.pieces);
        let part = |size: &[u32; 2]| {
            plan.parts.iter().any(|part| {
                let own = [part.width_mm, part.height_mm];
                own == *size || [own[1], own[0]] == *size
            })
        };
        assert!(sizes.iter().all(part), "{sizes:?}");
        let label = |(kind, layer, values): &Entity| {
            kind == "TEXT" && layer == "LABELS" && values.contains(&(1, "T".to_owned()))
        };
        assert_eq!(entities.iter().filter(|entity| label(entity)).count(), 20);
    }

    #[test]
    fn no_name_is_read_as_a_command_or_as_another_line() {
        assert_eq!(ascii("a\\Pb%%d^J\n0\r"), "a/Pb__d_J 0 ");
        assert_eq!(ascii("Bär 木🚂"), "B\\U+00E4r \\U+6728\\U+D83D\\U+DE82");
        assert_eq!(ascii(&"x".repeat(900)).len(), 200);
    }

    #[test]
    fn what_would_be_too_large_is_not_written() {
        let name = ProductName::parse("mm").unwrap();
        let plan = Workshop::default().plan(&CuttingList::letters(&name), Quantity::ONE).unwrap();
        let mut many = plan.clone();
        many.layouts[0].placements[0].columns = 20_000;
        assert!(plan.to_dxf().is_ok());
        assert!(many.to_dxf().is_err_and(|pieces| pieces >= 20_000));
    }
}
