//! Layouts for a router table.

use proptest::prelude::*;
use woody_cutting::check::{Fault, apart, sawable, verify};
use woody_cutting::{Effort, Part, Plan, Problem, Rect, Saw, Sheet, Stages, Stock};

use crate::problems::any_problem;

fn with_stages(problem: &Problem, stages: Stages) -> Problem {
    let saw = Saw { stages, ..problem.saw() };
    Problem::new(problem.parts().to_vec(), problem.stock().to_vec(), saw).unwrap()
}

/// Four sails around a hub, a kerf apart on all sides.
fn windmill(kerf_mm: u32, toys: u32, stock: Stock) -> Problem {
    let saw = Saw { kerf_mm, stages: Stages::Free, ..Saw::default() };
    let sail = Part::new(600 - kerf_mm, 400 - kerf_mm).times(4 * toys);
    let hub = Part::new(200 - kerf_mm, 200 - kerf_mm).times(toys);
    let side = 1_000 - kerf_mm;
    let stock = Stock { width_mm: side, height_mm: side, ..stock };
    Problem::new(vec![sail, hub], vec![stock], saw).unwrap()
}

fn square() -> Stock {
    Stock::new(1_000, 1_000).priced(1)
}

fn rects(sheet: &Sheet) -> Vec<Rect> {
    sheet.placements().iter().map(|piece| piece.rect).collect()
}

fn planned(problem: &Problem) -> Plan {
    let plan = problem.plan(&Effort::FAST).unwrap();
    assert_eq!(verify(problem, &plan), Ok(()));
    plan
}

#[test]
fn a_windmill_that_no_saw_can_cut_fits_one_sheet_free() {
    for kerf_mm in [0, 6] {
        let free = windmill(kerf_mm, 1, square());
        assert_eq!(planned(&with_stages(&free, Stages::Any)).sheet_count(), 2);
        let plan = planned(&free);
        assert_eq!((plan.sheet_count(), plan.is_proven()), (1, true));
        let sheet = &plan.sheets[0];
        assert!(sheet.is_free() && !sawable(&rects(sheet), kerf_mm));
        assert_eq!(sheet.cuts(&square(), &free.saw()), vec![]);
        assert_eq!(sheet.offcuts(1), vec![]);
    }
}

#[test]
fn a_thousand_windmills_are_one_layout_with_a_count() {
    let plan = planned(&windmill(6, 1_000, square()));
    assert_eq!((plan.sheet_count(), plan.sheets.len()), (1_000, 1));
}

#[test]
fn a_sheet_at_hand_that_only_a_free_layout_fits_is_enough() {
    let free = windmill(0, 1, square().limited(1));
    assert!(with_stages(&free, Stages::Any).plan(&Effort::FAST).is_err());
    assert_eq!(planned(&free).sheet_count(), 1);
}

#[test]
fn without_a_sheet_at_hand_there_is_no_plan() {
    let none = windmill(0, 1, square().limited(0));
    assert!(none.plan(&Effort::steps(20_000)).is_err());
}

#[test]
fn where_a_saw_does_as_well_the_cuts_are_told() {
    let saw = Saw { stages: Stages::Free, ..Saw::default() };
    let parts = vec![Part::new(300, 200).times(5)];
    let problem = Problem::new(parts, vec![Stock::new(1_000, 700)], saw).unwrap();
    assert!(planned(&problem).sheets.iter().all(|sheet| !sheet.is_free()));
}

#[test]
fn a_free_layout_is_no_plan_of_a_saw() {
    let free = windmill(0, 1, square());
    let plan = planned(&free);
    let fault = verify(&with_stages(&free, Stages::Any), &plan);
    assert_eq!(fault, Err(Fault::NotSawable { sheet: 0 }));
    // A wider bit does not go between the pieces.
    let saw = Saw { kerf_mm: 1, ..free.saw() };
    let wider = Problem::new(free.parts().to_vec(), free.stock().to_vec(), saw).unwrap();
    assert_eq!(verify(&wider, &plan), Err(Fault::TooClose { sheet: 0 }));
}

/// Pieces of a few sizes that go together, so that free layouts are worth it now and then.
fn any_gears() -> impl Strategy<Value = Problem> {
    let part = (1..6_u32, 1..6_u32, 1..5_u32, any::<bool>());
    let sheet = (6..12_u32, 6..12_u32, 1..9_u64, prop::option::of(1..4_u32));
    let sheets = prop::collection::vec(sheet, 1..4);
    (prop::collection::vec(part, 2..6), sheets, 0..5_u32).prop_map(|(parts, sheets, kerf_mm)| {
        let parts = parts.into_iter().map(|(w, h, count, may_turn)| Part {
            may_turn,
            ..Part::new(w * 100 - kerf_mm, h * 100 - kerf_mm).times(count)
        });
        let more = sheets.into_iter().map(|(w, h, price, at_hand)| Stock {
            at_hand,
            ..Stock::new(w * 100 - kerf_mm, h * 100 - kerf_mm).priced(price)
        });
        let stock = std::iter::once(Stock::new(600, 600).priced(5)).chain(more).collect();
        let saw = Saw { kerf_mm, stages: Stages::Free, least_offcut_mm: 50, ..Saw::default() };
        Problem::new(parts.collect(), stock, saw).unwrap()
    })
}

fn assert_never_dearer(problem: &Problem) {
    let effort = Effort::steps(20_000);
    let free = with_stages(problem, Stages::Free);
    let plan = free.plan(&effort).unwrap();
    assert_eq!(verify(&free, &plan), Ok(()));
    let sawn = with_stages(problem, Stages::Any).plan(&effort).unwrap();
    let cost = |plan: &Plan| (plan.cost, plan.sheet_count());
    assert!(cost(&plan) <= cost(&sawn), "{:?} > {:?}", cost(&plan), cost(&sawn));
    assert_eq!(free.plan(&effort), Ok(plan.clone()));
    for sheet in plan.sheets.iter().filter(|sheet| sheet.is_free()) {
        // Offcuts lie a kerf from the pieces and from each other too.
        let wood: Vec<Rect> = rects(sheet).into_iter().chain(sheet.offcuts(1)).collect();
        assert!(apart(&wood, problem.saw().kerf_mm), "{wood:?}");
        let room = sheet.root.rect();
        let inside = |rect: &Rect| {
            rect.x_mm >= room.x_mm
                && rect.y_mm >= room.y_mm
                && rect.x_mm + rect.width_mm <= room.x_mm + room.width_mm
                && rect.y_mm + rect.height_mm <= room.y_mm + room.height_mm
        };
        assert!(wood.iter().all(inside), "{wood:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn a_free_plan_is_never_dearer_than_one_for_a_saw(problem in any_problem()) {
        assert_never_dearer(&problem);
    }

    #[test]
    fn pieces_that_go_together_are_never_dearer_either(problem in any_gears()) {
        assert_never_dearer(&problem);
    }
}
