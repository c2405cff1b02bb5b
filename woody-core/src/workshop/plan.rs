use serde::{Deserialize, Serialize};

use woody_cutting::Rect;

use super::{Cut, CutPart, Sheet};
use crate::domain::{Quantity, Reason};

/// How an order is cut from the workshop's sheets.
///
/// It is written as it is sawn: equal sheets once with how often they are cut,
/// and equal pieces side by side as one block.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// How many toys it makes.
    pub quantity: Quantity,
    /// What the saw, or a router's bit, takes between two pieces, in millimetres.
    pub kerf_mm: u32,
    /// The plan in numbers.
    pub figures: Figures,
    /// The parts; placements refer to them by index.
    pub parts: Vec<CutPart>,
    /// The sheets, equal ones once.
    pub layouts: Vec<Layout>,
}

/// A plan in numbers.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Figures {
    /// Sheets that are cut.
    pub sheets: u64,
    /// Pieces that come out.
    pub pieces: u64,
    /// How much of the sheets the pieces are, in percent with one decimal.
    pub used_percent: f64,
    /// Area of the pieces, in square millimetres.
    pub used_mm2: u64,
    /// What is left of the sheets, sawdust included, in square millimetres.
    pub waste_mm2: u64,
    /// What the sheets cost, if they have prices.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost: Option<u64>,
    /// Cuts that the saw makes, over all sheets.
    pub cuts: u64,
    /// How long they are together, in millimetres.
    pub cut_length_mm: u64,
}

/// One sheet and what is cut from it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Layout {
    /// The sheet.
    pub sheet: Sheet,
    /// How many sheets are cut this way.
    pub repeat: u64,
    /// What is cut from each, in the order of the sawing.
    pub placements: Vec<Placement>,
    /// What is left of each and large enough to be kept, the largest first.
    pub offcuts: Vec<Rect>,
    /// Cuts that free the pieces of one sheet.
    pub cuts: u64,
    /// How long they are together, in millimetres.
    pub cut_length_mm: u64,
    /// The cuts in the order of the sawing: the raw edges, then the strips of the whole, then
    /// each strip's. After the first 2,000 entries of a plan cuts are counted in `cuts` alone.
    #[serde(default)]
    pub cut_sequence: Vec<Cut>,
    /// Whether pieces lie as a saw need not be able to cut them, for a router; no cuts are told
    /// then.
    #[serde(default, skip_serializing_if = "is_false")]
    pub free: bool,
}

/// A piece on a sheet, or a block of equal pieces with the kerf between them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Placement {
    /// Index into [`Plan::parts`].
    pub part: usize,
    /// From the sheet's left edge, in millimetres.
    pub x_mm: u32,
    /// From the sheet's top edge, in millimetres.
    pub y_mm: u32,
    /// Width of one piece as it lies there.
    pub width_mm: u32,
    /// Height of one piece as it lies there.
    pub height_mm: u32,
    /// Whether it lies turned by a quarter.
    pub rotated: bool,
    /// Pieces side by side.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub columns: u32,
    /// Pieces below each other.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub rows: u32,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes references")]
fn is_false(yes: &bool) -> bool {
    !*yes
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes references")]
fn is_one(n: &u32) -> bool {
    *n == 1
}

const fn one() -> u32 {
    1
}

impl Placement {
    /// Returns how many pieces it is.
    pub fn pieces(&self) -> u64 {
        u64::from(self.columns) * u64::from(self.rows)
    }

    /// Width of the whole block, in millimetres.
    pub fn block_width_mm(&self, kerf_mm: u32) -> u32 {
        self.width_mm * self.columns + kerf_mm * (self.columns - 1)
    }

    /// Height of the whole block, in millimetres.
    pub fn block_height_mm(&self, kerf_mm: u32) -> u32 {
        self.height_mm * self.rows + kerf_mm * (self.rows - 1)
    }

    /// Area of its pieces, in square millimetres.
    pub fn area_mm2(&self) -> u64 {
        self.pieces() * u64::from(self.width_mm) * u64::from(self.height_mm)
    }
}

impl Layout {
    /// Area of the pieces on one sheet, in square millimetres.
    pub fn used_mm2(&self) -> u64 {
        self.placements.iter().map(Placement::area_mm2).sum()
    }
}

impl Figures {
    pub(super) fn of(layouts: &[Layout], cost: Option<u64>) -> Self {
        let sum = |each: fn(&Layout) -> u64| -> u64 {
            layouts.iter().map(|layout| layout.repeat * each(layout)).sum()
        };
        let sheets = sum(|_| 1);
        let pieces = sum(|layout| layout.placements.iter().map(Placement::pieces).sum());
        let used_mm2 = sum(Layout::used_mm2);
        let total_mm2 = sum(|layout| layout.sheet.area_mm2());
        Self {
            sheets,
            pieces,
            used_percent: tenths_of_percent(used_mm2, total_mm2),
            used_mm2,
            waste_mm2: total_mm2.saturating_sub(used_mm2),
            cost,
            cuts: sum(|layout| layout.cuts),
            cut_length_mm: sum(|layout| layout.cut_length_mm),
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "at most 1,000 tenths")]
fn tenths_of_percent(part: u64, whole: u64) -> f64 {
    (part.saturating_mul(1_000) / whole.max(1)) as f64 / 10.0
}

impl Plan {
    /// Returns the plan as one line: `4 sheets, 80 pieces, 81 % used`, and `, cost 240` where
    /// sheets have prices.
    pub fn summary(&self) -> Reason {
        let Figures { sheets, pieces, used_percent, cost, .. } = self.figures;
        let (s, p) = (if sheets == 1 { "" } else { "s" }, if pieces == 1 { "" } else { "s" });
        let cost = cost.map_or_else(String::new, |cost| format!(", cost {cost}"));
        Reason::new(format!("{sheets} sheet{s}, {pieces} piece{p}, {used_percent:.0} % used{cost}"))
    }

    /// Returns the name of the part that lies there.
    pub fn part_name(&self, placement: &Placement) -> &str {
        self.parts.get(placement.part).map_or("", |part| &part.name)
    }
}

/// An order that the workshop cannot make; a verdict, not a failure.
#[non_exhaustive]
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CannotMake {
    /// No sheet in stock is large enough for it as it may lie.
    #[error(
        "part {part} ({width_mm} x {height_mm} mm) {}; the largest has room for {room_width_mm} x \
         {room_height_mm} mm",
        if *.turned_would_fit {
            "would fit only turned, which its grain does not allow"
        } else {
            "is larger than any sheet"
        }
    )]
    PartTooLarge {
        /// The first part that does not fit.
        part: String,
        /// Its width in millimetres.
        width_mm: u32,
        /// Its height in millimetres.
        height_mm: u32,
        /// Width of the largest sheet between its trimmed edges, in millimetres.
        room_width_mm: u32,
        /// Height of the largest sheet between its trimmed edges, in millimetres.
        room_height_mm: u32,
        /// Whether a sheet would take it if its grain let it be turned.
        turned_would_fit: bool,
    },
    /// The sheets at hand are too few.
    #[error(
        "the sheets at hand do not take all pieces: {missing} are left over, {part} among them"
    )]
    OutOfStock {
        /// Pieces that found no place.
        missing: u64,
        /// A part that is among them.
        part: String,
    },
    /// It takes more sheets than an order may.
    #[error("needs {} {needed} sheets, the workshop allows {allowed}", if *.at_least { "at least" } else { "about" })]
    TooManySheets {
        /// Sheets that it needs.
        needed: u64,
        /// Whether that is the least it could need, and no layout was sought.
        at_least: bool,
        /// Sheets that an order may take.
        allowed: u64,
    },
    /// The planner takes no such list, though every part fits on a sheet.
    #[error("no layout was found: {0}")]
    NoLayout(String),
}

impl From<CannotMake> for Reason {
    fn from(verdict: CannotMake) -> Self {
        Self::new(verdict.to_string())
    }
}
