use proptest::prelude::*;
use woody_cutting::{Axis, Effort, Node, Part, Plan, Problem, Saw, Sheet, Stages, Stock, check};

use crate::problems::any_problem;

const EFFORT: Effort = Effort::steps(20_000);

/// How deep the cuts go; one that only trims a strip to its piece is not counted.
fn stages(node: &Node) -> u32 {
    let Node::Cut(strips) = node else { return 0 };
    let pieces = strips.strips.iter().filter(|strip| matches!(strip, Node::Piece(_))).count();
    let inner = strips.strips.iter().map(stages).max().unwrap_or(0);
    if inner == 0 && pieces == 1 { 0 } else { inner + 1 }
}

/// Strips lie inside of their wood, one after the other, at least a kerf apart.
fn assert_whole(node: &Node, kerf: u32) {
    let Node::Cut(strips) = node else { return };
    let across = match strips.axis {
        Axis::Width => Axis::Height,
        Axis::Height => Axis::Width,
    };
    let mut from = strips.rect.start_mm(strips.axis);
    for strip in &strips.strips {
        let rect = strip.rect();
        assert_eq!(rect.start_mm(strips.axis), from);
        assert!(rect.end_mm(strips.axis) <= strips.rect.end_mm(strips.axis));
        assert_eq!(rect.start_mm(across), strips.rect.start_mm(across));
        assert_eq!(rect.end_mm(across), strips.rect.end_mm(across));
        from = rect.end_mm(strips.axis) + kerf;
        assert_whole(strip, kerf);
    }
}

fn assert_sound(problem: &Problem, plan: &Plan) {
    assert_eq!(check::verify(problem, plan), Ok(()));
    assert!(plan.least_cost <= plan.cost, "{} > {}", plan.least_cost, plan.cost);
    for sheet in &plan.sheets {
        assert!(!sheet.is_free() || problem.saw().stages == Stages::Free);
        assert_whole(&sheet.root, problem.saw().kerf_mm);
        if let Some(limit) = problem.saw().stages.limit() {
            assert!(stages(&sheet.root) <= limit, "{:#?}", sheet.root);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn a_plan_keeps_all_that_it_owes(problem in any_problem()) {
        assert_sound(&problem, &problem.plan(&EFFORT).unwrap());
    }

    #[test]
    fn the_same_effort_gives_the_same_plan(problem in any_problem(), seed: u64) {
        let plan = || problem.plan(&EFFORT.with_seed(seed));
        prop_assert_eq!(plan(), plan());
    }

    #[test]
    fn more_steps_never_cost_more(problem in any_problem()) {
        let cost = |steps| problem.plan(&Effort::steps(steps)).unwrap().cost;
        prop_assert!(cost(60_000) <= cost(6_000));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn large_quantities_are_patterns_with_counts(problem in any_problem(), times in 20..400_u32) {
        let parts = problem.parts().iter().map(|part| part.times(part.count * times));
        let large = Problem::new(parts.collect(), problem.stock().to_vec(), problem.saw()).unwrap();
        let plan = large.plan(&EFFORT).unwrap();
        assert_sound(&large, &plan);
        prop_assert!(plan.sheets.len() < 400, "{}", plan.sheets.len());
    }
}

fn planned(parts: Vec<Part>, stock: Vec<Stock>, saw: Saw) -> Plan {
    let problem = Problem::new(parts, stock, saw).unwrap();
    let plan = problem.plan(&Effort::FAST).unwrap();
    assert_sound(&problem, &plan);
    plan
}

#[test]
fn pieces_that_fill_a_sheet_fill_it() {
    let saw = Saw { kerf_mm: 0, ..Saw::default() };
    let plan = planned(vec![Part::new(50, 25).times(8)], vec![Stock::new(100, 100)], saw);
    assert_eq!((plan.sheet_count(), plan.is_proven()), (1, true));
}

#[test]
fn the_kerf_takes_its_share() {
    let parts = || vec![Part::new(50, 100).times(2)];
    let stock = || vec![Stock::new(100, 100)];
    for (kerf_mm, sheets) in [(0, 1), (1, 2)] {
        let saw = Saw { kerf_mm, ..Saw::default() };
        assert_eq!(planned(parts(), stock(), saw).sheet_count(), sheets);
    }
}

#[test]
fn the_trim_is_not_used() {
    let stock = || vec![Stock::new(120, 120)];
    for (side, sheets) in [(50, 1), (51, 2)] {
        let saw = Saw { kerf_mm: 0, trim_mm: 10, ..Saw::default() };
        assert_eq!(
            planned(vec![Part::new(side, 100).times(2)], stock(), saw).sheet_count(),
            sheets
        );
    }
}

#[test]
fn a_part_with_a_grain_is_not_turned() {
    let plan = planned(
        vec![Part::new(300, 100).times(6).with_grain()],
        vec![Stock::new(320, 610)],
        Saw::default(),
    );
    assert!(plan.sheets.iter().flat_map(Sheet::placements).all(|piece| !piece.turned));
    assert_eq!(plan.sheet_count(), 2);
}

#[test]
fn an_offcut_of_earlier_work_is_used_first() {
    let offcut = Stock::new(400, 300).priced(0).limited(1);
    let stock = vec![Stock::new(1_000, 1_000).priced(10), offcut];
    let plan = planned(vec![Part::new(390, 290)], stock.clone(), Saw::default());
    assert_eq!((plan.cost, plan.sheets[0].stock), (0, 1));
    let plan = planned(vec![Part::new(390, 290).times(2)], stock, Saw::default());
    assert_eq!(plan.cost, 10);
}

#[test]
fn of_two_plans_of_one_cost_that_with_fewer_sheets_is_taken() {
    let stock = vec![Stock::new(100, 100).priced(5), Stock::new(100, 200).priced(10)];
    let saw = Saw { kerf_mm: 0, ..Saw::default() };
    let plan = planned(vec![Part::new(100, 100).times(2)], stock, saw);
    assert_eq!((plan.cost, plan.sheet_count()), (10, 1));
}

#[test]
fn the_bound_sees_that_two_large_pieces_need_two_sheets() {
    let plan = planned(
        vec![Part::new(60, 60).times(7)],
        vec![Stock::new(100, 100).priced(1)],
        Saw::default(),
    );
    assert_eq!((plan.cost, plan.least_cost), (7, 7));
}

#[test]
fn a_thousand_toys_cost_no_more_than_their_batches() {
    let batch = [(610, 200, 4_u32), (333, 121, 6), (90, 90, 12), (415, 87, 3)];
    let parts = |times| batch.map(|(w, h, n)| Part::new(w, h).times(n * times)).to_vec();
    let stock = || vec![Stock::new(2_440, 1_220).priced(1)];
    let one = planned(parts(20), stock(), Saw::default()).cost;
    let fifty = planned(parts(1_000), stock(), Saw::default()).cost;
    assert!(fifty <= one * 50, "{fifty} > 50 x {one}");
}

#[test]
fn stages_limit_how_often_the_cuts_turn() {
    // Three around a corner: two strips will not do, stacks will.
    let parts = || vec![Part::new(60, 40), Part::new(60, 60), Part::new(40, 50).times(2)];
    let sheets = |stages| {
        let saw = Saw { kerf_mm: 0, stages, ..Saw::default() };
        planned(parts(), vec![Stock::new(100, 100)], saw).sheet_count()
    };
    assert_eq!(sheets(Stages::Any), 1);
    assert_eq!(sheets(Stages::Two), 1);
    let parts = || vec![Part::new(60, 100), Part::new(40, 50), Part::new(20, 50).times(2)];
    let sheets = |stages| {
        let saw = Saw { kerf_mm: 0, stages, ..Saw::default() };
        planned(parts(), vec![Stock::new(100, 100)], saw).sheet_count()
    };
    assert_eq!(sheets(Stages::Three), 1);
}
