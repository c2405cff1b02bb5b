//! From an order to the planner's problem, and from its plan to the workshop's words.

use woody_cutting::{Part, Problem, ProblemError, Unplanned};

use super::{
    CannotMake, CutPart, CuttingList, Figures, Layout, Placement, Plan, Workshop, blocks, cuts,
};
use super::{HeavyError, Wanted};
use crate::domain::Quantity;

impl Workshop {
    /// Plans how `quantity` toys are cut, so that a saw can cut them: every cut goes from
    /// edge to edge of the wood that lies on it. With [`Stages::Free`](super::Stages::Free) for a
    /// router, where that costs less.
    ///
    /// The same arguments give the same plan, always and everywhere, unless the effort has
    /// a time limit. It may take some hundred milliseconds: call it on a
    /// [`HeavyPool`](super::HeavyPool).
    ///
    /// # Errors
    /// [`CannotMake`] is the verdict that the order cannot be made.
    pub fn plan(&self, list: &CuttingList, quantity: Quantity) -> Result<Plan, CannotMake> {
        self.plan_while(list, quantity, || true)
    }

    /// As [`plan`](Self::plan), for a job on a [`HeavyPool`](super::HeavyPool): ends with the
    /// best plan so far soon after it is not `wanted` any more.
    ///
    /// # Errors
    /// [`HeavyError::TookTooLong`] where a longer search might have reversed the verdict.
    pub fn plan_while_wanted(
        &self,
        list: &CuttingList,
        quantity: Quantity,
        wanted: &Wanted,
    ) -> Result<Result<Plan, CannotMake>, HeavyError> {
        let mut is_whole = true;
        let plan = self.plan_while(list, quantity, || {
            is_whole = wanted.go_on();
            is_whole
        });
        let unsure = |cannot: &CannotMake| {
            use CannotMake::{OutOfStock, TooManySheets};
            matches!(cannot, OutOfStock { .. } | TooManySheets { at_least: false, .. })
        };
        if is_whole {
            return Ok(plan);
        }
        if plan.as_ref().is_err_and(unsure) {
            return Err(HeavyError::TookTooLong);
        }
        if wanted.has_caller() {
            tracing::warn!(
                quantity = quantity.get(),
                parts = list.parts().len(),
                "a plan took as long as it may: it is the best that was found"
            );
        }
        Ok(plan)
    }

    fn plan_while(
        &self,
        list: &CuttingList,
        quantity: Quantity,
        go_on: impl FnMut() -> bool,
    ) -> Result<Plan, CannotMake> {
        let parts = list.parts();
        let toys = u64::from(quantity.get());
        let problem = self.problem(parts, toys)?;
        self.check_area(parts, toys)?;
        let plan =
            problem.plan_while(&self.effort, go_on).map_err(|error| out_of_stock(&error, parts))?;
        let mut most_cuts = cuts::MAX_CUTS;
        let layout = |sheet| {
            let layout = self.layout(&problem, sheet, most_cuts);
            most_cuts -= layout.cut_sequence.len();
            layout
        };
        let layouts: Vec<Layout> = plan.sheets.iter().map(layout).collect();
        let figures = Figures::of(&layouts, self.has_prices().then_some(plan.cost));
        if figures.sheets > self.max_sheets {
            return Err(self.too_many(figures.sheets, false));
        }
        let kerf_mm = self.saw.kerf_mm;
        Ok(Plan { quantity, kerf_mm, figures, parts: parts.to_vec(), layouts })
    }

    fn problem(&self, parts: &[CutPart], toys: u64) -> Result<Problem, CannotMake> {
        let wanted = |part: &CutPart| {
            // More than there are numbers is more than can be planned, which is said.
            let count = u32::try_from(u64::from(part.per_toy) * toys).unwrap_or(u32::MAX);
            let wanted = Part::new(part.width_mm, part.height_mm).times(count);
            if part.grain { wanted.with_grain() } else { wanted }
        };
        let stock = self.sheets.iter().map(super::Sheet::stock).collect();
        Problem::new(parts.iter().map(wanted).collect(), stock, self.saw).map_err(|error| {
            match error {
                ProblemError::PartTooLarge {
                    index,
                    room_width_mm,
                    room_height_mm,
                    turned_would_fit,
                    ..
                } => {
                    let CutPart { name, width_mm, height_mm, .. } = &parts[index];
                    CannotMake::PartTooLarge {
                        part: name.to_string(),
                        width_mm: *width_mm,
                        height_mm: *height_mm,
                        room_width_mm,
                        room_height_mm,
                        turned_would_fit,
                    }
                }
                error => CannotMake::NoLayout(error.to_string()),
            }
        })
    }

    fn layout(&self, problem: &Problem, sheet: &woody_cutting::Sheet, most_cuts: usize) -> Layout {
        let piece = |placement: &woody_cutting::Placement| Placement {
            part: placement.part,
            x_mm: placement.rect.x_mm,
            y_mm: placement.rect.y_mm,
            width_mm: placement.rect.width_mm,
            height_mm: placement.rect.height_mm,
            rotated: placement.turned,
            columns: 1,
            rows: 1,
        };
        let pieces = sheet.placements().iter().map(piece).collect();
        let cuts = sheet.cuts(&problem.stock()[sheet.stock], &self.saw);
        let stock = &self.sheets[sheet.stock];
        Layout {
            sheet: stock.clone(),
            repeat: sheet.repeat,
            placements: blocks::joined(pieces, self.saw.kerf_mm),
            offcuts: sheet.offcuts(self.saw.least_offcut_mm),
            cuts: cuts.len() as u64,
            cut_length_mm: cuts.iter().map(|cut| u64::from(cut.length_mm)).sum(),
            cut_sequence: cuts::sequence(&cuts, stock, self.saw.kerf_mm, most_cuts),
            free: sheet.is_free(),
        }
    }

    /// Refuses at once what no layout could make fit.
    fn check_area(&self, parts: &[CutPart], toys: u64) -> Result<(), CannotMake> {
        let area = |part: &CutPart| {
            u64::from(part.per_toy) * u64::from(part.width_mm) * u64::from(part.height_mm)
        };
        let needed = toys * parts.iter().map(area).sum::<u64>();
        let largest = self.sheets.iter().map(super::Sheet::area_mm2).max().unwrap_or(1);
        let at_least = needed.div_ceil(largest);
        if at_least > self.max_sheets { Err(self.too_many(at_least, true)) } else { Ok(()) }
    }

    fn too_many(&self, needed: u64, at_least: bool) -> CannotMake {
        CannotMake::TooManySheets { needed, at_least, allowed: self.max_sheets }
    }
}

fn out_of_stock(error: &Unplanned, parts: &[CutPart]) -> CannotMake {
    match error {
        Unplanned::OutOfStock { missing, first } => CannotMake::OutOfStock {
            missing: *missing,
            part: parts.get(*first).map_or_else(String::new, |part| part.name.to_string()),
        },
        error => CannotMake::NoLayout(error.to_string()),
    }
}
