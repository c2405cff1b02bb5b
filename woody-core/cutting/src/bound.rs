//! What no plan can cost less than.
//!
//! Areas say that so much wood is needed. For one size of sheet, dual feasible
//! functions say more: they blow large sides up and small ones down, such that
//! whatever shares a sheet still has no more area than the sheet (Fekete and
//! Schepers 2004; with rotation a piece counts as it lies smaller).

use crate::search::model::{Model, PieceKind, Sort};

/// Evaluations that a bound may take.
const MOST_WORK: usize = 400_000;
/// Combinations of sheets that a bound may try.
const MOST_COMBINATIONS: usize = 10_000;

/// The least price and the least number of sheets of a plan.
pub(crate) fn least(model: &Model, prices: &[u64]) -> (u64, u64) {
    let area = model
        .kinds
        .iter()
        .map(|kind| u128::from(kind.area()) * u128::from(kind.count))
        .sum::<u128>();
    let largest = model.stock.iter().map(Sort::area).max().unwrap_or(1);
    let mut sheets = u64::try_from(area.div_ceil(u128::from(largest))).unwrap_or(u64::MAX);
    let mut price = Cover::of(model, prices).least(area).max(dearest_piece(model, prices));
    // Of a single sheet there is nothing more to say.
    if let [sort] = &model.stock[..]
        && sort.at_hand > 1
    {
        sheets = sheets.max(transformed(sort, &model.kinds));
        price = price.max(sheets.saturating_mul(prices[0]));
    }
    (price, sheets)
}

/// What the cheapest sheet costs that holds the piece for which that is the most.
fn dearest_piece(model: &Model, prices: &[u64]) -> u64 {
    let cheapest = |kind: &PieceKind| {
        let holding = model.stock.iter().zip(prices).filter(|(sort, _)| kind.fits(sort.size));
        holding.map(|(_, price)| *price).min()
    };
    let wanted = model.kinds.iter().filter(|kind| kind.count > 0);
    wanted.filter_map(cheapest).max().unwrap_or(0)
}

/// Sizes of sheet as wood by area, the cheapest wood first.
struct Cover {
    /// Price, area, how many.
    sorts: Vec<(u128, u128, u128)>,
    /// Whole combinations that may still be tried.
    tries: usize,
}

impl Cover {
    fn of(model: &Model, prices: &[u64]) -> Self {
        let each = model.stock.iter().zip(prices);
        let mut sorts: Vec<(u128, u128, u128)> = each
            .map(|(sort, price)| {
                (u128::from(*price), u128::from(sort.area()), u128::from(sort.at_hand))
            })
            .collect();
        sorts.sort_by(|a, b| (a.0 * b.1).cmp(&(b.0 * a.1)));
        Self { sorts, tries: MOST_COMBINATIONS }
    }

    /// The least price of whole sheets that have so much area together.
    fn least(mut self, area: u128) -> u64 {
        let mut best = u128::MAX;
        self.search(0, area, 0, &mut best);
        // Without an answer in time, wood counts as if it were sold by area.
        let least = if self.tries == 0 { self.fractional(0, area) } else { best };
        u64::try_from(least).unwrap_or(u64::MAX)
    }

    fn search(&mut self, from: usize, area: u128, spent: u128, best: &mut u128) {
        if area == 0 {
            *best = spent.min(*best);
            return;
        }
        if from == self.sorts.len() {
            return;
        }
        let (price, size, at_hand) = self.sorts[from];
        let most = at_hand.min(area.div_ceil(size));
        for taken in (0..=most).rev() {
            if self.tries == 0 {
                return;
            }
            let rest = area.saturating_sub(taken * size);
            let spent = spent + taken * price;
            self.tries = self.tries.saturating_sub(1);
            if spent + self.fractional(from + 1, rest) >= *best {
                continue;
            }
            self.search(from + 1, rest, spent, best);
        }
    }

    /// The price of so much area by the sizes from `from` on, bought by area.
    fn fractional(&self, from: usize, mut area: u128) -> u128 {
        let mut sum = 0;
        for (price, size, at_hand) in &self.sorts[from..] {
            let taken = area.min(size * at_hand);
            sum += (taken * price).div_ceil(*size);
            area -= taken;
        }
        if area == 0 { sum } else { u128::MAX / 2 }
    }
}

/// A dual feasible function, tabulated over the lengths that occur: values in units
/// of `whole`.
struct Measure {
    whole: u64,
    rule: Rule,
}

enum Rule {
    /// Sides shorter than this count nothing, those that leave less count as the whole.
    From(u64),
    /// Only how often the (k+1)th part of the whole goes into a side counts.
    Steps(u64),
}

impl Measure {
    fn of(&self, side: u64, length: u64) -> u64 {
        match self.rule {
            Rule::From(least) if side < least => 0,
            Rule::From(least) if side + least > length => length,
            Rule::From(_) => side,
            Rule::Steps(k) => {
                // In units of 1 / (k * length), so that a side that divides counts as itself.
                let parts = (k + 1) * side;
                if parts.is_multiple_of(length) { side * k } else { parts / length * length }
            }
        }
    }
}

fn measures(length: u64, sides: &[u64], most: usize) -> Vec<Measure> {
    let steps = (1..=4).map(|k| Measure { whole: k * length, rule: Rule::Steps(k) });
    let mut least: Vec<u64> = sides.iter().copied().filter(|side| 2 * side <= length).collect();
    // A side that just does not fit beside another counts as the whole.
    least.extend(
        sides
            .iter()
            .filter(|side| *side * 2 > length && **side < length)
            .map(|side| length - side + 1),
    );
    least.retain(|side| 2 * side <= length);
    least.push(0);
    least.sort_unstable();
    least.dedup();
    let every = least.len().div_ceil(most.max(1)).max(1);
    let from = least.into_iter().step_by(every);
    steps.chain(from.map(|least| Measure { whole: length, rule: Rule::From(least) })).collect()
}

fn transformed(sort: &Sort, kinds: &[PieceKind]) -> u64 {
    let mut sides: Vec<u64> = kinds.iter().flat_map(|kind| kind.size).map(u64::from).collect();
    sides.sort_unstable();
    sides.dedup();
    let most = (MOST_WORK / kinds.len().max(1)).isqrt();
    let [width, height] = sort.size.map(u64::from);
    let (over_width, over_height) = (measures(width, &sides, most), measures(height, &sides, most));
    let mut best = 0;
    for a in &over_width {
        for b in &over_height {
            let sum: u128 = kinds
                .iter()
                .map(|kind| {
                    let ways = kind
                        .ways()
                        .filter(|size| size[0] <= sort.size[0] && size[1] <= sort.size[1]);
                    let area = ways
                        .map(|[w, h]| {
                            u128::from(a.of(u64::from(w), width))
                                * u128::from(b.of(u64::from(h), height))
                        })
                        .min();
                    area.unwrap_or(0) * u128::from(kind.count)
                })
                .sum();
            best = best.max(sum.div_ceil(u128::from(a.whole) * u128::from(b.whole)));
        }
    }
    u64::try_from(best).unwrap_or(u64::MAX)
}
