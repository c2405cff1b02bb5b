//! What is to be cut, from what, and with which saw.

use crate::{error::ProblemError, limits};

/// A rectangle that is wanted, and how many of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Part {
    /// Width in millimetres.
    pub width_mm: u32,
    /// Height in millimetres.
    pub height_mm: u32,
    /// How many pieces of it are wanted.
    pub count: u32,
    /// Whether it may lie turned by a quarter; not if the grain of the wood matters.
    pub may_turn: bool,
}

impl Part {
    /// One piece that may be turned.
    pub fn new(width_mm: u32, height_mm: u32) -> Self {
        Self { width_mm, height_mm, count: 1, may_turn: true }
    }

    /// The same part, this many times.
    #[must_use]
    pub fn times(self, count: u32) -> Self {
        Self { count, ..self }
    }

    /// The same part, whose width must lie along the sheet's width.
    #[must_use]
    pub fn with_grain(self) -> Self {
        Self { may_turn: false, ..self }
    }

    /// Area of one piece, in square millimetres.
    pub fn area_mm2(&self) -> u64 {
        u64::from(self.width_mm) * u64::from(self.height_mm)
    }

    /// Whether a piece can be cut from a rectangle of this size.
    pub fn fits(&self, width_mm: u32, height_mm: u32) -> bool {
        let fits = |w, h| w <= width_mm && h <= height_mm;
        fits(self.width_mm, self.height_mm)
            || (self.may_turn && fits(self.height_mm, self.width_mm))
    }
}

/// A size of sheet in stock; an offcut of earlier work is one with `at_hand` 1
/// and a low price.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Stock {
    /// Width in millimetres.
    pub width_mm: u32,
    /// Height in millimetres.
    pub height_mm: u32,
    /// Price of one sheet, in any unit; the plan's cost is the sum.
    pub price: u64,
    /// How many there are; `None` for any number.
    pub at_hand: Option<u32>,
}

impl Stock {
    /// Any number of sheets of this size, each at the price of its area in mm².
    pub fn new(width_mm: u32, height_mm: u32) -> Self {
        let price = u64::from(width_mm) * u64::from(height_mm);
        Self { width_mm, height_mm, price, at_hand: None }
    }

    /// The same size at this price.
    #[must_use]
    pub fn priced(self, price: u64) -> Self {
        Self { price, ..self }
    }

    /// The same size, of which there are only this many.
    #[must_use]
    pub fn limited(self, at_hand: u32) -> Self {
        Self { at_hand: Some(at_hand), ..self }
    }

    /// Area of one sheet, in square millimetres.
    pub fn area_mm2(&self) -> u64 {
        u64::from(self.width_mm) * u64::from(self.height_mm)
    }
}

/// How often the direction of the cuts may change, or that no saw cuts.
///
/// The cut that trims a strip to its piece is not counted, as in the literature
/// (*non-exact* patterns).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
pub enum Stages {
    /// Strips, then pieces.
    Two,
    /// Strips, stacks, then pieces.
    Three,
    /// As often as it takes.
    #[default]
    Any,
    /// As it comes, for a router: pieces lie anywhere, a kerf apart, where that is cheaper than
    /// what a saw can cut.
    Free,
}

impl Stages {
    /// The number, if there is a limit.
    pub fn limit(self) -> Option<u32> {
        match self {
            Self::Two => Some(2),
            Self::Three => Some(3),
            Self::Any | Self::Free => None,
        }
    }
}

/// The saw, and how it is worked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(default, deny_unknown_fields))]
pub struct Saw {
    /// What the blade takes at each cut, or a router's bit between two pieces, in millimetres.
    pub kerf_mm: u32,
    /// What is cut off each edge of a raw sheet, kerf included, in millimetres.
    pub trim_mm: u32,
    /// How often the direction of the cuts may change.
    pub stages: Stages,
    /// Offcuts whose shorter side is less than this are waste.
    pub least_offcut_mm: u32,
}

impl Default for Saw {
    /// A kerf of 3 mm, no trim, any number of stages, offcuts from 100 mm.
    fn default() -> Self {
        Self { kerf_mm: 3, trim_mm: 0, stages: Stages::Any, least_offcut_mm: 100 }
    }
}

/// A problem that makes sense: every part fits on a sheet, every size is in bounds.
///
/// ```
/// use woody_cutting::{Part, Problem, ProblemError, Saw, Stock};
///
/// let shelf = Part::new(600, 300).times(4);
/// let problem = Problem::new(vec![shelf], vec![Stock::new(2_440, 1_220)], Saw::default())?;
/// assert_eq!(problem.pieces(), 4);
/// let no_sheet = Problem::new(vec![shelf], vec![], Saw::default());
/// assert_eq!(no_sheet, Err(ProblemError::Stock { given: 0 }));
/// # Ok::<(), ProblemError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    parts: Vec<Part>,
    stock: Vec<Stock>,
    saw: Saw,
}

impl Problem {
    /// The most different parts.
    pub const MAX_PARTS: usize = limits::MAX_PARTS;
    /// The most pieces, over all parts.
    pub const MAX_PIECES: u64 = limits::MAX_PIECES;
    /// The most sizes in stock.
    pub const MAX_STOCK: usize = limits::MAX_STOCK;
    /// The longest side of a part or a sheet, in millimetres.
    pub const MAX_SIDE_MM: u32 = limits::MAX_SIDE_MM;
    /// The highest price of a sheet: a square of the longest side, by its area.
    pub const MAX_PRICE: u64 = limits::MAX_PRICE;

    /// Checks a problem.
    ///
    /// # Errors
    /// [`ProblemError`] names the first part or sheet that is out of bounds, and
    /// what would do.
    pub fn new(parts: Vec<Part>, stock: Vec<Stock>, saw: Saw) -> Result<Self, ProblemError> {
        if !(1..=Self::MAX_PARTS).contains(&parts.len()) {
            return Err(ProblemError::Parts { given: parts.len() });
        }
        if !(1..=Self::MAX_STOCK).contains(&stock.len()) {
            return Err(ProblemError::Stock { given: stock.len() });
        }
        let side = |mm| (1..=Self::MAX_SIDE_MM).contains(&mm);
        for (index, sheet) in stock.iter().enumerate() {
            if !side(sheet.width_mm) || !side(sheet.height_mm) {
                let Stock { width_mm, height_mm, .. } = *sheet;
                return Err(ProblemError::SheetSize { index, width_mm, height_mm });
            }
            if sheet.price > Self::MAX_PRICE {
                return Err(ProblemError::Price { index, price: sheet.price });
            }
            let shorter = u64::from(sheet.width_mm.min(sheet.height_mm));
            if u64::from(saw.kerf_mm) + 2 * u64::from(saw.trim_mm) >= shorter {
                let Saw { kerf_mm, trim_mm, .. } = saw;
                return Err(ProblemError::SawEatsSheet { index, kerf_mm, trim_mm });
            }
        }
        let problem = Self { parts, stock, saw };
        for (index, part) in problem.parts.iter().enumerate() {
            let Part { width_mm, height_mm, count, .. } = *part;
            if !side(width_mm) || !side(height_mm) {
                return Err(ProblemError::PartSize { index, width_mm, height_mm });
            }
            if count == 0 {
                return Err(ProblemError::NoneWanted { index });
            }
            if !problem.rooms().any(|[w, h]| part.fits(w, h)) {
                return Err(problem.too_large(index));
            }
        }
        let pieces = problem.pieces();
        if pieces > Self::MAX_PIECES {
            return Err(ProblemError::Pieces { given: pieces });
        }
        Ok(problem)
    }

    fn too_large(&self, index: usize) -> ProblemError {
        let part = self.parts[index];
        let largest = self.rooms().max_by_key(|[w, h]| u64::from(*w) * u64::from(*h));
        let [room_width_mm, room_height_mm] = largest.unwrap_or([0, 0]);
        ProblemError::PartTooLarge {
            index,
            width_mm: part.width_mm,
            height_mm: part.height_mm,
            room_width_mm,
            room_height_mm,
            turned_would_fit: self.rooms().any(|[w, h]| Part { may_turn: true, ..part }.fits(w, h)),
        }
    }

    /// What each sheet has between its trimmed edges.
    pub(crate) fn rooms(&self) -> impl Iterator<Item = [u32; 2]> {
        let trim = 2 * self.saw.trim_mm;
        self.stock.iter().map(move |sheet| [sheet.width_mm - trim, sheet.height_mm - trim])
    }

    /// The same parts, cut by a saw from sheets of this size alone; whether they fit is the caller's
    /// to know.
    pub(crate) fn only_from(&self, stock: Stock) -> Self {
        let stages = if self.saw.stages == Stages::Free { Stages::Any } else { self.saw.stages };
        Self { parts: self.parts.clone(), stock: vec![stock], saw: Saw { stages, ..self.saw } }
    }

    /// The parts, as they were given.
    pub fn parts(&self) -> &[Part] {
        &self.parts
    }

    /// The sizes in stock, as they were given.
    pub fn stock(&self) -> &[Stock] {
        &self.stock
    }

    /// The saw.
    pub fn saw(&self) -> Saw {
        self.saw
    }

    /// How many pieces are wanted.
    pub fn pieces(&self) -> u64 {
        self.parts.iter().map(|part| u64::from(part.count)).sum()
    }
}
