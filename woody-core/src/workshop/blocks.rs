//! Equal pieces gathered into blocks, so that a thousand wheels are a few
//! rectangles to the packing search.

use super::{CutPart, Sheet};

/// Blocks are at most this part of the sheet's shorter side.
const BLOCKS_PER_SIDE: u32 = 8;

/// A rectangle to pack: `columns` x `rows` pieces of one part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Item {
    pub(super) part: usize,
    pub(super) columns: u32,
    pub(super) rows: u32,
    /// How many such rectangles.
    pub(super) count: u64,
}

impl Item {
    pub(super) fn width(&self, part: &CutPart, kerf: u32) -> u32 {
        part.width_mm * self.columns + kerf * (self.columns - 1)
    }

    pub(super) fn height(&self, part: &CutPart, kerf: u32) -> u32 {
        part.height_mm * self.rows + kerf * (self.rows - 1)
    }
}

/// Returns how many columns and rows a whole block of `part` has.
///
/// A block fits wherever its piece does: a side longer than the piece's is
/// shorter than every side of the sheet.
fn whole_block(part: &CutPart, sheets: &[Sheet], kerf: u32) -> (u32, u32) {
    let fitting = sheets.iter().filter(|sheet| sheet.fits(part.width_mm, part.height_mm));
    let side = fitting.map(|sheet| sheet.width_mm.min(sheet.height_mm)).max().unwrap_or(1);
    let along = |piece: u32| ((side / BLOCKS_PER_SIDE + kerf) / (piece + kerf)).max(1);
    (along(part.width_mm), along(part.height_mm))
}

/// `count` pieces of part `index` as whole blocks, a block of the full rows
/// that are left, and a row of the rest.
pub(super) fn gather(
    index: usize,
    part: &CutPart,
    count: u64,
    sheets: &[Sheet],
    kerf: u32,
) -> impl Iterator<Item = Item> + use<> {
    let (columns, rows) = whole_block(part, sheets, kerf);
    let whole = u64::from(columns) * u64::from(rows);
    let rest = u32::try_from(count % whole).unwrap_or_default();
    let item = move |columns, rows, count| Item { part: index, columns, rows, count };
    [
        item(columns, rows, count / whole),
        item(columns, rest / columns, 1),
        item(rest % columns, 1, 1),
    ]
    .into_iter()
    .filter(|item| item.columns > 0 && item.rows > 0 && item.count > 0)
}

/// Returns every piece as a block of its own.
pub(super) fn single(index: usize, count: u64) -> Item {
    Item { part: index, columns: 1, rows: 1, count }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn gathering_loses_nothing_and_makes_nothing_that_fits_no_sheet(
            (width_mm, height_mm) in (1..1_500_u32, 1..1_500_u32),
            (sheet_w, sheet_h) in (40..2_500_u32, 40..2_500_u32),
            count in 1..1_000_000_u64,
            kerf in 0..10_u32,
        ) {
            let sheets = [Sheet::new("a", sheet_w, sheet_h), Sheet::new("b", 400, 90)];
            prop_assume!(sheets.iter().any(|sheet| sheet.fits(width_mm, height_mm)));
            let part = CutPart { name: "p".into(), width_mm, height_mm, per_toy: 1 };
            let mut pieces = 0;
            for item in gather(0, &part, count, &sheets, kerf) {
                pieces += item.count * u64::from(item.columns) * u64::from(item.rows);
                let (w, h) = (item.width(&part, kerf), item.height(&part, kerf));
                prop_assert!(sheets.iter().any(|sheet| sheet.fits(w, h)), "{item:?} is {w} x {h}");
            }
            prop_assert_eq!(pieces, count);
        }
    }
}
