//! Many of the same: patterns with counts.

use woody_cutting::{Effort, Part, Problem, Saw, Stock, check};

#[test]
fn sizes_of_sheet_are_mixed_by_what_their_wood_costs() {
    // Two sides of a shelf take a long sheet, its boards a short one, without waste.
    let parts = vec![Part::new(200, 100).times(600), Part::new(70, 70).times(900)];
    let stock = vec![Stock::new(200, 200).priced(40), Stock::new(210, 210).priced(44)];
    let saw = Saw { kerf_mm: 0, ..Saw::default() };
    let problem = Problem::new(parts, stock, saw).unwrap();
    let plan = problem.plan(&Effort::BALANCED).unwrap();
    assert_eq!(check::verify(&problem, &plan), Ok(()));
    assert_eq!(plan.cost, 300 * 40 + 100 * 44);
}
