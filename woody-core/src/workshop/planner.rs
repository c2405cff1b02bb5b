//! Plans of any size at a bounded price.
//!
//! A search over a million pieces would take hours, so an order is cut as a
//! repeated batch: as many toys as pack together at the effort's price, planned
//! once, sawn many times. The emptiest sheet of the batch would be wasted once per
//! repetition, so its pieces are planned anew, as a batch of their own; what
//! remains of all batches is planned together at the end.

use super::blocks::{Item, gather, single};
use super::{CannotMake, CutPart, CuttingList, Figures, Layout, Plan, Workshop, packing};
use crate::domain::Quantity;

/// How often the emptiest sheet of a batch is planned anew.
const CARRIES: u32 = 2;

impl Workshop {
    /// Plans how `quantity` toys are cut.
    ///
    /// The same arguments give the same plan, always and everywhere. It may take
    /// some hundred milliseconds: call it on a [`HeavyPool`](super::HeavyPool).
    ///
    /// # Errors
    /// [`CannotMake`] is the verdict that the order cannot be made.
    pub fn plan(&self, list: &CuttingList, quantity: Quantity) -> Result<Plan, CannotMake> {
        let parts = list.parts();
        self.check_sizes(parts)?;
        self.check_area(parts, u64::from(quantity.get()))?;
        let toy: Vec<u64> = parts.iter().map(|part| u64::from(part.per_toy)).collect();
        let planner = Planner { workshop: self, parts };
        let layouts =
            planner.repeat(toy, u64::from(quantity.get())).map_err(CannotMake::NoLayout)?;
        let layouts = merge(layouts);
        let figures = Figures::of(&layouts);
        if figures.sheets > self.max_sheets {
            return Err(self.too_many(figures.sheets, false));
        }
        Ok(Plan { quantity, kerf_mm: self.kerf_mm, figures, parts: parts.to_vec(), layouts })
    }

    fn check_sizes(&self, parts: &[CutPart]) -> Result<(), CannotMake> {
        let fits = |part: &CutPart| {
            self.sheets.iter().any(|sheet| sheet.fits(part.width_mm, part.height_mm))
        };
        match parts.iter().find(|part| !fits(part)) {
            None => Ok(()),
            Some(part) => Err(CannotMake::PartTooLarge {
                part: part.name.to_string(),
                width_mm: part.width_mm,
                height_mm: part.height_mm,
            }),
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

struct Planner<'a> {
    workshop: &'a Workshop,
    parts: &'a [CutPart],
}

impl Planner<'_> {
    /// Plans `times` times the pieces of `unit` (how many of each part).
    fn repeat(&self, mut unit: Vec<u64>, mut times: u64) -> Result<Vec<Layout>, String> {
        let mut layouts = Vec::new();
        let mut rest = vec![0; unit.len()];
        for carries_left in (0..=CARRIES).rev() {
            // The end of it in one piece, if it can be had for the price of a batch.
            let together = sum(&rest, &unit, times);
            if self.items(&together).1 <= self.workshop.effort.batch as u64 {
                rest = together;
                break;
            }
            let batch = self.batch(&unit, times);
            let repeats = times / batch;
            rest = sum(&rest, &unit, times % batch);
            let mut cut = self.pack(&sum(&vec![0; unit.len()], &unit, batch))?;
            let emptiest =
                if repeats > 1 && carries_left > 0 { take_emptiest(&mut cut) } else { None };
            layouts.extend(cut.into_iter().map(|layout| Layout { repeat: repeats, ..layout }));
            let Some(emptiest) = emptiest else { break };
            unit.fill(0);
            for placement in &emptiest.placements {
                unit[placement.part] += placement.pieces();
            }
            times = repeats;
        }
        if rest.iter().any(|count| *count > 0) {
            layouts.extend(self.pack(&rest)?);
        }
        Ok(layouts)
    }

    /// Returns the most repetitions of `unit` that the effort lets be packed together.
    fn batch(&self, unit: &[u64], times: u64) -> u64 {
        let none = vec![0; unit.len()];
        let affordable =
            |n| self.items(&sum(&none, unit, n)).1 <= self.workshop.effort.batch as u64;
        if affordable(times) {
            return times;
        }
        let (mut enough, mut too_many) = (1, times);
        while too_many - enough > 1 {
            let middle = enough.midpoint(too_many);
            if affordable(middle) { enough = middle } else { too_many = middle }
        }
        enough
    }

    /// Returns the rectangles that so many of each part are, and how many: each piece for
    /// itself while they are few, gathered into blocks otherwise.
    fn items(&self, counts: &[u64]) -> (Vec<Item>, u64) {
        let pieces = counts.iter().sum::<u64>();
        let needed = counts.iter().copied().enumerate().filter(|(_, count)| *count > 0);
        if pieces <= self.workshop.effort.batch as u64 {
            return (needed.map(|(part, count)| single(part, count)).collect(), pieces);
        }
        let Workshop { sheets, kerf_mm, .. } = self.workshop;
        let items: Vec<Item> = needed
            .flat_map(|(part, count)| gather(part, &self.parts[part], count, sheets, *kerf_mm))
            .collect();
        let rectangles = items.iter().map(|item| item.count).sum();
        (items, rectangles)
    }

    fn pack(&self, counts: &[u64]) -> Result<Vec<Layout>, String> {
        packing::pack(self.workshop, self.parts, &self.items(counts).0)
    }
}

/// So many of each part as `base` and `times` times `unit` are together.
fn sum(base: &[u64], unit: &[u64], times: u64) -> Vec<u64> {
    base.iter().zip(unit).map(|(base, unit)| base + unit * times).collect()
}

/// Takes the emptiest sheet away, if others stay and it is worth another plan:
/// when it is much emptier than the rest.
fn take_emptiest(layouts: &mut Vec<Layout>) -> Option<Layout> {
    if layouts.len() < 2 {
        return None;
    }
    let per_mille = |layout: &Layout| layout.used_mm2() * 1_000 / layout.sheet.area_mm2().max(1);
    let (index, least) = layouts.iter().map(per_mille).enumerate().min_by_key(|(_, used)| *used)?;
    let most = layouts.iter().map(per_mille).max()?;
    (least * 4 < most * 3).then(|| layouts.remove(index))
}

/// Writes equal layouts once.
fn merge(layouts: Vec<Layout>) -> Vec<Layout> {
    let mut merged: Vec<Layout> = Vec::with_capacity(layouts.len());
    for layout in layouts {
        let same = |other: &&mut Layout| {
            other.sheet == layout.sheet && other.placements == layout.placements
        };
        match merged.iter_mut().find(same) {
            Some(other) => other.repeat += layout.repeat,
            None => merged.push(layout),
        }
    }
    merged
}
