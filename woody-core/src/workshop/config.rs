use serde::Serialize;

use crate::domain::Invalid;

/// A size of wooden sheet that the stock has any number of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Sheet {
    /// What the stock calls it.
    pub name: String,
    /// Width in millimetres.
    pub width_mm: u32,
    /// Height in millimetres.
    pub height_mm: u32,
}

impl Sheet {
    /// Makes a sheet of this name and size.
    pub fn new(name: impl Into<String>, width_mm: u32, height_mm: u32) -> Self {
        Self { name: name.into(), width_mm, height_mm }
    }

    /// Reads `NAME:WIDTHxHEIGHT`, sizes in millimetres.
    ///
    /// ```
    /// use woody_core::workshop::Sheet;
    ///
    /// assert_eq!(Sheet::parse("board:2440x1220"), Ok(Sheet::new("board", 2440, 1220)));
    /// ```
    ///
    /// # Errors
    /// [`Invalid`] for any other form.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        let read = || {
            let (name, size) = text.rsplit_once(':')?;
            let (width, height) = size.split_once('x')?;
            Some(Self::new(name.trim(), width.trim().parse().ok()?, height.trim().parse().ok()?))
        };
        read().ok_or_else(|| Invalid::new("sheet", "must look like board:2440x1220"))
    }

    /// Its area in square millimetres.
    pub fn area_mm2(&self) -> u64 {
        u64::from(self.width_mm) * u64::from(self.height_mm)
    }

    /// Whether a piece of this size can be cut from it, turned if need be.
    pub(super) fn fits(&self, width_mm: u32, height_mm: u32) -> bool {
        (width_mm <= self.width_mm && height_mm <= self.height_mm)
            || (height_mm <= self.width_mm && width_mm <= self.height_mm)
    }
}

/// How hard the planner tries, in rectangles that are packed together.
///
/// The more rectangles, the cheaper the search; what is more than
/// [`batch`](Self::batch) is planned as a repeated batch. The defaults keep
/// every order the domain allows far below two seconds of CPU; `benches/heavy_path.rs`
/// measures it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Effort {
    /// Up to this many, every algorithm of the packing crate is tried.
    pub thorough: usize,
    /// Up to this many, the best few are tried.
    pub careful: usize,
    /// The most that are packed together while the toy itself allows it.
    pub batch: usize,
    /// Random restarts of a thorough search.
    pub restarts: usize,
}

impl Default for Effort {
    fn default() -> Self {
        Self { thorough: 100, careful: 500, batch: 500, restarts: 8 }
    }
}

/// The workshop's stock, saw and bounds.
///
/// ```
/// use woody_core::domain::{ProductName, Quantity};
/// use woody_core::workshop::{CuttingList, Workshop};
///
/// let list = CuttingList::letters(&ProductName::parse("Train").unwrap());
/// let plan = Workshop::default().plan(&list, Quantity::new(20).unwrap()).unwrap();
/// assert_eq!(plan.figures.pieces, 100);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Workshop {
    pub(super) sheets: Vec<Sheet>,
    pub(super) kerf_mm: u32,
    pub(super) max_sheets: u64,
    pub(super) effort: Effort,
}

impl Workshop {
    /// The most sizes of sheet a workshop has; each makes planning dearer.
    pub const MAX_SIZES: usize = 8;
    /// The longest side of a sheet, in millimetres.
    pub const MAX_SHEET_MM: u32 = 20_000;

    /// Makes a workshop with these sheets, a saw that takes `kerf_mm` at each cut,
    /// and orders of at most `max_sheets` sheets.
    ///
    /// # Errors
    /// [`Invalid`] when there is no sheet or too many sizes, when two share a
    /// name, when a size is 0 or beyond reason, or when the saw eats a sheet.
    pub fn new(sheets: Vec<Sheet>, kerf_mm: u32, max_sheets: u32) -> Result<Self, Invalid> {
        let invalid = |field, problem: String| Err(Invalid::new(field, problem));
        if !(1..=Self::MAX_SIZES).contains(&sheets.len()) {
            return invalid("sheets", format!("must be 1 to {} sizes", Self::MAX_SIZES));
        }
        for (i, sheet) in sheets.iter().enumerate() {
            if sheets[..i].iter().any(|other| other.name == sheet.name) {
                return invalid("sheets", format!("have the name {:?} twice", sheet.name));
            }
            let sides = 1..=Self::MAX_SHEET_MM;
            if !sides.contains(&sheet.width_mm) || !sides.contains(&sheet.height_mm) {
                return invalid(
                    "sheets",
                    format!("[{i}] must have sides of 1 to {} mm", Self::MAX_SHEET_MM),
                );
            }
            if kerf_mm >= sheet.width_mm.min(sheet.height_mm).div_ceil(2) {
                return invalid("kerf_mm", format!("of {kerf_mm} eats sheet [{i}] up"));
            }
        }
        if max_sheets == 0 {
            return invalid("max_sheets", "must be at least 1".into());
        }
        let effort = Effort::default();
        Ok(Self { sheets, kerf_mm, max_sheets: u64::from(max_sheets), effort })
    }

    /// Makes the same workshop with another effort.
    #[must_use]
    pub fn with_effort(self, effort: Effort) -> Self {
        Self { effort, ..self }
    }

    /// Returns the sizes of sheet in stock.
    pub fn sheets(&self) -> &[Sheet] {
        &self.sheets
    }
}

impl Default for Workshop {
    /// Whole boards, half boards and quarter panels of plywood, a kerf of 3 mm,
    /// 250 sheets per order.
    fn default() -> Self {
        Self {
            sheets: vec![
                Sheet::new("board", 2_440, 1_220),
                Sheet::new("half board", 1_220, 1_220),
                Sheet::new("panel", 1_220, 610),
            ],
            kerf_mm: 3,
            max_sheets: 250,
            effort: Effort::default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_workshop_keeps_its_own_rules() {
        let default = Workshop::default();
        let checked = Workshop::new(default.sheets.clone(), default.kerf_mm, 250);
        assert_eq!(checked, Ok(default));
    }

    #[test]
    fn what_is_wrong_is_named() {
        let board = || Sheet::new("board", 100, 50);
        for (sheets, kerf, most, says) in [
            (vec![], 3, 1, "sheets must be 1 to 8 sizes"),
            (vec![board(), board()], 3, 1, "sheets have the name \"board\" twice"),
            (vec![Sheet::new("x", 0, 5)], 3, 1, "sheets [0] must have sides of 1 to 20000 mm"),
            (vec![board()], 25, 1, "kerf_mm of 25 eats sheet [0] up"),
            (vec![board()], 3, 0, "max_sheets must be at least 1"),
        ] {
            assert_eq!(Workshop::new(sheets, kerf, most).unwrap_err().to_string(), says);
        }
    }

    #[test]
    fn a_sheet_is_read_or_refused() {
        assert_eq!(Sheet::parse("a:b:12 x 7"), Ok(Sheet::new("a:b", 12, 7)));
        for bad in ["", "board", "board:12", "board:12x", "board:-1x2", "board:1x2x3"] {
            assert!(Sheet::parse(bad).is_err(), "{bad:?}");
        }
    }
}
