//! From a problem to a plan.
//!
//! Up to some hundred pieces are searched together. More are cut as patterns with
//! counts: a batch in proportion to what is wanted is planned, its sheets are cut as
//! often as the batch is contained, and what is left is a smaller problem. The
//! emptiest sheet of a batch is not repeated; its pieces join what is left.

use std::time::Instant;

use crate::bound;
use crate::check;
use crate::effort::Effort;
use crate::error::Unplanned;
use crate::plan::{Plan, Sheet};
use crate::problem::{Problem, Stock};
use crate::realize;
use crate::search::drive::Search;
use crate::search::model::{Kind, Model, Sort};
use crate::search::state::State;

/// The most pieces that are searched together, while parts are few enough.
const TOGETHER: u64 = 300;
/// Beyond the sheets of any one search: what one unit of price weighs.
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
        let mut planner = Planner {
            problem: self,
            seed: effort.seed,
            left: effort.steps,
            sheets: Vec::new(),
            go_on: &mut || go_on() && end.is_none_or(|end| Instant::now() < end),
        };
        let counts: Vec<u64> = self.parts().iter().map(|part| u64::from(part.count)).collect();
        let at_hand = self.stock().iter().map(|stock| stock.at_hand.unwrap_or(u32::MAX)).collect();
        planner.plan(counts.clone(), at_hand)?;
        let sheets = planner.sheets;
        let each = |sheet: &Sheet| sheet.repeat * self.stock()[sheet.stock].price;
        let cost = sheets.iter().map(each).sum();
        let prices: Vec<u64> = self.stock().iter().map(|stock| stock.price).collect();
        let (least_cost, _) =
            bound::least(&self.model(&counts, |_, at_hand| at_hand), &prices, &counts);
        let plan = Plan { sheets, least_cost, cost };
        debug_assert_eq!(check::verify(self, &plan), Ok(()));
        Ok(plan)
    }

    fn model(&self, counts: &[u64], at_hand: impl Fn(usize, u32) -> u32) -> Model {
        let saw = self.saw();
        let grown = |w, h| [w + saw.kerf_mm, h + saw.kerf_mm];
        let kind = |(part, count): (&crate::Part, &u64)| Kind {
            size: grown(part.width_mm, part.height_mm),
            may_turn: part.may_turn,
            count: u32::try_from(*count).unwrap_or(u32::MAX),
        };
        let sort = |(index, stock): (usize, &Stock)| Sort {
            size: grown(stock.width_mm - 2 * saw.trim_mm, stock.height_mm - 2 * saw.trim_mm),
            weight: stock.price * PER_PRICE + 1,
            at_hand: at_hand(index, stock.at_hand.unwrap_or(u32::MAX)),
        };
        Model {
            kinds: self.parts().iter().zip(counts).map(kind).collect(),
            stock: self.stock().iter().enumerate().map(sort).collect(),
            stages: saw.stages.limit(),
        }
    }
}

struct Planner<'a> {
    problem: &'a Problem,
    seed: u64,
    /// Steps that are left.
    left: u64,
    sheets: Vec<Sheet>,
    go_on: &'a mut dyn FnMut() -> bool,
}

impl Planner<'_> {
    fn plan(&mut self, mut counts: Vec<u64>, mut at_hand: Vec<u32>) -> Result<(), Unplanned> {
        loop {
            let times = times(&counts);
            let last = times == 1;
            let batch: Vec<u64> = counts.iter().map(|count| count / times).collect();
            let share = if last { self.left } else { self.left / 2 };
            let each = u32::try_from(times).unwrap_or(u32::MAX);
            let (state, complete) = self.search(
                &batch,
                |index| match at_hand[index] {
                    u32::MAX => u32::MAX,
                    some => some / each,
                },
                share,
            );
            let mut panels: Vec<_> = state.open_panels().filter(|panel| panel.pieces > 0).collect();
            panels.sort_by_key(|panel| panel.free);
            if last && !complete {
                let missing = state.out.len() as u64;
                let first = state.out.iter().min().map_or(0, |kind| *kind as usize);
                return Err(Unplanned::OutOfStock { missing, first });
            }
            if !last && panels.len() > 1 {
                panels.pop();
            }
            if panels.is_empty() {
                // Sheets at hand are too few to be cut in equal numbers.
                let missing = counts.iter().sum();
                let first = counts.iter().position(|count| *count > 0).unwrap_or(0);
                return Err(Unplanned::OutOfStock { missing, first });
            }
            for panel in panels {
                if at_hand[panel.stock] != u32::MAX {
                    at_hand[panel.stock] -= each;
                }
                let sheet = realize::sheet(self.problem, panel);
                for placement in sheet.placements() {
                    counts[placement.part] -= times;
                }
                self.add(Sheet { repeat: times, ..sheet });
            }
            if counts.iter().all(|count| *count == 0) {
                self.sheets.sort_by_key(|sheet| {
                    let area = self.problem.stock()[sheet.stock].area_mm2();
                    area - sheet.used_mm2()
                });
                return Ok(());
            }
        }
    }

    /// Equal sheets are written once.
    fn add(&mut self, sheet: Sheet) {
        let same = |other: &&mut Sheet| other.stock == sheet.stock && other.root == sheet.root;
        match self.sheets.iter_mut().find(same) {
            Some(other) => other.repeat += sheet.repeat,
            None => self.sheets.push(sheet),
        }
    }

    /// Returns the best plan of `counts`, and whether it holds all of them.
    fn search(
        &mut self,
        counts: &[u64],
        at_hand: impl Fn(usize) -> u32,
        steps: u64,
    ) -> (State, bool) {
        let model = self.problem.model(counts, |index, _| at_hand(index));
        let prices: Vec<u64> = self.problem.stock().iter().map(|stock| stock.price).collect();
        let (price, sheets) = bound::least(&model, &prices, counts);
        let bound = price.saturating_mul(PER_PRICE).saturating_add(sheets);
        let mut search = Search::new(&model, self.seed);
        search.run(bound, |looks| looks < steps && (self.go_on)());
        self.left = self.left.saturating_sub(search.looks());
        search.finish()
    }
}

/// How often a batch of pieces worth searching together is contained in `counts`.
fn times(counts: &[u64]) -> u64 {
    let total: u64 = counts.iter().sum();
    let mut times = total / TOGETHER;
    while times > 1 {
        let covered: u64 = counts.iter().map(|count| count / times * times).sum();
        if covered * 2 >= total {
            return times;
        }
        times = times * 4 / 5;
    }
    1
}
