//! What every plan must keep, whatever was ordered.

use proptest::prelude::*;

use woody_cutting::check::sawable;

use super::*;
use crate::domain::{Part, Parts, ProductName, Quantity};

fn name(text: &str) -> ProductName {
    ProductName::parse(text).unwrap()
}

fn quantity(n: i64) -> Quantity {
    Quantity::new(n).unwrap()
}

fn toy(parts: &[(u32, u32, u32)]) -> CuttingList {
    let parts: Vec<_> = parts.iter().map(|(w, h, count)| (*w, *h, *count, false)).collect();
    toy_with_grain(&parts)
}

fn toy_with_grain(parts: &[(u32, u32, u32, bool)]) -> CuttingList {
    let part = |(i, &(width_mm, height_mm, count, grain)): (usize, &(u32, u32, u32, bool))| Part {
        name: name(&format!("part {i}")),
        width_mm,
        height_mm,
        count,
        grain,
    };
    let parts = Parts::new(parts.iter().enumerate().map(part).collect()).unwrap();
    CuttingList::of(&name("toy"), &parts)
}

/// Returns a workshop that does not look long.
fn small_effort() -> Workshop {
    Workshop::default().with_effort(Effort::steps(20_000))
}

fn saw(kerf_mm: u32) -> Saw {
    Saw { kerf_mm, ..Saw::default() }
}

/// Returns each piece of a layout on its own: part, then left, top, right, bottom.
fn pieces(plan: &Plan, layout: &Layout) -> Vec<(usize, [u32; 4])> {
    let each = |placement: &Placement| {
        let Placement { part, x_mm, y_mm, width_mm: w, height_mm: h, .. } = *placement;
        let (columns, rows, kerf) = (placement.columns, placement.rows, plan.kerf_mm);
        (0..columns).flat_map(move |column| {
            (0..rows).map(move |row| {
                let (x, y) = (x_mm + column * (w + kerf), y_mm + row * (h + kerf));
                (part, [x, y, x + w, y + h])
            })
        })
    };
    layout.placements.iter().flat_map(each).collect()
}

/// What a plan must keep to be sawn.
fn check(plan: &Plan, list: &CuttingList, toys: Quantity) -> Result<(), TestCaseError> {
    let mut counted = vec![0_u64; list.parts().len()];
    let mut sheets = 0;
    let told: usize = plan.layouts.iter().map(|layout| layout.cut_sequence.len()).sum();
    prop_assert!(told <= cuts::MAX_CUTS);
    for layout in &plan.layouts {
        sheets += layout.repeat;
        let pieces = pieces(plan, layout);
        for (i, (part, [left, top, right, bottom])) in pieces.iter().enumerate() {
            counted[*part] += layout.repeat;
            prop_assert!(*right <= layout.sheet.width_mm && *bottom <= layout.sheet.height_mm);
            for (_, [l, t, r, b]) in &pieces[..i] {
                let kerf = plan.kerf_mm;
                let apart = *left >= r + kerf
                    || *l >= right + kerf
                    || *top >= b + kerf
                    || *t >= bottom + kerf;
                prop_assert!(apart, "pieces of {} overlap or lack the kerf", layout.sheet.name);
            }
        }
        let rect = |[x_mm, y_mm, right, bottom]: [u32; 4]| Rect {
            x_mm,
            y_mm,
            width_mm: right - x_mm,
            height_mm: bottom - y_mm,
        };
        let wood = pieces.iter().map(|(_, piece)| rect(*piece)).chain(layout.offcuts.clone());
        prop_assert!(sawable(&wood.collect::<Vec<_>>(), plan.kerf_mm), "no saw can cut this");
        sawn(layout, plan.kerf_mm, told < cuts::MAX_CUTS)?;
        for placement in &layout.placements {
            let part = &list.parts()[placement.part];
            let lies = (placement.width_mm, placement.height_mm);
            let turned = if placement.rotated { (lies.1, lies.0) } else { lies };
            prop_assert_eq!(turned, (part.width_mm, part.height_mm));
            prop_assert!(!(part.grain && placement.rotated), "{} is turned", part.name);
        }
    }
    let needed: Vec<u64> =
        list.parts().iter().map(|p| u64::from(p.per_toy) * u64::from(toys.get())).collect();
    prop_assert_eq!(&counted, &needed);
    prop_assert_eq!(plan.figures.sheets, sheets);
    prop_assert_eq!(plan.figures.pieces, needed.iter().sum::<u64>());
    prop_assert!((0.0..=100.0).contains(&plan.figures.used_percent));
    Ok(())
}

/// The told cuts, one after the other, are `all` there are, and none goes through a piece.
fn sawn(layout: &Layout, kerf: u32, all: bool) -> Result<(), TestCaseError> {
    let (mut number, mut length) = (1, 0);
    for cut in &layout.cut_sequence {
        prop_assert_eq!(cut.number, number);
        number += cut.times;
        length += cut.times * u64::from(cut.length_mm);
        for time in 0..u32::try_from(cut.times).unwrap() {
            let at = cut.at_mm + time * (cut.fence_mm + kerf);
            let Rect { x_mm: x, y_mm: y, width_mm: w, height_mm: h } = cut.wood;
            let sides = [at, y, at + kerf, y + h];
            let blade =
                if cut.parts_width(&layout.sheet) { sides } else { [x, at, x + w, at + kerf] };
            for placement in &layout.placements {
                let (left, top) = (placement.x_mm, placement.y_mm);
                let (w, h) = (placement.width_mm, placement.height_mm);
                for (column, row) in (0..placement.columns)
                    .flat_map(|column| (0..placement.rows).map(move |row| (column, row)))
                {
                    let (x, y) = (left + column * (w + kerf), top + row * (h + kerf));
                    let beside = x + w <= blade[0] || x >= blade[2];
                    let through = !(beside || y + h <= blade[1] || y >= blade[3]);
                    prop_assert!(!through, "cut {cut:?} goes through {placement:?}");
                }
            }
        }
    }
    prop_assert!(!all || (number - 1, length) == (layout.cuts, layout.cut_length_mm));
    Ok(())
}

fn any_toy() -> impl Strategy<Value = CuttingList> {
    let part = (1..400_u32, 1..400_u32, 1..8_u32, any::<bool>());
    prop::collection::vec(part, 1..10).prop_map(|parts| toy_with_grain(&parts))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn a_plan_can_be_sawn(list in any_toy(), toys in 1..60_i64) {
        for workshop in [small_effort(), Workshop::default()] {
            match workshop.plan(&list, quantity(toys)) {
                Ok(plan) => check(&plan, &list, quantity(toys))?,
                Err(cannot) => {
                    let too_many = matches!(cannot, CannotMake::TooManySheets { .. });
                    prop_assert!(too_many, "{cannot}");
                }
            }
        }
    }

    #[test]
    fn any_name_can_be_cut_in_letters(text in "\\PC{1,200}", toys in 1..1_000_i64) {
        prop_assume!(ProductName::parse(&text).is_ok());
        let list = CuttingList::letters(&name(&text));
        prop_assert!(!list.parts().is_empty());
        if let Ok(plan) = small_effort().plan(&list, quantity(toys)) {
            prop_assert_eq!(plan.figures.pieces % u64::from(quantity(toys).get()), 0);
        }
    }

    #[test]
    fn the_same_order_gives_the_same_plan(list in any_toy(), toys in 1..40_i64) {
        let plan = || small_effort().plan(&list, quantity(toys));
        prop_assert_eq!(plan(), plan());
    }

    #[test]
    fn a_plan_reads_what_it_writes(list in any_toy(), toys in 1..60_i64) {
        if let Ok(plan) = small_effort().plan(&list, quantity(toys)) {
            let json = serde_json::to_string(&plan).unwrap();
            prop_assert_eq!(serde_json::from_str::<Plan>(&json).unwrap(), plan);
        }
    }

    #[test]
    fn any_sheets_and_any_saw_will_do(
        (width, height, kerf) in (60..3_000_u32, 60..3_000_u32, 0..12_u32),
        list in any_toy(),
        toys in 1..20_i64,
    ) {
        let sheets = vec![Sheet::new("a", width, height), Sheet::new("b", 90, 700)];
        let workshop = Workshop::new(sheets, saw(kerf), 10_000).unwrap();
        let workshop = workshop.with_effort(small_effort().effort);
        match workshop.plan(&list, quantity(toys)) {
            Ok(plan) => check(&plan, &list, quantity(toys))?,
            Err(CannotMake::PartTooLarge { width_mm, height_mm, turned_would_fit, .. }) => {
                let part = woody_cutting::Part::new(width_mm, height_mm);
                let takes = |part: woody_cutting::Part| {
                    workshop.sheets.iter().any(|s| part.fits(s.width_mm, s.height_mm))
                };
                prop_assert!(!takes(part.with_grain()));
                prop_assert_eq!(takes(part), turned_would_fit);
            }
            Err(cannot) => prop_assert!(false, "{cannot}"),
        }
    }
}

#[test]
fn a_part_larger_than_any_sheet_is_named() {
    let list = toy(&[(100, 100, 1), (1_300, 1_221, 2)]);
    let cannot = Workshop::default().plan(&list, Quantity::ONE).unwrap_err();
    assert_eq!(
        cannot.to_string(),
        "part part 1 (1300 x 1221 mm) is larger than any sheet; the largest has room for 2440 x 1220 mm"
    );
}

#[test]
fn a_part_that_fits_only_when_turned_is_turned() {
    let list = toy(&[(1_000, 2_000, 1)]);
    let plan = Workshop::default().plan(&list, Quantity::ONE).unwrap();
    assert!(plan.layouts[0].placements[0].rotated);
}

#[test]
fn a_part_that_fits_only_turned_and_has_grain_cannot_be_made() {
    let list = toy_with_grain(&[(100, 100, 1, true), (1_000, 2_000, 1, true)]);
    let cannot = Workshop::default().plan(&list, Quantity::ONE).unwrap_err();
    assert_eq!(
        cannot.to_string(),
        "part part 1 (1000 x 2000 mm) would fit only turned, which its grain does not allow; \
         the largest has room for 2440 x 1220 mm"
    );
}

#[test]
fn grain_costs_a_sheet_where_only_turning_would_save_one() {
    let sheets = || vec![Sheet::new("board", 1_000, 600)];
    let workshop = Workshop::new(sheets(), saw(0), 10).unwrap();
    for (grain, count) in [(false, 1), (true, 2)] {
        let list = toy_with_grain(&[(600, 600, 1, grain), (600, 400, 1, grain)]);
        let plan = workshop.plan(&list, Quantity::ONE).unwrap();
        assert_eq!(plan.figures.sheets, count, "grain {grain}");
        let json = serde_json::to_value(&plan).unwrap();
        assert_eq!(json["parts"][1].get("grain").is_some(), grain, "{json}");
        assert_eq!(serde_json::from_value::<Plan>(json).unwrap(), plan);
    }
}

#[test]
fn too_many_sheets_are_counted() {
    // Two of these never share a sheet, though their area would let them.
    let list = toy(&[(1_300, 700, 1)]);
    let cannot = Workshop::default().plan(&list, quantity(400)).unwrap_err();
    assert_eq!(cannot.to_string(), "needs about 400 sheets, the workshop allows 250");
    // These are refused by their area alone.
    let cannot = Workshop::default().plan(&toy(&[(2_440, 1_220, 1)]), Quantity::MAX).unwrap_err();
    assert_eq!(cannot.to_string(), "needs at least 1000 sheets, the workshop allows 250");
}

#[test]
fn the_figures_are_told_in_a_line() {
    let plan = Workshop::default().plan(&toy(&[(1_220, 610, 1)]), Quantity::ONE).unwrap();
    assert_eq!(plan.summary().as_str(), "1 sheet, 1 piece, 100 % used");
    let plan = Workshop::default().plan(&toy(&[(1_220, 1_220, 2)]), quantity(4)).unwrap();
    assert_eq!(plan.summary().as_str(), "8 sheets, 8 pieces, 100 % used");
}

#[test]
fn a_million_pieces_are_a_short_plan() {
    let parts: Vec<_> = (0..200).map(|i| (1 + i % 20, 1 + i * 7 % 19, 5)).collect();
    let list = toy(&parts);
    let plan = Workshop::default().plan(&list, Quantity::MAX).unwrap();
    assert_eq!(plan.figures.pieces, 1_000_000);
    let placements: usize = plan.layouts.iter().map(|layout| layout.placements.len()).sum();
    assert!(placements < 5_000, "{placements}");
}

#[test]
fn many_long_strips_can_be_sawn() {
    let strips: Vec<_> = (0..200).map(|i| (5 + i % 9, 900 + i, 5)).collect();
    let list = toy(&strips);
    for toys in [1, 2, 7, 20] {
        let plan = small_effort().plan(&list, quantity(toys)).unwrap();
        check(&plan, &list, quantity(toys)).unwrap();
    }
}

#[test]
fn common_names_can_be_sawn_and_nothing_is_wasted_that_need_not_be() {
    // By its area each of these needs as many panels as the plan takes.
    for (text, toys, sheets) in [("Train", 5, 1), ("Rocking Horse", 5, 1), ("Woody", 20, 1)] {
        let list = CuttingList::letters(&name(text));
        let plan = Workshop::default().plan(&list, quantity(toys)).unwrap();
        check(&plan, &list, quantity(toys)).unwrap();
        assert_eq!(plan.figures.sheets, sheets, "{text}: {}", plan.summary());
    }
}

#[test]
fn cheap_offcuts_at_hand_come_first_and_no_more_than_there_are() {
    let sheets = vec![
        Sheet::new("panel", 1_220, 610).priced(1_000),
        Sheet::new("offcut", 400, 300).priced(1).limited(2),
    ];
    let workshop = Workshop::new(sheets, Saw::default(), 10).unwrap();
    let plan = workshop.plan(&toy(&[(390, 290, 1)]), quantity(7)).unwrap();
    let used: Vec<_> = plan.layouts.iter().map(|l| (l.sheet.name.as_str(), l.repeat)).collect();
    assert!(used.contains(&("offcut", 1)) && used.contains(&("panel", 1)), "{used:?}");
    assert_eq!(plan.figures.cost, Some(1_001));
    assert_eq!(plan.summary().as_str(), "2 sheets, 7 pieces, 92 % used, cost 1001");
    // A panel takes six of them.
    let plan = workshop.plan(&toy(&[(390, 290, 1)]), quantity(8)).unwrap();
    assert_eq!(plan.figures.cost, Some(1_002));
}

#[test]
fn too_few_sheets_at_hand_are_a_verdict() {
    let workshop =
        Workshop::new(vec![Sheet::new("panel", 500, 500).limited(1)], Saw::default(), 10).unwrap();
    let cannot = workshop.plan(&toy(&[(400, 400, 1)]), quantity(3)).unwrap_err();
    assert_eq!(
        cannot.to_string(),
        "the sheets at hand do not take all pieces: 2 are left over, part 0 among them"
    );
}

#[test]
fn a_windmill_for_a_router_takes_one_sheet_and_no_cuts() {
    let parts = windmill::product().parts;
    let list = CuttingList::of(&name("Windmill"), &parts);
    let workshop = |stages| {
        let saw = Saw { kerf_mm: 0, stages, ..Saw::default() };
        Workshop::new(windmill::workshop(9).sheets().to_vec(), saw, 10).unwrap()
    };
    let sawn = workshop(Stages::Any).plan(&list, Quantity::ONE).unwrap();
    assert_eq!((sawn.figures.sheets, sawn.layouts[0].free), (2, false));
    let plan = workshop(Stages::Free).plan(&list, Quantity::ONE).unwrap();
    let figures = plan.figures;
    assert_eq!((figures.sheets, figures.cuts, figures.cut_length_mm), (1, 0, 0));
    let layout = &plan.layouts[0];
    assert!(layout.free && layout.cut_sequence.is_empty());
    let json = serde_json::to_value(&plan).unwrap();
    assert_eq!(json["layouts"][0]["free"], true);
    assert_eq!(serde_json::from_value::<Plan>(json).unwrap(), plan);
    let json = serde_json::to_value(&sawn).unwrap();
    assert!(json["layouts"][0].get("free").is_none(), "{json}");
    let svg = plan.to_svg("Windmill");
    assert!(svg.contains("free layout, for a router") && !svg.contains("fence"), "{svg}");
    assert_eq!(plan.to_csv("Windmill").lines().count(), 1 + layout.placements.len());
    assert!(plan.to_dxf().unwrap().contains("PIECES"));
}

#[test]
fn raw_edges_are_trimmed() {
    let saw = Saw { trim_mm: 15, ..Saw::default() };
    let workshop = Workshop::new(vec![Sheet::new("board", 600, 400)], saw, 10).unwrap();
    let plan = workshop.plan(&toy(&[(570, 370, 1)]), Quantity::ONE).unwrap();
    let Placement { x_mm, y_mm, .. } = plan.layouts[0].placements[0];
    assert_eq!((x_mm, y_mm, plan.figures.cuts), (15, 15, 4));
    let cannot = workshop.plan(&toy(&[(571, 370, 1)]), Quantity::ONE).unwrap_err();
    assert!(cannot.to_string().ends_with("the largest has room for 570 x 370 mm"), "{cannot}");
}

#[test]
fn a_plan_is_json_with_its_blocks() {
    let plan = Workshop::default().plan(&toy(&[(10, 10, 1_000)]), quantity(3)).unwrap();
    let json = serde_json::to_value(&plan).unwrap();
    assert_eq!(serde_json::from_value::<Plan>(json.clone()).unwrap(), plan);
    assert_eq!(json["figures"]["pieces"], 3_000);
    assert_eq!(json["parts"][0]["name"], "part 0");
    let block = &json["layouts"][0]["placements"][0];
    assert!(block["columns"].as_u64().unwrap() > 1, "{block}");
}
