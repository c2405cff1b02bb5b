//! The cuts in the order in which they are sawn.

use crate::geometry::{Axis, Rect};
use crate::plan::{Node, Sheet};
use crate::problem::{Saw, Stock};

/// Which way a cut runs on its sheet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
pub enum Direction {
    /// Along the sheet's longer side.
    Rip,
    /// Across the sheet's longer side.
    Cross,
}

/// One cut, edge to edge through the wood that it parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Cut {
    /// 1 for the first cut of the sheet.
    pub number: usize,
    /// Rip or cross.
    pub direction: Direction,
    /// How wide a strip comes off: what the fence is set to. For a trimming cut of a
    /// raw edge, what is cut away.
    pub fence_mm: u32,
    /// The wood that is parted.
    pub wood: Rect,
    /// Where the blade enters the wood, from the sheet's edge, along the side that is cut through.
    pub at_mm: u32,
    /// How long the cut is.
    pub length_mm: u32,
}

impl Sheet {
    /// The cuts that free the pieces of one sheet, in the order of the sawing: the raw
    /// edges first, then the strips of the whole, then each strip's; none of a sheet that is
    /// for a router.
    pub fn cuts(&self, stock: &Stock, saw: &Saw) -> Vec<Cut> {
        let mut saying = Saying { stock, cuts: Vec::new() };
        if self.is_free() {
            return saying.cuts;
        }
        saying.trim(saw.trim_mm);
        let mut open = vec![&self.root];
        while let Some(node) = open.pop() {
            let Node::Cut(strips) = node else { continue };
            let mut wood = strips.rect;
            let end = wood.end_mm(strips.axis);
            for strip in &strips.strips {
                let rect = strip.rect();
                // What reaches the edge is what is left, and needs no cut.
                if rect.end_mm(strips.axis) >= end {
                    break;
                }
                saying.say(strips.axis, wood, rect.along_mm(strips.axis), rect.end_mm(strips.axis));
                let next = (rect.end_mm(strips.axis) + saw.kerf_mm).min(end);
                match strips.axis {
                    Axis::Width => (wood.x_mm, wood.width_mm) = (next, end - next),
                    Axis::Height => (wood.y_mm, wood.height_mm) = (next, end - next),
                }
            }
            open.extend(strips.strips.iter().rev());
        }
        saying.cuts
    }

    /// How long the blade runs through one sheet, in millimetres.
    pub fn cut_length_mm(&self, stock: &Stock, saw: &Saw) -> u64 {
        self.cuts(stock, saw).iter().map(|cut| u64::from(cut.length_mm)).sum()
    }
}

struct Saying<'a> {
    stock: &'a Stock,
    cuts: Vec<Cut>,
}

impl Saying<'_> {
    fn say(&mut self, axis: Axis, wood: Rect, fence_mm: u32, at_mm: u32) {
        let long =
            if self.stock.width_mm >= self.stock.height_mm { Axis::Width } else { Axis::Height };
        // A cut runs across the axis that it parts.
        let direction = if axis == long { Direction::Cross } else { Direction::Rip };
        let number = self.cuts.len() + 1;
        let length_mm = wood.across_mm(axis);
        self.cuts.push(Cut { number, direction, fence_mm, wood, at_mm, length_mm });
    }

    /// All four raw edges.
    fn trim(&mut self, trim_mm: u32) {
        if trim_mm == 0 {
            return;
        }
        let Stock { width_mm, height_mm, .. } = *self.stock;
        let mut wood = Rect { x_mm: 0, y_mm: 0, width_mm, height_mm };
        self.say(Axis::Height, wood, trim_mm, trim_mm);
        (wood.y_mm, wood.height_mm) = (trim_mm, height_mm - trim_mm);
        self.say(Axis::Height, wood, trim_mm, height_mm - trim_mm);
        wood.height_mm -= trim_mm;
        self.say(Axis::Width, wood, trim_mm, trim_mm);
        (wood.x_mm, wood.width_mm) = (trim_mm, width_mm - trim_mm);
        self.say(Axis::Width, wood, trim_mm, width_mm - trim_mm);
    }
}
