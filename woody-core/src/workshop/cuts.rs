//! The cuts of a sheet in the order of the sawing, equal ones in a row written once.

use serde::{Deserialize, Serialize};
use woody_cutting::{Direction, Rect};

use super::Sheet;

/// The most entries that the cut sequences of one plan have together.
pub(super) const MAX_CUTS: usize = 2_000;

/// A cut from edge to edge of the wood that lies on the saw, or several that follow each
/// other with the same setting of the fence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cut {
    /// Which cut of the sheet it is, the first of several: 1 for the sheet's first.
    pub number: u64,
    /// Along the sheet's longer side (`rip`), or across it (`cross`).
    pub direction: Direction,
    /// How wide a strip comes off: what the fence is set to. Where a raw edge is trimmed,
    /// what is cut away.
    pub fence_mm: u32,
    /// Where the blade enters, from the sheet's left edge or its top edge.
    pub at_mm: u32,
    /// How long the cut is.
    pub length_mm: u32,
    /// The wood that is parted, before the first of several.
    pub wood: Rect,
    /// How many such cuts follow each other, each a strip and a kerf further.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub times: u64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes references")]
fn is_one(n: &u64) -> bool {
    *n == 1
}

const fn one() -> u64 {
    1
}

impl Cut {
    /// Whether it parts the width of the wood that lies on `sheet`, by a blade that runs from
    /// top to bottom.
    pub fn parts_width(&self, sheet: &Sheet) -> bool {
        (self.direction == Direction::Cross) == (sheet.width_mm >= sheet.height_mm)
    }

    /// Where its wood begins along the side that it parts.
    fn start_mm(&self, sheet: &Sheet) -> u32 {
        if self.parts_width(sheet) { self.wood.x_mm } else { self.wood.y_mm }
    }

    /// Whether `next` is made with the same setting, on what this cut leaves of the wood.
    fn goes_on(&self, next: &Self, sheet: &Sheet, kerf_mm: u32) -> bool {
        let setting = |cut: &Self| (cut.direction, cut.fence_mm, cut.length_mm);
        let across =
            |cut: &Self| if cut.parts_width(sheet) { cut.wood.y_mm } else { cut.wood.x_mm };
        // A raw edge that is trimmed on the far side is no strip of this width.
        let is_strip = |cut: &Self| cut.at_mm == cut.start_mm(sheet) + cut.fence_mm;
        let strip = u64::from(self.fence_mm) + u64::from(kerf_mm);
        setting(self) == setting(next)
            && across(self) == across(next)
            && is_strip(self)
            && is_strip(next)
            && u64::from(self.start_mm(sheet)) + self.times * strip
                == u64::from(next.start_mm(sheet))
    }
}

/// Returns the cuts as a workshop reads them, `most` entries at most.
pub(super) fn sequence(
    cuts: &[woody_cutting::Cut],
    sheet: &Sheet,
    kerf_mm: u32,
    most: usize,
) -> Vec<Cut> {
    let mut runs: Vec<Cut> = Vec::new();
    for cut in cuts {
        let has_room = runs.len() < most;
        let woody_cutting::Cut { direction, fence_mm, wood, at_mm, length_mm, .. } = *cut;
        let number = cut.number as u64;
        let cut = Cut { number, direction, fence_mm, at_mm, length_mm, wood, times: 1 };
        match runs.last_mut() {
            Some(run) if run.goes_on(&cut, sheet, kerf_mm) => run.times += 1,
            _ if has_room => runs.push(cut),
            _ => break,
        }
    }
    runs
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(number: usize, fence_mm: u32, x_mm: u32, width_mm: u32) -> woody_cutting::Cut {
        let wood = Rect { x_mm, y_mm: 0, width_mm, height_mm: 100 };
        woody_cutting::Cut {
            number,
            direction: Direction::Cross,
            fence_mm,
            wood,
            at_mm: x_mm + fence_mm,
            length_mm: 100,
        }
    }

    #[test]
    fn cuts_with_one_setting_of_the_fence_are_one_entry() {
        let sheet = Sheet::new("board", 500, 100);
        let cuts =
            [cut(1, 40, 0, 500), cut(2, 40, 43, 457), cut(3, 40, 86, 414), cut(4, 50, 129, 371)];
        let runs = sequence(&cuts, &sheet, 3, 9);
        let told: Vec<_> = runs.iter().map(|cut| (cut.number, cut.times, cut.at_mm)).collect();
        assert_eq!(told, [(1, 3, 40), (4, 1, 179)]);
        assert_eq!(runs[0].wood.width_mm, 500);
        assert_eq!(sequence(&cuts, &sheet, 3, 1).len(), 1, "it is bounded");
    }

    #[test]
    fn both_trimmed_edges_are_cuts_of_their_own() {
        let sheet = Sheet::new("board", 500, 100);
        let far = woody_cutting::Cut { at_mm: 490, ..cut(2, 10, 10, 490) };
        assert_eq!(sequence(&[cut(1, 10, 0, 500), far], &sheet, 0, 9).len(), 2);
    }
}
