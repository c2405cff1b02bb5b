//! Large quantities as patterns with counts: a cutting stock problem.
//!
//! A linear programme says how often each pattern is cut at the least cost, in fractions;
//! from what a piece of each kind is worth to it follows which pattern it lacks, until it
//! lacks none (column generation, Gilmore and Gomory 1965). Whole numbers of each are
//! cut; what they leave is a few sheets, which are searched piece by piece.

mod pattern;
mod pricing;
mod simplex;

use crate::plan::Sheet;
use crate::problem::{Part, Problem};
use crate::search::model::{Model, Sort};

use pattern::Pattern;
use pricing::Pricer;
use simplex::{Column, Name, Simplex};

/// Fewer pieces are better searched one by one.
const LEAST_PIECES: u64 = 150;
/// So many of each kind there must be, in the mean.
const LEAST_OF_EACH: u64 = 6;
/// More kinds than this would take more time than they save.
const MOST_KINDS: usize = 300;
/// Kinds times sizes of sheet, likewise.
const MOST_WAYS: usize = 500;
/// Cells that one round may take for stacks: the search is asked between rounds whether to go on.
const MOST_CELLS: usize = 100_000_000;
/// Sheets that hold more of the smallest piece are left to blocks.
const MOST_PER_SHEET: u64 = 5_000;
/// Pieces that are left to be searched one by one, besides those of fractions.
const MOST_SPARED: u64 = 100;
/// How often a pattern is looked for that has no more of anything than is wanted.
const TRIES: usize = 6;
/// Rounds after which rounding errors are cleared away.
const FRESH: u64 = 50;
/// How many cells of a knapsack, or numbers of the programme, are worth a step.
const PER_STEP: u64 = 16;

/// Whether there are so many of each that patterns will be cut several times.
pub(crate) fn worthwhile(counts: &[u64]) -> bool {
    let pieces: u64 = counts.iter().sum();
    let kinds = counts.iter().filter(|count| **count > 0).count() as u64;
    pieces >= LEAST_PIECES && pieces >= LEAST_OF_EACH * kinds
}

/// Whether pieces of this part go into patterns: they fit a size of which there is any number, and are not tiny.
pub(crate) fn takes(problem: &Problem, part: &Part) -> bool {
    let rooms = problem.rooms().zip(problem.stock()).filter(|(_, stock)| stock.at_hand.is_none());
    let fitting = rooms.filter(|([w, h], _)| part.fits(*w, *h));
    let largest = fitting.map(|(_, stock)| stock.area_mm2()).max();
    largest.is_some_and(|largest| largest / part.area_mm2() <= MOST_PER_SHEET)
}

/// Sheets, each with how often it is cut, and the steps that they took.
#[derive(Default)]
pub(crate) struct Mix {
    pub(crate) sheets: Vec<Sheet>,
    pub(crate) steps: u64,
}

/// Returns sheets that cut no more than is wanted; what they lack is left. Kind `k` of the model is
/// part `parts[k]`; `found` are sheets that may be cut too.
pub(crate) fn mix(
    problem: &Problem,
    model: &Model,
    parts: &[usize],
    found: Vec<Sheet>,
    go_on: &mut dyn FnMut(u64) -> bool,
) -> Mix {
    let unlimited = |sort: &Sort| sort.at_hand == u32::MAX;
    let stock: Vec<usize> =
        (0..model.stock.len()).filter(|i| unlimited(&model.stock[*i])).collect();
    let kinds = model.kinds.len();
    if kinds == 0 || kinds > MOST_KINDS || kinds * stock.len() > MOST_WAYS {
        return Mix::default();
    }
    let mut mixing = Mixing {
        problem,
        model,
        parts,
        stock,
        pricer: Pricer { model, work: 0 },
        sheets: Vec::new(),
        columns: Vec::new(),
        wanted: model.kinds.iter().map(|kind| u64::from(kind.count)).collect(),
    };
    let times = mixing.programme(found, go_on).unwrap_or_default();
    let steps = mixing.pricer.work / PER_STEP;
    Mix { sheets: mixing.whole(times), steps }
}

struct Mixing<'a> {
    problem: &'a Problem,
    model: &'a Model,
    parts: &'a [usize],
    /// Sizes of which there is any number.
    stock: Vec<usize>,
    pricer: Pricer<'a>,
    sheets: Vec<Sheet>,
    columns: Vec<Column>,
    wanted: Vec<u64>,
}

#[expect(clippy::cast_precision_loss, reason = "counts and prices are far below 2^52")]
impl Mixing<'_> {
    /// Solves the programme; returns how often each pattern is cut.
    fn programme(
        &mut self,
        found: Vec<Sheet>,
        go_on: &mut dyn FnMut(u64) -> bool,
    ) -> Option<Vec<(usize, f64)>> {
        self.one_kind_each()?;
        for mut sheet in found {
            sheet.leave_out(&mut |part| self.parts.binary_search(&part).is_err());
            if self.stock.contains(&sheet.stock) {
                self.add(sheet);
            }
        }
        let wanted: Vec<f64> = self.wanted.iter().map(|n| *n as f64).collect();
        let mut simplex = Simplex::new(&self.columns, &wanted);
        let rows = wanted.len();
        let (mut least, mut since, mut round) = (f64::INFINITY, 0, 0_u64);
        while go_on(self.pricer.work / PER_STEP) {
            round += 1;
            if round.is_multiple_of(FRESH) {
                self.pricer.work += (rows * rows * rows) as u64;
                if simplex.refresh(&self.columns, &wanted).is_none() {
                    break;
                }
            }
            self.pricer.work += (rows * rows + rows * self.columns.len()) as u64;
            let values = simplex.values();
            if let Some(kind) = values.iter().position(|value| *value < -1e-4) {
                let mut counts = vec![0.0; rows];
                counts[kind] = -1.0;
                if simplex.enter(Name::Surplus(kind), 0.0, &counts).is_none() {
                    break;
                }
                continue;
            }
            // Without progress for long it goes round in circles.
            let cost: f64 = wanted.iter().zip(&values).map(|(n, value)| n * value).sum();
            since = if cost < least * (1.0 - 1e-9) { 0 } else { since + 1 };
            least = least.min(cost);
            if since > 4 * rows + 20 {
                break;
            }
            let best = self.best_from(0, &values);
            let best = best.or_else(|| self.generate(&values, false, go_on));
            let best = best.or_else(|| {
                let stacks = self.model.stages.is_none_or(|stages| stages > 2)
                    && self.pricer.cells(&self.stock) <= MOST_CELLS;
                stacks.then(|| self.generate(&values, true, go_on)).flatten()
            });
            let Some(best) = best else { break };
            let column = &self.columns[best];
            if simplex.enter(Name::Column(best), column.cost, &column.counts).is_none() {
                break;
            }
        }
        let each = simplex.basis.iter().zip(&simplex.times);
        let each = each.filter_map(|(name, times)| match name {
            Name::Column(index) => Some((*index, *times)),
            Name::Surplus(_) => None,
        });
        Some(each.collect())
    }

    /// For each kind the pattern that has nothing else and costs the least a piece.
    fn one_kind_each(&mut self) -> Option<()> {
        for kind in 0..self.wanted.len() {
            let mut values = vec![0.0; self.wanted.len()];
            values[kind] = 1.0;
            let mut best: Option<(f64, Pattern)> = None;
            for (stock, axis) in self.ways() {
                let Some(pattern) = self.price(stock, axis, &values, false) else { continue };
                let pieces = pattern.counts(self.wanted.len())[kind] as f64;
                let cost = self.model.stock[stock].weight as f64 / pieces;
                if best.as_ref().is_none_or(|(least, _)| cost < *least) {
                    best = Some((cost, pattern));
                }
            }
            self.add_pattern(&best?.1);
        }
        Some(())
    }

    fn ways(&self) -> Vec<(usize, usize)> {
        self.stock.iter().flat_map(|stock| [(*stock, 0), (*stock, 1)]).collect()
    }

    /// The pattern of most value, without pieces beyond what is wanted.
    fn price(
        &mut self,
        stock: usize,
        axis: usize,
        values: &[f64],
        stacks: bool,
    ) -> Option<Pattern> {
        let mut best: Option<(f64, Pattern)> = None;
        let mut values_now = values.to_vec();
        for _ in 0..TRIES {
            let mut pattern = self.pricer.best(stock, axis, &values_now, stacks)?;
            let counts = pattern.counts(values.len());
            pattern.trim(&self.wanted);
            let worth: f64 =
                pattern.counts(values.len()).iter().zip(values).map(|(n, v)| *n as f64 * v).sum();
            if best.as_ref().is_none_or(|(most, _)| worth > *most) {
                best = Some((worth, pattern));
            }
            // The knapsacks know no numbers: what there was too much of is made cheaper.
            let mut again = false;
            for ((value, n), wanted) in values_now.iter_mut().zip(counts).zip(&self.wanted) {
                if n > *wanted {
                    (*value, again) = (*value * 0.6, true);
                }
            }
            if !again {
                break;
            }
        }
        best.map(|(_, pattern)| pattern).filter(|pattern| !pattern.strips.is_empty())
    }

    fn add_pattern(&mut self, pattern: &Pattern) {
        let size = self.model.stock[pattern.stock].size;
        self.add(pattern.sheet(self.problem, self.parts, size));
    }

    fn add(&mut self, sheet: Sheet) {
        let counts = self.counts(&sheet).into_iter().map(|n| n as f64).collect();
        let cost = self.model.stock[sheet.stock].weight as f64;
        self.columns.push(Column { cost, counts });
        self.sheets.push(sheet);
    }

    /// How many pieces of each kind a sheet has.
    fn counts(&self, sheet: &Sheet) -> Vec<u64> {
        let mut counts = vec![0; self.parts.len()];
        for piece in sheet.placements() {
            if let Ok(kind) = self.parts.binary_search(&piece.part) {
                counts[kind] += 1;
            }
        }
        counts
    }

    /// The column that gains the most, of those from `from` on.
    fn best_from(&self, from: usize, values: &[f64]) -> Option<usize> {
        let mut best: Option<(usize, f64)> = None;
        for (index, column) in self.columns.iter().enumerate().skip(from) {
            if let Some(gain) = Simplex::gain(column, values)
                && best.is_none_or(|(_, most)| gain > most)
            {
                best = Some((index, gain));
            }
        }
        best.map(|(index, _)| index)
    }

    /// Adds patterns that the programme lacks while it may; returns the best of them.
    fn generate(
        &mut self,
        values: &[f64],
        stacks: bool,
        go_on: &mut dyn FnMut(u64) -> bool,
    ) -> Option<usize> {
        let before = self.columns.len();
        for (stock, axis) in self.ways() {
            if !go_on(self.pricer.work / PER_STEP) {
                break;
            }
            if let Some(pattern) = self.price(stock, axis, values, stacks) {
                self.add_pattern(&pattern);
                if let Some(last) = self.columns.last()
                    && Simplex::gain(last, values).is_none()
                {
                    self.columns.pop();
                    self.sheets.pop();
                }
            }
        }
        self.best_from(before, values)
    }

    /// Whole numbers of patterns, rounded down, that cut no more than is wanted.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "rounded down")]
    fn whole(&self, mut times: Vec<(usize, f64)>) -> Vec<Sheet> {
        times.sort_by(|a, b| b.1.total_cmp(&a.1));
        let mut left = self.wanted.clone();
        let mut whole = Vec::new();
        // Pieces of one more sheet of each pattern: what is left fits together the better.
        let counts = |index: &usize| self.counts(&self.sheets[*index]);
        let all: u64 = times.iter().flat_map(|(index, _)| counts(index)).sum();
        let spared = if all <= MOST_SPARED { 1.0 } else { 0.0 };
        for (index, times) in times {
            let times = times - spared;
            let mut sheet = self.sheets[index].clone();
            let mut times = (times + 1e-6) as u64;
            // Where it has more of a kind than is left, the rest is cut without.
            while times > 0 {
                let counts = self.counts(&sheet);
                let each = counts.iter().zip(&left).filter(|(n, _)| **n > 0);
                let Some(most) = each.map(|(n, left)| left / n).min() else { break };
                if most == 0 {
                    let mut left = left.clone();
                    sheet.leave_out(&mut |part| match self.parts.binary_search(&part) {
                        Ok(kind) if left[kind] > 0 => {
                            left[kind] -= 1;
                            false
                        }
                        _ => true,
                    });
                    continue;
                }
                let most = most.min(times);
                for (left, n) in left.iter_mut().zip(&counts) {
                    *left -= n * most;
                }
                times -= most;
                whole.push(Sheet { repeat: most, ..sheet.clone() });
            }
        }
        whole
    }
}
