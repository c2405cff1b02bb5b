//! Many of the same: patterns with counts.

use proptest::prelude::*;
use woody_cutting::{Effort, Part, Problem, Saw, Stock, check};

use crate::problems::any_part;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1500))]

    #[test]
    fn a_thousand_toys_cost_hardly_more_than_their_batches(
        parts in prop::collection::vec(any_part(), 1..8),
        batch in prop::sample::select(vec![10_u32, 20, 25, 50, 100]),
        (kerf_mm, side) in (0..5_u32, 700..1_600_u32),
    ) {
        let cost = |toys: u32| {
            let parts = parts.iter().map(|part| part.times(part.count * toys)).collect();
            let stock = vec![Stock::new(side, 650).priced(1)];
            let saw = Saw { kerf_mm, ..Saw::default() };
            let problem = Problem::new(parts, stock, saw).unwrap();
            let plan = problem.plan(&Effort::steps(1_000_000)).unwrap();
            assert_eq!(check::verify(&problem, &plan), Ok(()));
            plan.cost
        };
        // Patterns round up once, where batches do each time; but a batch that gets all the steps
        // may be planned better.
        let (thousand, batches) = (cost(1_000), cost(batch) * u64::from(1_000 / batch));
        prop_assert!(thousand <= batches + 1 + batches / 40, "{} > {}", thousand, batches);
    }
}

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
