//! Layouts for a router table, which no saw needs to be able to cut.
//!
//! Sheets are filled one after the other, by maximal rectangles and the best fit of the
//! shorter side, with the pieces in one order after the other and with each size in stock
//! before the others. A sheet is cut as often as what is wanted contains it, so that a
//! thousand toys take little longer than ten.

mod rects;

use std::cmp::Reverse;

use crate::geometry::Rect;
use crate::plan::{FreeForm, Node, Placement, Sheet};
use crate::problem::Problem;
use crate::search::model::{Model, PieceKind, Sort};
use crate::search::rng::Rng;
use rects::{FreeWood, Wood};

/// So many pieces that a sheet may have are put in order one by one; of more, all of a part
/// follow each other.
const ONE_BY_ONE: u64 = 300;
/// After so many pieces the caller is asked whether to go on.
const ASK: u32 = 64;

/// Price, then number of sheets.
type Cost = (u64, u64);

/// A piece's part and place, the kerf included.
type Place = (usize, Wood);

#[derive(Debug)]
struct Filled {
    stock: usize,
    repeat: u32,
    places: Vec<Place>,
}

/// Returns the cheapest plan that costs less than `most`, if one is found before `go_on`, which
/// is told the steps so far, says no. The kinds of the model are the parts of the problem.
pub(crate) fn plan(
    problem: &Problem,
    model: &Model,
    (least, most): (Cost, Cost),
    seed: u64,
    go_on: &mut dyn FnMut(u64) -> bool,
) -> Option<Vec<Sheet>> {
    let prices = problem.stock().iter().map(|stock| stock.price).collect();
    let mut packer = Packer { model, prices, most, steps: 0, placed: 0, go_on };
    let mut orders = Orders::of(model, seed);
    let mut best = None;
    while packer.most > least {
        let order = orders.next();
        for first in 0..model.stock.len() {
            match packer.pack(&order, first) {
                Packed::Whole(sheets, cost) => {
                    packer.most = cost;
                    best = Some(sheets);
                }
                Packed::Dearer => {}
                Packed::GivenUp => return Some(written(problem, model, &best?)),
            }
        }
    }
    Some(written(problem, model, &best?))
}

/// Some pieces of one part, in the order in which they are placed.
#[derive(Debug, Clone, Copy)]
struct Entry {
    kind: usize,
    /// How many of them at most.
    most: u32,
    /// How they lie if there is any room for it; otherwise, and without it, as they fit best.
    way: Option<usize>,
}

/// Large pieces first in several senses, then the same with changes at random.
struct Orders {
    sorted: Vec<Vec<Entry>>,
    given: usize,
    rng: Rng,
}

impl Orders {
    fn of(model: &Model, seed: u64) -> Self {
        let keys: [fn(&PieceKind) -> u64; 5] = [
            PieceKind::area,
            |kind| u64::from(kind.size[0].max(kind.size[1])),
            |kind| u64::from(kind.size[0].min(kind.size[1])),
            |kind| u64::from(kind.size[0]),
            |kind| u64::from(kind.size[1]),
        ];
        let sheet = model.stock.iter().map(Sort::area).max().unwrap_or(1);
        let on_a_sheet = |kind: &PieceKind| u64::from(kind.count).min((sheet / kind.area()).max(1));
        let one_by_one = model.kinds.iter().map(on_a_sheet).sum::<u64>() <= ONE_BY_ONE;
        let sorted = keys.iter().map(|key| {
            let mut kinds: Vec<usize> = (0..model.kinds.len()).collect();
            kinds.sort_by_key(|kind| (Reverse(key(&model.kinds[*kind])), *kind));
            let entries = kinds.into_iter().flat_map(|kind| {
                let all = usize::try_from(on_a_sheet(&model.kinds[kind])).unwrap_or(1);
                let (times, most) = if one_by_one { (all, 1) } else { (1, u32::MAX) };
                std::iter::repeat_n(Entry { kind, most, way: None }, times)
            });
            entries.collect()
        });
        Self { sorted: sorted.collect(), given: 0, rng: Rng::new(seed) }
    }

    fn next(&mut self) -> Vec<Entry> {
        let mut order = self.sorted[self.given % self.sorted.len()].clone();
        if self.given >= self.sorted.len() {
            for entry in &mut order {
                entry.way = Some(self.rng.below(4)).filter(|way| *way < 2);
            }
            // A few at first, more and more later on.
            for _ in 0..self.rng.below((self.given / 4).min(order.len())) {
                let (a, b) = (self.rng.below(order.len()), self.rng.below(order.len()));
                order.swap(a, b);
            }
        }
        self.given += 1;
        order
    }
}

enum Packed {
    Whole(Vec<Filled>, Cost),
    /// It costs too much, or the sheets at hand do not take all.
    Dearer,
    GivenUp,
}

struct Packer<'a> {
    model: &'a Model,
    prices: Vec<u64>,
    /// A plan must cost less.
    most: Cost,
    steps: u64,
    placed: u32,
    go_on: &'a mut dyn FnMut(u64) -> bool,
}

impl Packer<'_> {
    fn pack(&mut self, order: &[Entry], first: usize) -> Packed {
        self.steps += 1;
        if !(self.go_on)(self.steps) {
            return Packed::GivenUp;
        }
        let mut wanted: Vec<u32> = self.model.kinds.iter().map(|kind| kind.count).collect();
        let mut at_hand: Vec<u32> = self.model.stock.iter().map(|sort| sort.at_hand).collect();
        let mut sheets = Vec::new();
        let mut cost: Cost = (0, 0);
        while let Some(next) = order.iter().find(|entry| wanted[entry.kind] > 0) {
            let Some(stock) = self.sort_for(next.kind, first, &at_hand) else {
                return Packed::Dearer;
            };
            let Some(filled) = self.fill(order, stock, &wanted) else { return Packed::GivenUp };
            let Some(mut filled) = self.shrunk(filled, order, &at_hand) else {
                return Packed::GivenUp;
            };
            let used = counts(&filled.places, wanted.len());
            let each = used.iter().zip(&wanted).filter(|(used, _)| **used > 0);
            let times = each.map(|(used, wanted)| wanted / used).min().unwrap_or(1);
            filled.repeat = times.min(at_hand[filled.stock]).max(1);
            for (wanted, used) in wanted.iter_mut().zip(&used) {
                *wanted -= used * filled.repeat;
            }
            if at_hand[filled.stock] != u32::MAX {
                at_hand[filled.stock] -= filled.repeat;
            }
            let repeat = u64::from(filled.repeat);
            cost = (cost.0 + repeat * self.prices[filled.stock], cost.1 + repeat);
            if cost >= self.most {
                return Packed::Dearer;
            }
            sheets.push(filled);
        }
        Packed::Whole(sheets, cost)
    }

    /// `first`, if there is one and the piece fits; otherwise of the others the cheapest by area.
    fn sort_for(&self, kind: usize, first: usize, at_hand: &[u32]) -> Option<usize> {
        let fits = |sort: &usize| {
            at_hand[*sort] > 0 && self.model.kinds[kind].fits(self.model.stock[*sort].size)
        };
        let by_area = |a: &usize, b: &usize| {
            let price = |sort: &usize| u128::from(self.prices[*sort]);
            let area = |sort: &usize| u128::from(Sort::area(&self.model.stock[*sort]));
            (price(a) * area(b)).cmp(&(price(b) * area(a)))
        };
        let all = (0..self.model.stock.len()).filter(fits);
        if fits(&first) { Some(first) } else { all.min_by(by_area) }
    }

    /// Returns what goes on a sheet of this size, or nothing if the caller gives up.
    fn fill(&mut self, order: &[Entry], stock: usize, wanted: &[u32]) -> Option<Filled> {
        let mut free = FreeWood::new(self.model.stock[stock].size);
        let mut left = wanted.to_vec();
        let mut places = Vec::new();
        for &Entry { kind, most, way } in order {
            let mut taken = 0;
            while taken < most && left[kind] > 0 {
                self.placed += 1;
                if self.placed.is_multiple_of(ASK) && !(self.go_on)(self.steps + free.looks) {
                    return None;
                }
                let ways = || self.model.kinds[kind].ways();
                let wished = way.and_then(|way| free.best(ways().skip(way).take(1)));
                let Some(wood) = wished.or_else(|| free.best(ways())) else { break };
                free.take(&wood);
                places.push((kind, wood));
                left[kind] -= 1;
                taken += 1;
            }
        }
        self.steps += free.looks;
        Some(Filled { stock, repeat: 1, places })
    }

    /// The same pieces on the cheapest sheet that takes them.
    fn shrunk(&mut self, filled: Filled, order: &[Entry], at_hand: &[u32]) -> Option<Filled> {
        let used = counts(&filled.places, self.model.kinds.len());
        let area: u64 = filled.places.iter().map(|(kind, _)| self.model.kinds[*kind].area()).sum();
        let mut cheaper: Vec<usize> = (0..self.model.stock.len())
            .filter(|sort| self.prices[*sort] < self.prices[filled.stock] && at_hand[*sort] > 0)
            .filter(|sort| self.model.stock[*sort].area() >= area)
            .collect();
        cheaper.sort_by_key(|sort| self.prices[*sort]);
        for stock in cheaper {
            let other = self.fill(order, stock, &used)?;
            if other.places.len() == filled.places.len() {
                return Some(other);
            }
        }
        Some(filled)
    }
}

fn counts(places: &[Place], kinds: usize) -> Vec<u32> {
    let mut counts = vec![0; kinds];
    for (kind, _) in places {
        counts[*kind] += 1;
    }
    counts
}

fn written(problem: &Problem, model: &Model, sheets: &[Filled]) -> Vec<Sheet> {
    sheets.iter().map(|filled| sheet(problem, model, filled)).collect()
}

/// Writes a sheet down in millimetres, without the kerf.
fn sheet(problem: &Problem, model: &Model, filled: &Filled) -> Sheet {
    let saw = problem.saw();
    let rect = |wood: &Wood| Rect {
        x_mm: wood.at[0] + saw.trim_mm,
        y_mm: wood.at[1] + saw.trim_mm,
        width_mm: wood.size[0] - saw.kerf_mm,
        height_mm: wood.size[1] - saw.kerf_mm,
    };
    let size = model.stock[filled.stock].size;
    let mut free = FreeWood::new(size);
    let mut placements = Vec::with_capacity(filled.places.len());
    for (part, wood) in &filled.places {
        free.take(wood);
        let turned = wood.size != model.kinds[*part].size;
        placements.push(Placement { part: *part, turned, rect: rect(wood) });
    }
    let least = saw.least_offcut_mm.max(1).saturating_add(saw.kerf_mm);
    let offcuts = std::iter::from_fn(|| free.take_largest(least)).map(|wood| rect(&wood));
    let offcuts = offcuts.collect();
    let root = Node::Free(FreeForm { rect: rect(&Wood { at: [0; 2], size }), placements, offcuts });
    Sheet { stock: filled.stock, repeat: u64::from(filled.repeat), root }
}
