use proptest::prelude::*;
use woody_cutting::Direction::{Cross, Rip};
use woody_cutting::{Cut, Effort, Part, Problem, Rect, Saw, Stock};

use crate::problems::any_problem;

/// What a cut leaves of its wood, on both sides of the blade.
fn saw(cut: &Cut, stock: &Stock, kerf: u32) -> Vec<Rect> {
    let wood = cut.wood;
    let across_width = (cut.direction == Cross) == (stock.width_mm >= stock.height_mm);
    let (start, end) = if across_width {
        (wood.x_mm, wood.x_mm + wood.width_mm)
    } else {
        (wood.y_mm, wood.y_mm + wood.height_mm)
    };
    assert!(start < cut.at_mm && cut.at_mm < end, "{cut:?} is not through its wood");
    let sides = [(start, cut.at_mm), (cut.at_mm + kerf, end)];
    let left = sides.into_iter().filter(|(from, to)| from < to).map(|(from, to)| {
        if across_width {
            Rect { x_mm: from, width_mm: to - from, ..wood }
        } else {
            Rect { y_mm: from, height_mm: to - from, ..wood }
        }
    });
    left.collect()
}

proptest! {
    #[test]
    fn sawing_as_it_is_told_frees_the_pieces(problem in any_problem()) {
        let (plan, kerf) = (problem.plan(&Effort::steps(5_000)).unwrap(), problem.saw().kerf_mm);
        for sheet in &plan.sheets {
            let stock = problem.stock()[sheet.stock];
            if sheet.is_free() {
                prop_assert_eq!(sheet.cuts(&stock, &problem.saw()), vec![]);
                continue;
            }
            let cuts = sheet.cuts(&stock, &problem.saw());
            let (trimming, cutting) = cuts.split_at(if problem.saw().trim_mm > 0 { 4 } else { 0 });
            for cut in trimming {
                prop_assert_eq!(cut.fence_mm, problem.saw().trim_mm);
            }
            let mut woods = vec![sheet.root.rect()];
            for (index, cut) in cutting.iter().enumerate() {
                prop_assert_eq!(cut.number, trimming.len() + index + 1);
                let found = woods.iter().position(|wood| *wood == cut.wood);
                prop_assert!(found.is_some(), "{:?} is not there: {:?}", cut, woods);
                woods.swap_remove(found.unwrap());
                woods.extend(saw(cut, &stock, kerf));
            }
            for piece in sheet.placements() {
                let found = woods.iter().position(|wood| *wood == piece.rect);
                prop_assert!(found.is_some(), "{:?} is not free", piece);
                woods.swap_remove(found.unwrap());
            }
            // What is left are the offcuts, whole.
            for offcut in sheet.offcuts(1) {
                prop_assert!(woods.contains(&offcut), "{:?} is not among {:?}", offcut, woods);
            }
            prop_assert_eq!(woods.len(), sheet.offcuts(1).len());
        }
    }
}

#[test]
fn cuts_are_numbered_and_measured() {
    let saw = Saw { kerf_mm: 4, trim_mm: 10, ..Saw::default() };
    let problem =
        Problem::new(vec![Part::new(1_000, 300)], vec![Stock::new(2_440, 1_220)], saw).unwrap();
    let plan = problem.plan(&Effort::FAST).unwrap();
    let stock = problem.stock()[0];
    let cuts = plan.sheets[0].cuts(&stock, &saw);
    let told: Vec<_> =
        cuts.iter().map(|cut| (cut.number, cut.direction, cut.fence_mm, cut.length_mm)).collect();
    let trimming =
        [(1, Rip, 10, 2_440), (2, Rip, 10, 2_440), (3, Cross, 10, 1_200), (4, Cross, 10, 1_200)];
    assert_eq!(told[..4], trimming);
    assert_eq!(told.len(), 6);
    let length: u64 = cuts.iter().map(|cut| u64::from(cut.length_mm)).sum();
    assert_eq!(plan.sheets[0].cut_length_mm(&stock, &saw), length);
}
