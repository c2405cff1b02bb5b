//! Brings together what is left over of the wood.
//!
//! A plan that nothing can be cheaper than ends the search, however its offcuts lie. The pieces of the
//! emptiest sheet are then planned anew on one that is shorter, or narrower, by more than the largest
//! offcut; the least room in which they are found to fit leaves the most.

use crate::batches::Batch;
use crate::effort::Effort;
use crate::geometry::{Axis, Rect};
use crate::plan::{Node, Sheet, Strips};
use crate::problem::{Part, Problem, Saw, Stock};

/// The part of an effort's steps that it takes at most, as a divisor.
const SHARE: u64 = 8;
/// Rooms that are tried along each side of the sheet.
const TRIES: u32 = 5;
/// The most steps of a try, for each piece of the sheet.
const PER_PIECE: u64 = 100;

impl Problem {
    /// Makes the largest offcut larger, if it can be; cost and sheets stay.
    pub(crate) fn gather(
        &self,
        sheets: &mut [Sheet],
        effort: &Effort,
        go_on: &mut dyn FnMut() -> bool,
    ) {
        let largest = self.largest_offcut(sheets);
        let free = |sheet: &&mut Sheet| self.stock()[sheet.stock].area_mm2() - sheet.used_mm2();
        let sawn = sheets.iter_mut().filter(|sheet| !sheet.is_free());
        let Some(sheet) = sawn.max_by_key(free) else { return };
        let Some(gathering) = Gathering::new(self, sheet, effort) else { return };
        let mut best = largest;
        for axis in [Axis::Width, Axis::Height] {
            if let Some((root, offcut)) = gathering.along(axis, best, go_on) {
                (sheet.root, best) = (root, offcut);
            }
        }
    }
}

/// The pieces of one sheet, to be planned in less room.
struct Gathering<'a> {
    problem: &'a Problem,
    stock: Stock,
    /// Pieces of each part.
    counts: Vec<u64>,
    used_mm2: u64,
    effort: Effort,
}

impl<'a> Gathering<'a> {
    /// Nothing where the effort has no steps for it.
    fn new(problem: &'a Problem, sheet: &Sheet, effort: &Effort) -> Option<Self> {
        let mut counts = vec![0; problem.parts().len()];
        let placements = sheet.placements();
        for placement in &placements {
            counts[placement.part] += 1;
        }
        let tries = 2 * u64::from(TRIES);
        let steps = (effort.steps / SHARE / tries).min(PER_PIECE * placements.len() as u64);
        (steps > 0).then(|| Self {
            problem,
            stock: problem.stock()[sheet.stock],
            counts,
            used_mm2: sheet.used_mm2(),
            effort: Effort { steps, ..*effort },
        })
    }

    /// Returns the cuts that leave the largest offcut along `axis`, and its area, if that is
    /// more than `largest`.
    fn along(
        &self,
        axis: Axis,
        largest: u64,
        go_on: &mut dyn FnMut() -> bool,
    ) -> Option<(Node, u64)> {
        let Saw { kerf_mm, trim_mm, least_offcut_mm, .. } = self.problem.saw();
        let Stock { width_mm, height_mm, .. } = self.stock;
        let [width, height] = [width_mm, height_mm].map(|side| side - 2 * trim_mm);
        let (room, across) = match axis {
            Axis::Width => (width, height),
            Axis::Height => (height, width),
        };
        let wider = u32::try_from(largest / u64::from(across)).ok()?.checked_add(1)?;
        if across < least_offcut_mm {
            return None;
        }
        let mut most = room.checked_sub(kerf_mm)?.checked_sub(wider.max(least_offcut_mm))?;
        let mut least = u32::try_from(self.used_mm2.div_ceil(u64::from(across))).ok()?;
        let mut found = None;
        let mut next = most;
        for _ in 0..TRIES {
            if least > most || !go_on() {
                break;
            }
            match self.within(axis, next, go_on) {
                Some(cuts) => {
                    let offcut = u64::from(room - kerf_mm - next) * u64::from(across);
                    found = Some((cuts, offcut));
                    most = next.saturating_sub(1);
                }
                None if found.is_none() => break,
                None => least = next + 1,
            }
            next = least.midpoint(most);
        }
        found
    }

    /// Plans the pieces on a sheet that has only so much room along `axis`, and leaves the rest of
    /// the wood as it is.
    fn within(&self, axis: Axis, along: u32, go_on: &mut dyn FnMut() -> bool) -> Option<Node> {
        let trim = 2 * self.problem.saw().trim_mm;
        let (mut narrow, side) = (self.stock.limited(1), along + trim);
        match axis {
            Axis::Width => narrow.width_mm = side,
            Axis::Height => narrow.height_mm = side,
        }
        let fits = |part: &Part| part.fits(narrow.width_mm - trim, narrow.height_mm - trim);
        let mut wanted = self.problem.parts().iter().zip(&self.counts);
        if !wanted.all(|(part, count)| *count == 0 || fits(part)) {
            return None;
        }
        let problem = self.problem.only_from(narrow);
        let all = Batch { times: 1, counts: self.counts.clone(), at_hand: vec![Some(1)] };
        let root = problem.own(&all, &self.effort, go_on).ok()?.pop()?.root;
        self.widen(axis, root)
    }

    /// Lays the rest of the sheet beside `root`; nothing if no saw may cut so deep.
    fn widen(&self, axis: Axis, root: Node) -> Option<Node> {
        let Saw { kerf_mm, trim_mm, stages, .. } = self.problem.saw();
        let [width_mm, height_mm] =
            [self.stock.width_mm, self.stock.height_mm].map(|side| side - 2 * trim_mm);
        let rect = Rect { x_mm: trim_mm, y_mm: trim_mm, width_mm, height_mm };
        let from = |start: u32| match axis {
            Axis::Width => Rect { x_mm: start, width_mm: rect.end_mm(axis) - start, ..rect },
            Axis::Height => Rect { y_mm: start, height_mm: rect.end_mm(axis) - start, ..rect },
        };
        let mut strips = match root {
            Node::Cut(inner) if inner.axis == axis => inner.strips,
            Node::Cut(_) if stages.limit().is_some() => return None,
            root => vec![root],
        };
        // What was left of less room is part of it.
        let offcut = match strips.pop_if(|last| matches!(last, Node::Offcut(_))) {
            Some(offcut) => from(offcut.rect().start_mm(axis)),
            None => from(strips.last()?.rect().end_mm(axis) + kerf_mm),
        };
        strips.push(Node::Offcut(offcut));
        Some(Node::Cut(Strips { rect, axis, strips }))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::check;
    use crate::plan::Plan;
    use crate::problem::Stages;

    fn all(problem: &Problem) -> Batch {
        let counts = problem.parts().iter().map(|part| u64::from(part.count)).collect();
        Batch { times: 1, counts, at_hand: vec![None; problem.stock().len()] }
    }

    #[test]
    fn what_two_panels_leave_is_one_strip() {
        // Side by side they leave two strips; one above the other, the longer sides along the
        // board's shorter one, a single one.
        let parts = vec![Part::new(1_000, 400).times(2), Part::new(390, 200)];
        let problem = Problem::new(parts, vec![Stock::new(2_440, 1_220)], Saw::default()).unwrap();
        let plan = problem.plan(&Effort::BALANCED).unwrap();
        let largest = problem.largest_offcut(&plan.sheets);
        assert!(largest >= (2_440 - 3 - 806) * 1_220, "{largest}: {:?}", plan.sheets);
    }

    proptest! {
        #[test]
        fn the_largest_offcut_grows_and_nothing_else_changes(
            sizes in prop::collection::vec((1..600_u32, 1..600_u32, 1..6_u32, any::<bool>()), 1..9),
            (kerf_mm, trim_mm) in (0..8_u32, prop::sample::select(vec![0, 10])),
            stages in prop::sample::select(vec![Stages::Two, Stages::Three, Stages::Any, Stages::Free]),
        ) {
            let part = |(width_mm, height_mm, count, may_turn)| Part { width_mm, height_mm, count, may_turn };
            let saw = Saw { kerf_mm, trim_mm, stages, ..Saw::default() };
            let stock = vec![Stock::new(1_400, 700), Stock::new(700, 700)];
            let problem = Problem::new(sizes.into_iter().map(part).collect(), stock, saw).unwrap();
            let effort = Effort::steps(100_000);
            let before = problem.own(&all(&problem), &effort, &mut || true).unwrap();
            let mut after = before.clone();
            problem.gather(&mut after, &effort, &mut || true);
            prop_assert_eq!(problem.cost(&after), problem.cost(&before));
            prop_assert!(after == before || problem.largest_offcut(&after) > problem.largest_offcut(&before));
            let (cost, _) = problem.cost(&after);
            let plan = Plan { sheets: after, least_cost: 0, cost };
            prop_assert_eq!(check::verify(&problem, &plan), Ok(()));
        }
    }
}
