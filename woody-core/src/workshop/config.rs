use serde::{Deserialize, Serialize};
use woody_cutting::{Effort, Problem, Saw, Stock};

use crate::domain::Invalid;

/// What a sheet without a price costs besides its area in mm²: more than any sheet has of that.
const ONE_SHEET: u64 = 1_000_000_000;

/// A size of wooden sheet in stock.
///
/// ```
/// use woody_core::workshop::Sheet;
///
/// let board = Sheet::new("board", 2440, 1220).priced(5_200);
/// let leftover = Sheet::new("offcut of Tuesday", 900, 400).priced(100).limited(1);
/// ```
#[non_exhaustive]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sheet {
    /// What the stock calls it.
    pub name: String,
    /// Width in millimetres.
    pub width_mm: u32,
    /// Height in millimetres.
    pub height_mm: u32,
    /// Price of one sheet, in a unit that all sheets share. Without prices fewer sheets are
    /// better, and of as many those with less wood.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub price: Option<u64>,
    /// How many of it one plan may use; `None` for any number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_hand: Option<u32>,
}

impl Sheet {
    /// Makes a sheet of this name and size, of which there is any number.
    pub fn new(name: impl Into<String>, width_mm: u32, height_mm: u32) -> Self {
        Self { name: name.into(), width_mm, height_mm, price: None, at_hand: None }
    }

    /// Makes the same sheet at this price. An offcut that is to be used first has a low one.
    #[must_use]
    pub fn priced(self, price: u64) -> Self {
        Self { price: Some(price), ..self }
    }

    /// Makes the same sheet, of which a plan may use this many at most.
    #[must_use]
    pub fn limited(self, at_hand: u32) -> Self {
        Self { at_hand: Some(at_hand), ..self }
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

    /// Returns its area in square millimetres.
    pub fn area_mm2(&self) -> u64 {
        u64::from(self.width_mm) * u64::from(self.height_mm)
    }

    /// As the planner knows it.
    pub(super) fn stock(&self) -> Stock {
        let price = self.price.unwrap_or_else(|| ONE_SHEET + self.area_mm2());
        Stock { at_hand: self.at_hand, ..Stock::new(self.width_mm, self.height_mm).priced(price) }
    }
}

impl std::str::FromStr for Sheet {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        Self::parse(text)
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
    pub(super) saw: Saw,
    pub(super) max_sheets: u64,
    pub(super) effort: Effort,
}

impl Workshop {
    /// The most sizes of sheet that a workshop has, offcuts of earlier work among them.
    pub const MAX_SIZES: usize = 32;
    /// The longest side of a sheet, in millimetres.
    pub const MAX_SHEET_MM: u32 = 20_000;
    /// The most sheets that an order may be allowed to take.
    pub const MOST_SHEETS: u32 = 100_000;

    /// Makes a workshop with these sheets and this saw, whose orders take at most `max_sheets`
    /// sheets.
    ///
    /// # Errors
    /// [`Invalid`] when there is no sheet or too many sizes, when two share a name, when a
    /// size is 0 or beyond reason, when only some have a price, or when the saw leaves
    /// nothing of a sheet.
    pub fn new(sheets: Vec<Sheet>, saw: Saw, max_sheets: u32) -> Result<Self, Invalid> {
        let invalid = |field, problem: String| Err(Invalid::new(field, problem));
        if !(1..=Self::MAX_SIZES).contains(&sheets.len()) {
            return invalid("sheets", format!("must be 1 to {} sizes", Self::MAX_SIZES));
        }
        for (i, sheet) in sheets.iter().enumerate() {
            if sheet.name.trim().is_empty() {
                return invalid("sheets", format!("[{i}] has no name"));
            }
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
            if sheet.price.is_some() != sheets[0].price.is_some() {
                return invalid(
                    "sheets",
                    format!("[{i}] and [0] differ: all have a price, or none"),
                );
            }
            if sheet.price.is_some_and(|price| price > Problem::MAX_PRICE) {
                let most = Problem::MAX_PRICE;
                return invalid("sheets", format!("[{i}] must have a price of 0 to {most}"));
            }
            let eaten = u64::from(saw.kerf_mm) + 2 * u64::from(saw.trim_mm);
            if eaten >= u64::from(sheet.width_mm.min(sheet.height_mm)) {
                let Saw { kerf_mm, trim_mm, .. } = saw;
                let leave = format!("of {kerf_mm} and trim_mm of {trim_mm} leave nothing of");
                return invalid("kerf_mm", format!("{leave} sheet [{i}]"));
            }
        }
        if !(1..=Self::MOST_SHEETS).contains(&max_sheets) {
            return invalid("max_sheets", format!("must be 1 to {}", Self::MOST_SHEETS));
        }
        let effort = Effort::default();
        Ok(Self { sheets, saw, max_sheets: u64::from(max_sheets), effort })
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

    /// Returns the saw.
    pub fn saw(&self) -> Saw {
        self.saw
    }

    /// Whether sheets have prices, so that plans have a cost.
    pub(super) fn has_prices(&self) -> bool {
        self.sheets.iter().all(|sheet| sheet.price.is_some())
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
            saw: Saw::default(),
            max_sheets: 250,
            effort: Effort::default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn saw(kerf_mm: u32) -> Saw {
        Saw { kerf_mm, ..Saw::default() }
    }

    #[test]
    fn the_default_workshop_keeps_its_own_rules() {
        let default = Workshop::default();
        assert_eq!(Workshop::new(default.sheets.clone(), default.saw, 250), Ok(default));
    }

    #[test]
    fn what_is_wrong_is_named() {
        let board = || Sheet::new("board", 100, 50);
        let many = (0..33).map(|i| Sheet::new(i.to_string(), 100, 50)).collect();
        for (sheets, saw, most, says) in [
            (vec![], saw(3), 1, "sheets must be 1 to 32 sizes"),
            (many, saw(3), 1, "sheets must be 1 to 32 sizes"),
            (vec![board(), board()], saw(3), 1, "sheets have the name \"board\" twice"),
            (vec![Sheet::new(" ", 5, 5)], saw(3), 1, "sheets [0] has no name"),
            (vec![Sheet::new("x", 0, 5)], saw(3), 1, "sheets [0] must have sides of 1 to 20000 mm"),
            (
                vec![board(), Sheet::new("half", 50, 50).priced(3)],
                saw(3),
                1,
                "sheets [1] and [0] differ: all have a price, or none",
            ),
            (
                vec![board().priced(10_000_000_001)],
                saw(3),
                1,
                "sheets [0] must have a price of 0 to 10000000000",
            ),
            (
                vec![board()],
                saw(50),
                1,
                "kerf_mm of 50 and trim_mm of 0 leave nothing of sheet [0]",
            ),
            (
                vec![board()],
                Saw { trim_mm: 25, ..saw(1) },
                1,
                "kerf_mm of 1 and trim_mm of 25 leave nothing of sheet [0]",
            ),
            (vec![board()], saw(3), 0, "max_sheets must be 1 to 100000"),
        ] {
            assert_eq!(Workshop::new(sheets, saw, most).unwrap_err().to_string(), says);
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
