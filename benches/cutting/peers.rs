//! Other planners on the same problems, in the same processor time.
//!
//! Neither takes a time limit. Each is asked again and again, another rule or seed each time,
//! until the time is over; `bin-packing` finishes what it is at. A plan counts if every piece is there and
//! every sheet can be sawn.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::time::Duration;

use bin_packing::two_d::{
    RectDemand2D, Sheet2D, TwoDAlgorithm, TwoDOptions, TwoDProblem, solve_2d,
};
use cut_optimizer_2d::{CutPiece, Optimizer, PatternDirection, StockPiece};
use woody_cutting::{Problem, Rect, check::sawable};

use crate::cpu_time;

/// A call of `cut-optimizer-2d` is given up after so many times the time.
const PATIENCE: f64 = 2.0;
/// More are not put to them: they take minutes, and cannot be interrupted at the start.
const MOST_PIECES: u64 = 400;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Peer {
    BinPacking,
    CutOptimizer2d,
}

/// What came of a peer on one problem.
#[derive(Clone, Default)]
pub(crate) struct Tried {
    /// What its best plan costs, from which time on.
    pub(crate) better: Vec<(Duration, u64)>,
    pub(crate) time: Duration,
    pub(crate) calls: u32,
    pub(crate) panics: u32,
    /// Plans that no saw can cut, or that lack pieces.
    pub(crate) unsound: u32,
    /// Calls without a plan: an error, or no end.
    pub(crate) none: u32,
}

impl Tried {
    pub(crate) fn value(&self) -> Option<u64> {
        self.better.last().map(|(_, value)| *value)
    }
}

/// The sheets of a plan: index in stock, and the pieces.
type Layout = Vec<(usize, Vec<Rect>)>;

impl Peer {
    pub(crate) const ALL: [Self; 2] = [Self::BinPacking, Self::CutOptimizer2d];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::BinPacking => "bin-packing",
            Self::CutOptimizer2d => "cut-optimizer-2d",
        }
    }

    /// Asks for plans for so many seconds, at least once.
    pub(crate) fn solve(self, problem: &Problem, seconds: f64, least: u64) -> Tried {
        let mut tried = Tried::default();
        if problem.pieces() > MOST_PIECES {
            return tried;
        }
        let start = cpu_time();
        let taken = || cpu_time().saturating_sub(start).as_secs_f64();
        while tried.calls == 0 || taken() < seconds {
            let call = tried.calls;
            let asked = catch_unwind(AssertUnwindSafe(|| match self {
                Self::BinPacking => bin_packing(problem, call),
                Self::CutOptimizer2d => {
                    cut_optimizer_2d(problem, call, || taken() < PATIENCE * seconds)
                }
            }));
            tried.calls += 1;
            tried.time = cpu_time().saturating_sub(start);
            match asked {
                Err(cause) if cause.is::<GivenUp>() => tried.none += 1,
                Err(_) => tried.panics += 1,
                Ok(None) => tried.none += 1,
                Ok(Some(layout)) => match value(problem, &layout) {
                    None => tried.unsound += 1,
                    Some(value) if tried.value().is_none_or(|best| value < best) => {
                        tried.better.push((tried.time, value));
                    }
                    Some(_) => {}
                },
            }
            if tried.value().is_some_and(|value| value <= least) {
                break;
            }
        }
        tried
    }
}

/// What a call of a peer ends with that takes too long.
struct GivenUp;

/// What a layout costs, if a saw can cut it and every piece is there.
fn value(problem: &Problem, layout: &Layout) -> Option<u64> {
    let mut wanted: Vec<[u32; 2]> = Vec::new();
    for part in problem.parts() {
        let size = sorted([part.width_mm, part.height_mm]);
        wanted.extend(std::iter::repeat_n(size, part.count as usize));
    }
    let mut cut: Vec<[u32; 2]> = Vec::new();
    let mut sum = 0;
    for (stock, rects) in layout {
        let stock = &problem.stock()[*stock];
        let inside = |rect: &Rect| {
            rect.x_mm + rect.width_mm <= stock.width_mm
                && rect.y_mm + rect.height_mm <= stock.height_mm
        };
        if !rects.iter().all(inside) || !sawable(rects, problem.saw().kerf_mm) {
            return None;
        }
        cut.extend(rects.iter().map(|rect| sorted([rect.width_mm, rect.height_mm])));
        sum += stock.price;
    }
    wanted.sort_unstable();
    cut.sort_unstable();
    (wanted == cut).then_some(sum)
}

fn sorted(mut sides: [u32; 2]) -> [u32; 2] {
    sides.sort_unstable();
    sides
}

/// Its guillotine search by one rule after the other, then with twice the beam, and so on.
#[expect(clippy::cast_precision_loss, reason = "prices of instances are small")]
fn bin_packing(problem: &Problem, call: u32) -> Option<Layout> {
    const RULES: [TwoDAlgorithm; 7] = [
        TwoDAlgorithm::GuillotineBestShortSideFit,
        TwoDAlgorithm::Guillotine,
        TwoDAlgorithm::GuillotineBestLongSideFit,
        TwoDAlgorithm::GuillotineShorterLeftoverAxis,
        TwoDAlgorithm::GuillotineLongerLeftoverAxis,
        TwoDAlgorithm::GuillotineMinAreaSplit,
        TwoDAlgorithm::GuillotineMaxAreaSplit,
    ];
    let rules = u32::try_from(RULES.len()).unwrap_or(1);
    let sheet = |(index, stock): (usize, &woody_cutting::Stock)| Sheet2D {
        name: index.to_string(),
        width: stock.width_mm,
        height: stock.height_mm,
        cost: stock.price as f64,
        quantity: stock.at_hand.map(|n| n as usize),
        kerf: problem.saw().kerf_mm,
        edge_kerf_relief: true,
    };
    let demand = |(index, part): (usize, &woody_cutting::Part)| RectDemand2D {
        name: index.to_string(),
        width: part.width_mm,
        height: part.height_mm,
        quantity: part.count as usize,
        can_rotate: part.may_turn,
    };
    let given = TwoDProblem {
        sheets: problem.stock().iter().enumerate().map(sheet).collect(),
        demands: problem.parts().iter().enumerate().map(demand).collect(),
    };
    let usual = TwoDOptions::default();
    let options = TwoDOptions {
        algorithm: RULES[(call % rules) as usize],
        guillotine_required: true,
        beam_width: usual.beam_width << (call / rules).min(16),
        ..usual
    };
    let solution = solve_2d(given, options).ok().filter(|found| found.unplaced.is_empty())?;
    let layout = solution.layouts.into_iter().map(|sheet| {
        let rects = sheet.placements.iter().map(|placed| Rect {
            x_mm: placed.x,
            y_mm: placed.y,
            width_mm: placed.width,
            height_mm: placed.height,
        });
        Some((sheet.sheet_name.parse().ok()?, rects.collect()))
    });
    layout.collect()
}

/// Its genetic search for guillotine cuts, with one seed after the other.
fn cut_optimizer_2d(problem: &Problem, call: u32, go_on: impl Fn() -> bool) -> Option<Layout> {
    let mut optimizer = Optimizer::new();
    optimizer.set_cut_width(problem.saw().kerf_mm as usize).set_random_seed(u64::from(call));
    for stock in problem.stock() {
        optimizer.add_stock_piece(StockPiece {
            width: stock.width_mm as usize,
            length: stock.height_mm as usize,
            pattern_direction: PatternDirection::None,
            price: usize::try_from(stock.price).ok()?,
            quantity: stock.at_hand.map(|n| n as usize),
        });
    }
    for part in problem.parts() {
        optimizer.add_cut_piece(CutPiece {
            quantity: part.count as usize,
            external_id: None,
            width: part.width_mm as usize,
            length: part.height_mm as usize,
            pattern_direction: PatternDirection::None,
            can_rotate: part.may_turn,
        });
    }
    let watch = |_| {
        if !go_on() {
            resume_unwind(Box::new(GivenUp));
        }
    };
    let solution = optimizer.optimize_guillotine(watch).ok()?;
    let layout = solution.stock_pieces.into_iter().map(|sheet| {
        let same = |stock: &woody_cutting::Stock| {
            (stock.width_mm as usize, stock.height_mm as usize) == (sheet.width, sheet.length)
        };
        let index = problem.stock().iter().position(same)?;
        let side = |n: usize| u32::try_from(n).unwrap_or(u32::MAX / 2);
        let rects = sheet.cut_pieces.iter().map(|piece| Rect {
            x_mm: side(piece.x),
            y_mm: side(piece.y),
            width_mm: side(piece.width),
            height_mm: side(piece.length),
        });
        Some((index, rects.collect()))
    });
    layout.collect()
}
