//! Equal pieces gathered into blocks, so that a thousand wheels are a few
//! rectangles to the search.

use crate::problem::{Part, Problem, Stock};

/// So many rectangles are always searched together.
const TOGETHER: u64 = 300;
/// So many where many small pieces go on a sheet.
const MOST_TOGETHER: u64 = 2_000;
/// Blocks are at most this part of a sheet's shorter side.
const BLOCKS_PER_SIDE: u32 = 16;

/// A rectangle to place: `columns` x `rows` pieces of one part, a kerf between them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Item {
    pub(crate) part: usize,
    pub(crate) columns: u32,
    pub(crate) rows: u32,
    /// How many such rectangles.
    pub(crate) count: u64,
}

impl Item {
    /// Pieces of one such rectangle.
    pub(crate) fn pieces(&self) -> u64 {
        u64::from(self.columns) * u64::from(self.rows)
    }

    /// Its size with the kerf.
    pub(crate) fn size(&self, part: &Part, kerf: u32) -> [u32; 2] {
        [self.columns * (part.width_mm + kerf), self.rows * (part.height_mm + kerf)]
    }
}

/// The rectangles that so many pieces of each part are: each for itself while they are
/// few, blocks otherwise. The pieces of a block take two stages more than the block, so
/// that limited stages have none.
pub(crate) fn items(problem: &Problem, counts: &[u64]) -> Vec<Item> {
    let few = counts.iter().sum::<u64>() <= together(problem, counts);
    let single = few || problem.saw().stages.limit().is_some();
    let wanted = counts.iter().copied().enumerate().filter(|(_, count)| *count > 0);
    if single {
        let single = |(part, count)| Item { part, columns: 1, rows: 1, count };
        return wanted.map(single).collect();
    }
    wanted.flat_map(|(part, count)| gather(problem, part, count)).collect()
}

/// `count` pieces of a part as whole blocks, a block of the full rows that are left, and
/// a row of the rest.
fn gather(problem: &Problem, part: usize, count: u64) -> impl Iterator<Item = Item> + use<> {
    let (columns, rows) = whole_block(problem, problem.parts()[part]);
    let whole = u64::from(columns) * u64::from(rows);
    let rest = u32::try_from(count % whole).unwrap_or_default();
    let item = move |columns, rows, count| Item { part, columns, rows, count };
    let all = [
        item(columns, rows, count / whole),
        item(columns, rest / columns, 1),
        item(rest % columns, 1, 1),
    ];
    all.into_iter().filter(|item| item.columns > 0 && item.rows > 0 && item.count > 0)
}

/// How many columns and rows a whole block has. It fits wherever its piece does: a side
/// longer than the piece's is shorter than every side of the sheet.
fn whole_block(problem: &Problem, part: Part) -> (u32, u32) {
    let kerf = problem.saw().kerf_mm;
    let fitting = problem.rooms().filter(|[w, h]| part.fits(*w, *h));
    let side = fitting.map(|[w, h]| w.min(h)).max().unwrap_or(1);
    let along = |piece: u32| ((side / BLOCKS_PER_SIDE + kerf) / (piece + kerf)).max(1);
    (along(part.width_mm), along(part.height_mm))
}

/// How many rectangles a batch should have: enough for some sheets.
fn together(problem: &Problem, counts: &[u64]) -> u64 {
    let area: u64 = problem.parts().iter().zip(counts).map(|(part, n)| part.area_mm2() * n).sum();
    let sheet = problem.stock().iter().map(Stock::area_mm2).max().unwrap_or(1);
    let per_sheet = counts.iter().sum::<u64>() * sheet / area.max(1);
    (3 * per_sheet).clamp(TOGETHER, MOST_TOGETHER)
}

/// How often a batch worth searching together is contained in `counts`.
pub(crate) fn times(problem: &Problem, counts: &[u64]) -> u64 {
    let total: u64 = counts.iter().sum();
    let rectangles: u64 = items(problem, counts).iter().map(|item| item.count).sum();
    let mut times = rectangles / together(problem, counts);
    while times > 1 {
        let covered: u64 = counts.iter().map(|count| count / times * times).sum();
        if covered * 2 >= total {
            return whole(counts, times);
        }
        times = times * 4 / 5;
    }
    1
}

/// A number near `times` that leaves nothing, if there is one.
fn whole(counts: &[u64], times: u64) -> u64 {
    let common = counts.iter().copied().filter(|count| *count > 0).fold(0, common_divisor);
    (times..=times.saturating_mul(2)).find(|n| common.is_multiple_of(*n)).unwrap_or(times)
}

pub(crate) fn common_divisor(a: u64, b: u64) -> u64 {
    if b == 0 { a } else { common_divisor(b, a % b) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::problem::Saw;

    proptest! {
        #[test]
        fn gathering_loses_nothing_and_makes_nothing_that_fits_no_sheet(
            (width, height) in (1..1_500_u32, 1..1_500_u32),
            (sheet_width, sheet_height) in (40..2_500_u32, 40..2_500_u32),
            count in 301..1_000_000_u32,
            (kerf_mm, may_turn) in (0..10_u32, any::<bool>()),
        ) {
            let part = Part { may_turn, ..Part::new(width, height).times(count) };
            let stock = vec![Stock::new(sheet_width, sheet_height), Stock::new(400, 90)];
            let saw = Saw { kerf_mm, ..Saw::default() };
            let Ok(problem) = Problem::new(vec![part], stock, saw) else { return Ok(()) };
            let mut pieces = 0;
            for item in items(&problem, &[u64::from(count)]) {
                pieces += item.count * item.pieces();
                let [w, h] = item.size(&part, kerf_mm).map(|side| side - kerf_mm);
                let block = Part { may_turn, ..Part::new(w, h) };
                prop_assert!(problem.rooms().any(|[w, h]| block.fits(w, h)), "{item:?} is {w} x {h}");
            }
            prop_assert_eq!(pieces, u64::from(count));
        }
    }
}
