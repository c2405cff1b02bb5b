//! From a problem to a plan.
//!
//! Some hundred rectangles are searched together. More are cut as patterns with
//! counts: a linear programme combines patterns (`patterns`), and beside it a batch in
//! proportion to what is wanted is planned, its sheets are cut as often as the batch is
//! contained, and what is left is a smaller problem. The emptiest sheet of a batch is not
//! repeated; its pieces join what is left. The cheaper of the two is taken.
//!
//! What consists of equal batches is planned as a whole and as some of its `batches`,
//! unless the bound says that a batch cannot be cheaper; the best is taken (`objective`). As
//! a batch is planned in the same way alone, all cost no more than it does so many times.

use std::time::Instant;

use crate::batches::Batch;
use crate::bound;
use crate::check;
use crate::effort::Effort;
use crate::error::Unplanned;
use crate::free;
use crate::items::{Item, items, times};
use crate::patterns;
use crate::plan::{Plan, Sheet};
use crate::problem::{Problem, Stages, Stock};
use crate::realize;
use crate::search::drive::Search;
use crate::search::model::{Model, PieceKind, Sort};
use crate::search::state::State;

/// The most steps for a batch whose sheets are only proposed.
const BATCH: u64 = 2_000_000;
/// The most steps for a layout for a router, and for the plan for a saw that it is to beat.
const FREE: u64 = 8_000_000;
/// What one unit of price weighs; any one search has fewer sheets.
const PER_PRICE: u64 = 1 << 13;

impl Problem {
    /// Plans how everything is cut.
    ///
    /// The same problem and effort give the same plan, always and everywhere, unless
    /// the effort's time limit ends it.
    ///
    /// # Errors
    /// [`Unplanned`] if the sheets at hand are too few.
    pub fn plan(&self, effort: &Effort) -> Result<Plan, Unplanned> {
        self.plan_while(effort, || true)
    }

    /// As [`plan`](Self::plan), and ends the search soon after `go_on` returns false:
    /// for callers that may give up, or that measure time in their own way.
    ///
    /// # Errors
    /// [`Unplanned`] if the sheets at hand are too few.
    pub fn plan_while(
        &self,
        effort: &Effort,
        mut go_on: impl FnMut() -> bool,
    ) -> Result<Plan, Unplanned> {
        let end = effort.time_limit.and_then(|limit| Instant::now().checked_add(limit));
        let mut goes_on = true;
        let mut go_on = || {
            goes_on = goes_on && go_on() && end.is_none_or(|end| Instant::now() < end);
            goes_on
        };
        let all = Batch {
            times: 1,
            counts: self.parts().iter().map(|part| u64::from(part.count)).collect(),
            at_hand: self.stock().iter().map(|stock| stock.at_hand).collect(),
        };
        let least = self.least(&all);
        let mut sheets = self.best(&all, least, effort, &mut go_on)?;
        self.gather(&mut sheets, effort, &mut go_on);
        Ok(self.written(sheets, least.0))
    }

    /// Plans all as a whole, and its equal batches besides; no plan is better than `least`.
    fn best(
        &self,
        all: &Batch,
        least: (u64, u64),
        effort: &Effort,
        go_on: &mut dyn FnMut() -> bool,
    ) -> Result<Vec<Sheet>, Unplanned> {
        let alone = |batch: &Batch, go_on: &mut dyn FnMut() -> bool| match self.saw().stages {
            Stages::Free => self.freely(batch, effort, go_on),
            _ => self.own(batch, effort, go_on),
        };
        let mut best = alone(all, go_on);
        for batch in all.smaller() {
            let cost = best.as_ref().ok().map(|sheets| self.cost(sheets));
            if cost.is_some_and(|cost| cost <= least) || !go_on() {
                break;
            }
            let (price, sheets) = self.least(&batch);
            let least = (price.saturating_mul(batch.times), sheets.saturating_mul(batch.times));
            if cost.is_some_and(|cost| cost <= least) {
                continue;
            }
            let Ok(mut sheets) = alone(&batch, go_on) else { continue };
            for sheet in &mut sheets {
                sheet.repeat *= batch.times;
            }
            if best.as_ref().map_or(true, |best| self.prefers(&sheets, best)) {
                best = Ok(sheets);
            }
        }
        best
    }

    /// Plans one batch for a saw, its own batches left aside: what it is part of is of no account.
    pub(crate) fn own(
        &self,
        batch: &Batch,
        effort: &Effort,
        go_on: &mut dyn FnMut() -> bool,
    ) -> Result<Vec<Sheet>, Unplanned> {
        let large = times(self, &batch.counts) > 1 || patterns::worthwhile(&batch.counts);
        let steps = effort.steps_for(batch.counts.iter().sum());
        let mut planner = Planner {
            left: if large { steps / 4 * 3 } else { steps },
            ..self.planner(batch, effort.seed, go_on)
        };
        if large { planner.large(steps) } else { planner.all() }
    }

    fn least(&self, batch: &Batch) -> (u64, u64) {
        self.planner(batch, 0, &mut || true).least()
    }

    fn planner<'a>(
        &'a self,
        batch: &Batch,
        seed: u64,
        go_on: &'a mut dyn FnMut() -> bool,
    ) -> Planner<'a> {
        Planner {
            problem: self,
            seed,
            left: 0,
            counts: batch.counts.clone(),
            at_hand: batch.at_hand.clone(),
            sheets: Vec::new(),
            go_on,
        }
    }

    /// Plans one batch for a saw, shortly; then for a router, if that may be cheaper; then for a saw with
    /// the whole effort, unless nothing can be cheaper. What costs the least is taken, that for
    /// a saw of equal ones.
    fn freely(
        &self,
        all: &Batch,
        effort: &Effort,
        go_on: &mut dyn FnMut() -> bool,
    ) -> Result<Vec<Sheet>, Unplanned> {
        let cost = |sheets: &Result<Vec<Sheet>, Unplanned>| {
            sheets.as_ref().map_or((u64::MAX, u64::MAX), |sheets| self.cost(sheets))
        };
        let share = (effort.steps / 8).min(FREE);
        let shortly = Effort { steps: share, ..*effort };
        let sawn = self.own(all, &shortly, go_on);
        let planner = self.planner(all, effort.seed, go_on);
        let (least, model) = (planner.least(), planner.model(&planner.pieces(), 1));
        if cost(&sawn) <= least {
            return sawn;
        }
        let mut steps = |steps| steps < share && (planner.go_on)();
        let range = (least, cost(&sawn));
        let free = free::plan(self, &model, range, effort.seed, &mut steps);
        if let Some(free) = &free
            && self.cost(free) <= least
        {
            return Ok(free.clone());
        }
        let longer = self.own(all, effort, go_on);
        // A short search has come further now and then.
        let sawn = if cost(&longer) <= cost(&sawn) { longer } else { sawn };
        match free {
            Some(free) if self.cost(&free) < cost(&sawn) => Ok(free),
            _ => sawn,
        }
    }

    fn written(&self, mut sheets: Vec<Sheet>, least_cost: u64) -> Plan {
        sheets.sort_by_key(|sheet| self.stock()[sheet.stock].area_mm2() - sheet.used_mm2());
        let (cost, _) = self.cost(&sheets);
        let plan = Plan { sheets, least_cost, cost };
        debug_assert_eq!(check::verify(self, &plan), Ok(()));
        plan
    }
}

struct Planner<'a> {
    problem: &'a Problem,
    seed: u64,
    /// Steps that are left.
    left: u64,
    /// Pieces of each part that are still to be planned.
    counts: Vec<u64>,
    at_hand: Vec<Option<u32>>,
    sheets: Vec<Sheet>,
    go_on: &'a mut dyn FnMut() -> bool,
}

impl Planner<'_> {
    /// Plans all that is left.
    fn all(&mut self) -> Result<Vec<Sheet>, Unplanned> {
        while self.counts.iter().any(|count| *count > 0) {
            self.step()?;
        }
        Ok(std::mem::take(&mut self.sheets))
    }

    /// Plans many pieces by patterns that complement each other, and by one batch after the
    /// other with what is left of `steps`; returns the cheaper.
    fn large(&mut self, steps: u64) -> Result<Vec<Sheet>, Unplanned> {
        let (counts, at_hand, most) = (self.counts.clone(), self.at_hand.clone(), self.left);
        self.mix();
        let mixed = if self.sheets.is_empty() { None } else { self.all().ok() };
        self.left = steps - (most - self.left);
        (self.counts, self.at_hand, self.sheets) = (counts, at_hand, Vec::new());
        let repeated = self.all();
        match (mixed, repeated) {
            (Some(mixed), Ok(repeated)) => {
                Ok(if self.problem.prefers(&repeated, &mixed) { repeated } else { mixed })
            }
            (Some(mixed), Err(_)) => Ok(mixed),
            (None, repeated) => repeated,
        }
    }

    /// Cuts patterns as often as the programme of all says; what is left are some sheets.
    fn mix(&mut self) {
        let takes = |part: usize| patterns::takes(self.problem, &self.problem.parts()[part]);
        let each = self.counts.iter().copied().enumerate();
        let each = each.filter(|(part, count)| *count > 0 && takes(*part));
        let items: Vec<Item> =
            each.map(|(part, count)| Item { part, columns: 1, rows: 1, count }).collect();
        let parts: Vec<usize> = items.iter().map(|item| item.part).collect();
        let model = self.model(&items, 1);
        let found = self.batch();
        let most = self.left / 8 * 7;
        let go_on = &mut |steps| steps < most && (self.go_on)();
        let mixed = patterns::mix(self.problem, &model, &parts, found, go_on);
        self.left = self.left.saturating_sub(mixed.steps);
        for sheet in mixed.sheets {
            for placement in sheet.placements() {
                self.counts[placement.part] -= sheet.repeat;
            }
            self.add(sheet);
        }
    }

    /// Sheets of a batch that is searched piece by piece: there are patterns among them that strips
    /// and stacks cannot be.
    fn batch(&mut self) -> Vec<Sheet> {
        let times = times(self.problem, &self.counts);
        let batch: Vec<u64> = self.counts.iter().map(|count| count / times).collect();
        let items = items(self.problem, &batch);
        let share = BATCH.min(self.left / 4);
        let rest = self.left - share;
        self.left = share;
        let (state, _) = self.search(&items, 1);
        self.left += rest;
        let panels = state.open_panels().filter(|panel| panel.pieces > 0);
        panels.map(|panel| realize::sheet(self.problem, &items, panel)).collect()
    }

    /// Plans a batch, as often as it is contained in what is left.
    fn step(&mut self) -> Result<(), Unplanned> {
        let times = times(self.problem, &self.counts);
        let last = times == 1;
        let batch: Vec<u64> = self.counts.iter().map(|count| count / times).collect();
        let items = items(self.problem, &batch);
        let (state, complete) = self.search(&items, times);
        if last && !complete {
            let left_over = state.out.iter().map(|kind| items[*kind as usize]);
            return Err(Unplanned::OutOfStock {
                missing: left_over.clone().map(|item| item.pieces()).sum(),
                first: left_over.map(|item| item.part).min().unwrap_or(0),
            });
        }
        let mut panels: Vec<_> = state.open_panels().filter(|panel| panel.pieces > 0).collect();
        panels.sort_by_key(|panel| panel.free);
        if !last && panels.len() > 1 {
            panels.pop();
        }
        if panels.is_empty() {
            // Sheets at hand are too few to be cut in equal numbers.
            let missing = self.counts.iter().sum();
            let first = self.counts.iter().position(|count| *count > 0).unwrap_or(0);
            return Err(Unplanned::OutOfStock { missing, first });
        }
        for panel in panels {
            let sheet = realize::sheet(self.problem, &items, panel);
            for placement in sheet.placements() {
                self.counts[placement.part] -= times;
            }
            if let Some(at_hand) = &mut self.at_hand[sheet.stock] {
                *at_hand -= u32::try_from(times).unwrap_or(u32::MAX);
            }
            self.add(Sheet { repeat: times, ..sheet });
        }
        Ok(())
    }

    /// Equal sheets are written once.
    fn add(&mut self, sheet: Sheet) {
        let same = |other: &&mut Sheet| other.stock == sheet.stock && other.root == sheet.root;
        match self.sheets.iter_mut().find(same) {
            Some(other) => other.repeat += sheet.repeat,
            None => self.sheets.push(sheet),
        }
    }

    /// Returns the best plan of `items`, each sheet of which can be cut `times` times, and
    /// whether it holds all of them.
    fn search(&mut self, items: &[Item], times: u64) -> (State, bool) {
        let model = self.model(items, times);
        let (price, sheets) = bound::least(&model, &self.prices());
        let bound = price.saturating_mul(PER_PRICE).saturating_add(sheets);
        // Half of the rest, so that what a batch leaves has its share too.
        let steps = if times == 1 { self.left } else { self.left / 2 };
        let mut search = Search::new(&model, self.seed);
        search.run(bound, |looks| looks < steps && (self.go_on)());
        self.left = self.left.saturating_sub(search.looks());
        search.finish()
    }

    fn least(&self) -> (u64, u64) {
        bound::least(&self.model(&self.pieces(), 1), &self.prices())
    }

    /// Every piece for itself.
    fn pieces(&self) -> Vec<Item> {
        let each = self.counts.iter().copied().enumerate();
        each.map(|(part, count)| Item { part, columns: 1, rows: 1, count }).collect()
    }

    fn prices(&self) -> Vec<u64> {
        self.problem.stock().iter().map(|stock| stock.price).collect()
    }

    fn model(&self, items: &[Item], times: u64) -> Model {
        let saw = self.problem.saw();
        let kind = |item: &Item| {
            let part = &self.problem.parts()[item.part];
            let count = u32::try_from(item.count).unwrap_or(u32::MAX);
            PieceKind { size: item.size(part, saw.kerf_mm), may_turn: part.may_turn, count }
        };
        let sort = |(stock, at_hand): (&Stock, &Option<u32>)| Sort {
            size: [stock.width_mm, stock.height_mm]
                .map(|side| side - 2 * saw.trim_mm + saw.kerf_mm),
            weight: stock.price * PER_PRICE + 1,
            at_hand: at_hand.map_or(u32::MAX, |n| u32::try_from(u64::from(n) / times).unwrap_or(n)),
        };
        Model {
            kinds: items.iter().map(kind).collect(),
            stock: self.problem.stock().iter().zip(&self.at_hand).map(sort).collect(),
            stages: saw.stages.limit(),
        }
    }
}
