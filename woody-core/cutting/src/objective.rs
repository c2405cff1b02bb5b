//! Which of two plans is better.

use std::cmp::Reverse;

use crate::geometry::Rect;
use crate::plan::Sheet;
use crate::problem::Problem;

impl Problem {
    /// Whether the first costs less; or as much with fewer sheets; or with as many for a saw, not
    /// for a router; or leaves a larger offcut; or as large a one with fewer cuts.
    pub(crate) fn prefers(&self, one: &[Sheet], other: &[Sheet]) -> bool {
        let rest = |sheets: &[Sheet]| {
            let free = sheets.iter().any(Sheet::is_free);
            (free, Reverse(self.largest_offcut(sheets)), self.cuts(sheets))
        };
        self.cost(one).cmp(&self.cost(other)).then_with(|| rest(one).cmp(&rest(other))).is_lt()
    }

    /// Their price, and how many they are.
    pub(crate) fn cost(&self, sheets: &[Sheet]) -> (u64, u64) {
        let price = |sheet: &Sheet| sheet.repeat * self.stock()[sheet.stock].price;
        (sheets.iter().map(price).sum(), sheets.iter().map(|sheet| sheet.repeat).sum())
    }

    /// The area of the largest offcut that can be kept.
    pub(crate) fn largest_offcut(&self, sheets: &[Sheet]) -> u64 {
        let least = self.saw().least_offcut_mm;
        let largest = |sheet: &Sheet| sheet.offcuts(least).first().map(Rect::area_mm2);
        sheets.iter().filter_map(largest).max().unwrap_or(0)
    }

    fn cuts(&self, sheets: &[Sheet]) -> u64 {
        let saw = self.saw();
        let cuts = |sheet: &Sheet| sheet.cuts(&self.stock()[sheet.stock], &saw).len() as u64;
        sheets.iter().map(|sheet| sheet.repeat * cuts(sheet)).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::geometry::Axis;
    use crate::plan::{FreeForm, Node, Strips};
    use crate::problem::{Part, Saw, Stock};

    fn rect(x_mm: u32, y_mm: u32, width_mm: u32, height_mm: u32) -> Rect {
        Rect { x_mm, y_mm, width_mm, height_mm }
    }

    fn sheet(stock: usize, strips: &[Rect]) -> Sheet {
        let strips = strips.iter().map(|rect| Node::Offcut(*rect)).collect();
        let root = Node::Cut(Strips { rect: rect(0, 0, 400, 400), axis: Axis::Width, strips });
        Sheet { stock, repeat: 1, root }
    }

    #[test]
    fn cost_is_first_then_sheets_then_a_saw_then_the_largest_offcut_then_cuts() {
        let stock = [700, 300, 350].map(|price| Stock::new(400, 400).priced(price)).to_vec();
        let saw = Saw { kerf_mm: 0, ..Saw::default() };
        let problem = Problem::new(vec![Part::new(1, 1)], stock, saw).unwrap();
        let free = FreeForm {
            rect: rect(0, 0, 400, 400),
            placements: vec![],
            offcuts: vec![rect(0, 0, 400, 400)],
        };
        let halves = [rect(0, 0, 200, 400), rect(200, 0, 200, 400)];
        let large = [rect(0, 0, 300, 400), rect(300, 0, 100, 400)];
        let more_cuts = [rect(0, 0, 300, 400), rect(300, 0, 50, 400), rect(350, 0, 50, 400)];
        let from_best = [
            vec![sheet(1, &halves), sheet(1, &halves)],
            vec![sheet(0, &large)],
            vec![sheet(0, &more_cuts)],
            vec![sheet(0, &halves)],
            vec![Sheet { stock: 0, repeat: 1, root: Node::Free(free) }],
            vec![sheet(2, &large), sheet(2, &large)],
        ];
        for (place, better) in from_best.iter().enumerate() {
            assert!(!problem.prefers(better, better));
            for worse in &from_best[place + 1..] {
                assert!(problem.prefers(better, worse), "{better:?} to {worse:?}");
                assert!(!problem.prefers(worse, better), "{worse:?} to {better:?}");
            }
        }
    }
}
