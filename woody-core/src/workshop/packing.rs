//! The packing crate behind the workshop's own words.

use bin_packing::two_d::{
    RectDemand2D, Sheet2D, SheetLayout2D, TwoDAlgorithm, TwoDOptions, TwoDProblem, TwoDSolution,
    solve_2d,
};

use super::blocks::Item;
use super::{CutPart, Effort, Layout, Placement, Workshop};

/// Plans are the same on every replica and at every time.
const SEED: u64 = 0x0057_4f4f_4459;

/// Above this many rotatable rectangles a search over all their rotations is
/// sampled: 2^4 packings are enough.
const ROTATIONS_TRIED_IN_FULL: usize = 4;

/// Lays `items` out on as few sheets as the effort for their number finds.
pub(super) fn pack(
    workshop: &Workshop,
    parts: &[CutPart],
    items: &[Item],
) -> Result<Vec<Layout>, String> {
    let problem = problem(workshop, parts, items);
    let count = problem.demands.iter().map(|demand| demand.quantity).sum();
    let mut best: Option<TwoDSolution> = None;
    let mut problems = Vec::new();
    for &algorithm in algorithms(&workshop.effort, count) {
        let options = TwoDOptions {
            algorithm,
            multistart_runs: workshop.effort.restarts,
            auto_rotation_search_max_types: ROTATIONS_TRIED_IN_FULL,
            seed: Some(SEED),
            ..TwoDOptions::default()
        };
        match solve_2d(problem.clone(), options) {
            Ok(found) if !found.unplaced.is_empty() => problems.push("pieces are left over".into()),
            Ok(found) => {
                if best.as_ref().is_none_or(|best| rank(&found) < rank(best)) {
                    best = Some(found);
                }
            }
            Err(error) => problems.push(error.to_string()),
        }
    }
    let best = best.ok_or_else(|| problems.join("; "))?;
    best.layouts.iter().map(|layout| read(workshop, items, layout)).collect()
}

fn algorithms(effort: &Effort, count: usize) -> &'static [TwoDAlgorithm] {
    use TwoDAlgorithm as A;
    if count <= effort.thorough {
        // All that `Auto` tries but for two. On some inputs the guillotines' ranking
        // is no total order, and the standard library's sort panics; and with a kerf
        // the skylines lay one piece over another, in one plan of two hundred.
        &[
            A::MaxRects,
            A::MaxRectsBestShortSideFit,
            A::MaxRectsBestLongSideFit,
            A::MaxRectsContactPoint,
            A::BestFitDecreasingHeight,
            A::MultiStart,
            A::RotationSearch,
        ]
    } else if count <= effort.careful {
        &[A::MaxRects, A::MaxRectsBestShortSideFit, A::BestFitDecreasingHeight]
    } else {
        &[A::MaxRectsBestShortSideFit, A::BestFitDecreasingHeight]
    }
}

/// Ranks layouts: fewer sheets first, then less wood.
fn rank(solution: &TwoDSolution) -> (usize, u64) {
    (solution.sheet_count, solution.total_waste_area)
}

/// Names are indices: the crate wants sheet names unique and gives demand
/// names back, and neither is promised of ours.
fn problem(workshop: &Workshop, parts: &[CutPart], items: &[Item]) -> TwoDProblem {
    let sheet = |(index, sheet): (usize, &super::Sheet)| Sheet2D {
        name: index.to_string(),
        width: sheet.width_mm,
        height: sheet.height_mm,
        cost: 1.0,
        quantity: None,
        kerf: workshop.kerf_mm,
        edge_kerf_relief: false,
    };
    let demand = |(index, item): (usize, &Item)| RectDemand2D {
        name: index.to_string(),
        width: item.width(&parts[item.part], workshop.kerf_mm),
        height: item.height(&parts[item.part], workshop.kerf_mm),
        quantity: usize::try_from(item.count).unwrap_or(usize::MAX),
        can_rotate: true,
    };
    TwoDProblem {
        sheets: workshop.sheets.iter().enumerate().map(sheet).collect(),
        demands: items.iter().enumerate().map(demand).collect(),
    }
}

fn read(workshop: &Workshop, items: &[Item], layout: &SheetLayout2D) -> Result<Layout, String> {
    let index = |name: &str| name.parse::<usize>().map_err(|error| error.to_string());
    let sheet = workshop.sheets.get(index(&layout.sheet_name)?).ok_or("an unknown sheet")?;
    let placement = |found: &bin_packing::two_d::Placement2D| -> Result<Placement, String> {
        let item = items.get(index(&found.name)?).ok_or("an unknown piece")?;
        let (columns, rows) =
            if found.rotated { (item.rows, item.columns) } else { (item.columns, item.rows) };
        // The size of one piece, out of the size of its block.
        let piece = |block: u32, n: u32| (block - workshop.kerf_mm * (n - 1)) / n;
        Ok(Placement {
            part: item.part,
            x_mm: found.x,
            y_mm: found.y,
            width_mm: piece(found.width, columns),
            height_mm: piece(found.height, rows),
            rotated: found.rotated,
            columns,
            rows,
        })
    };
    let placements: Result<Vec<_>, _> = layout.placements.iter().map(placement).collect();
    Ok(Layout { sheet: sheet.clone(), repeat: 1, placements: placements? })
}
