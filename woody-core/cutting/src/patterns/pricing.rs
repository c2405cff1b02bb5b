//! The pattern of most value on a sheet, pieces having a value each: knapsacks over
//! lengths (Gilmore and Gomory 1965), for strips and for stacks in strips.

use crate::patterns::pattern::{Lying, Pattern};
use crate::search::model::Model;

/// Sides are counted in at most so many cells, pieces rounded up.
const CELLS: u32 = 4_096;
const NOTHING: u32 = u32::MAX;

/// What goes into a length, any number of each: the best value of each length, and what comes last in it.
struct Knapsack {
    value: Vec<f64>,
    last: Vec<u32>,
}

impl Knapsack {
    fn new(cells: usize, work: &mut u64) -> Self {
        *work += cells as u64;
        Self { value: vec![0.0; cells + 1], last: vec![NOTHING; cells + 1] }
    }

    fn offer(&mut self, size: usize, value: f64, name: u32) {
        for end in size..self.value.len() {
            let with = self.value[end - size] + value;
            if with > self.value[end] {
                (self.value[end], self.last[end]) = (with, name);
            }
        }
    }

    /// What the best of `length` is made of.
    fn chosen(&self, length: usize, size: impl Fn(u32) -> usize) -> Vec<u32> {
        let (mut at, mut chosen) = (length, Vec::new());
        while self.last[at] != NOTHING {
            chosen.push(self.last[at]);
            at -= size(self.last[at]);
        }
        chosen
    }

    fn all(&self) -> f64 {
        self.value.last().copied().unwrap_or(0.0)
    }
}

/// A piece as it may lie, in cells along the strips' axis and across it.
#[derive(Clone, Copy)]
struct Item {
    lying: Lying,
    along: usize,
    across: usize,
    value: f64,
}

pub(crate) struct Pricer<'a> {
    pub(crate) model: &'a Model,
    /// Cells that were looked at.
    pub(crate) work: u64,
}

impl Pricer<'_> {
    /// How many cells stacks on all of these sizes may take, at most.
    pub(crate) fn cells(&self, stock: &[usize]) -> usize {
        let ways = 2 * self.model.kinds.len();
        let sides = stock.iter().flat_map(|stock| self.model.stock[*stock].size);
        sides.map(|side| ways * ways * side.min(CELLS) as usize).sum()
    }

    /// Returns the best pattern on a sheet of `stock` whose strips lie along `axis`;
    /// `stacks` puts several pieces one after the other across a strip.
    pub(crate) fn best(
        &mut self,
        stock: usize,
        axis: usize,
        values: &[f64],
        stacks: bool,
    ) -> Option<Pattern> {
        let size = self.model.stock[stock].size;
        let unit = size.map(|side| side.div_ceil(CELLS).max(1));
        let cells = [axis, 1 - axis].map(|axis| (size[axis] / unit[axis]) as usize);
        let mut items = Vec::new();
        for (kind, (wanted, value)) in self.model.kinds.iter().zip(values).enumerate() {
            if *value <= 0.0 {
                continue;
            }
            for size in wanted.ways() {
                let along = size[axis].div_ceil(unit[axis]) as usize;
                let across = size[1 - axis].div_ceil(unit[1 - axis]) as usize;
                if along <= cells[0] && across <= cells[1] {
                    items.push(Item { lying: Lying { kind, size }, along, across, value: *value });
                }
            }
        }
        if items.is_empty() {
            return None;
        }
        let sheet = Priced { axis, stock, cells, items };
        let pattern =
            if stacks { sheet.stacks(&mut self.work) } else { sheet.strips(&mut self.work) };
        Some(pattern)
    }
}

struct Priced {
    axis: usize,
    stock: usize,
    /// Along the strips' axis and across it.
    cells: [usize; 2],
    items: Vec<Item>,
}

impl Priced {
    /// A strip is as wide as its widest piece, and holds one piece after the other.
    fn strips(mut self, work: &mut u64) -> Pattern {
        self.items.sort_by_key(|item| (item.along, item.across, item.lying.kind));
        let [along, across] = self.cells;
        let (mut strip, mut whole) = (Knapsack::new(across, work), Knapsack::new(along, work));
        for (index, item) in (0_u32..).zip(&self.items) {
            strip.offer(item.across, item.value, index);
            let next = self.items.get(index as usize + 1);
            if next.is_none_or(|next| next.along > item.along) {
                whole.offer(item.along, strip.all(), index);
                *work += along as u64;
            }
            *work += across as u64;
        }
        let widest = whole.chosen(along, |index| self.items[index as usize].along);
        let mut known: Vec<(u32, Vec<Vec<Lying>>)> = Vec::new();
        let mut write = |index: u32| {
            if let Some((_, strip)) = known.iter().find(|(known, _)| *known == index) {
                return strip.clone();
            }
            let mut strip = Knapsack::new(across, work);
            for (index, item) in (0_u32..=index).zip(&self.items) {
                strip.offer(item.across, item.value, index);
                *work += across as u64;
            }
            let chosen = strip.chosen(across, |index| self.items[index as usize].across);
            let stacks = chosen.into_iter().map(|index| vec![self.items[index as usize].lying]);
            let stacks: Vec<Vec<Lying>> = stacks.collect();
            known.push((index, stacks.clone()));
            stacks
        };
        let strips = widest.into_iter().map(&mut write).collect();
        Pattern { stock: self.stock, axis: self.axis, strips }
    }

    /// A strip is as wide as some piece, and holds stacks of pieces; a stack is as broad
    /// as its broadest piece.
    fn stacks(mut self, work: &mut u64) -> Pattern {
        self.items.sort_by_key(|item| (item.across, item.along, item.lying.kind));
        let [along, across] = self.cells;
        let mut broad: Vec<usize> = self.items.iter().map(|item| item.across).collect();
        broad.dedup();
        let mut wide: Vec<usize> = self.items.iter().map(|item| item.along).collect();
        wide.sort_unstable();
        wide.dedup();
        // The best stack of each breadth and each length.
        let mut stack = Knapsack::new(along, work);
        let mut stacks: Vec<Vec<f64>> = Vec::with_capacity(broad.len());
        for breadth in &broad {
            for (index, item) in (0_u32..).zip(&self.items) {
                if item.across == *breadth {
                    stack.offer(item.along, item.value, index);
                    *work += along as u64;
                }
            }
            stacks.push(stack.value.clone());
            *work += along as u64;
        }
        let fill = |width: usize, work: &mut u64| {
            let (mut strip, mut before) = (Knapsack::new(across, work), 0.0);
            for (index, breadth) in (0_u32..).zip(&broad) {
                let value = stacks[index as usize][width];
                if value > before {
                    strip.offer(*breadth, value, index);
                    *work += across as u64;
                    before = value;
                }
            }
            strip
        };
        let mut whole = Knapsack::new(along, work);
        for (index, width) in (0_u32..).zip(&wide) {
            let strip = fill(*width, work);
            whole.offer(*width, strip.all(), index);
            *work += along as u64;
        }
        let mut known: Vec<(u32, Vec<Vec<Lying>>)> = Vec::new();
        let mut write = |index: u32| {
            if let Some((_, strip)) = known.iter().find(|(known, _)| *known == index) {
                return strip.clone();
            }
            let width = wide[index as usize];
            let chosen = fill(width, work).chosen(across, |index| broad[index as usize]);
            let stacks = chosen.into_iter().map(|index| {
                let mut stack = Knapsack::new(width, work);
                let breadth = broad[index as usize];
                for (index, item) in (0_u32..).zip(&self.items) {
                    if item.across <= breadth {
                        stack.offer(item.along, item.value, index);
                        *work += width as u64;
                    }
                }
                let pieces = stack.chosen(width, |index| self.items[index as usize].along);
                pieces.into_iter().map(|index| self.items[index as usize].lying).collect()
            });
            let stacks: Vec<Vec<Lying>> = stacks.collect();
            known.push((index, stacks.clone()));
            stacks
        };
        let strips =
            whole.chosen(along, |index| wide[index as usize]).into_iter().map(&mut write).collect();
        Pattern { stock: self.stock, axis: self.axis, strips }
    }
}
