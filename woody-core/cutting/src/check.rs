//! Whether a plan can be sawn, judged from its rectangles alone: nothing here knows
//! how plans are made, or looks at their cut trees. Of a sheet that is for a router only that its
//! pieces lie a kerf apart.

use crate::geometry::{Axis, Rect};
use crate::plan::Plan;
use crate::problem::{Problem, Stages};

/// What is wrong with a plan.
#[non_exhaustive]
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// It names a part or a size that there is not.
    #[error("sheet {sheet} names a part or a size that the problem does not have")]
    Unknown {
        /// Index of the sheet in the plan.
        sheet: usize,
    },
    /// A piece lies outside of its sheet or in the trim.
    #[error("a piece of part [{part}] lies outside of sheet {sheet}")]
    Outside {
        /// Index of the sheet in the plan.
        sheet: usize,
        /// Index of the part.
        part: usize,
    },
    /// A piece has not the size of its part, or is turned against its grain.
    #[error("a piece of part [{part}] on sheet {sheet} is not as it is wanted")]
    WrongPiece {
        /// Index of the sheet in the plan.
        sheet: usize,
        /// Index of the part.
        part: usize,
    },
    /// No sequence of edge-to-edge cuts frees the pieces.
    #[error("sheet {sheet} cannot be sawn")]
    NotSawable {
        /// Index of the sheet in the plan.
        sheet: usize,
    },
    /// Pieces overlap, or a router's bit does not go between them.
    #[error("two pieces on sheet {sheet} overlap or lie closer than the kerf")]
    TooClose {
        /// Index of the sheet in the plan.
        sheet: usize,
    },
    /// Too many or too few pieces.
    #[error("{cut} pieces of part [{part}] are cut, {wanted} are wanted")]
    Count {
        /// Index of the part.
        part: usize,
        /// How many are cut.
        cut: u64,
        /// How many are wanted.
        wanted: u64,
    },
    /// More sheets than are at hand.
    #[error("{used} sheets of size [{stock}] are used, {at_hand} are at hand")]
    NotAtHand {
        /// Index of the size.
        stock: usize,
        /// How many are used.
        used: u64,
        /// How many there are.
        at_hand: u64,
    },
    /// The cost is not the sum of the sheets' prices.
    #[error("the sheets cost {sum}, not {cost}")]
    Cost {
        /// What the plan says.
        cost: u64,
        /// What the sheets cost.
        sum: u64,
    },
}

/// Whether edge-to-edge cuts of `kerf_mm` can free every one of `pieces`.
///
/// A cut takes a free strip as wide as the kerf through the whole wood. Pieces that
/// overlap, or lie closer than the kerf, cannot be freed.
///
/// ```
/// use woody_cutting::{Rect, check::sawable};
///
/// let rect = |x_mm, y_mm, width_mm, height_mm| Rect { x_mm, y_mm, width_mm, height_mm };
/// // Four pieces around a fifth, like a windmill: every cut would go through one of them.
/// let windmill = [rect(0, 0, 20, 10), rect(20, 0, 10, 20), rect(10, 20, 20, 10), rect(0, 10, 10, 20)];
/// assert!(!sawable(&windmill, 0));
/// assert!(sawable(&windmill[..3], 0));
/// ```
pub fn sawable(pieces: &[Rect], kerf_mm: u32) -> bool {
    let mut woods = vec![pieces.to_vec()];
    while let Some(mut wood) = woods.pop() {
        if wood.len() < 2 {
            continue;
        }
        let parted = [Axis::Width, Axis::Height].into_iter().find_map(|axis| {
            wood.sort_unstable_by_key(|rect| rect.start_mm(axis));
            let groups = part(&wood, axis, kerf_mm);
            (groups.len() > 1).then_some(groups)
        });
        match parted {
            Some(groups) => woods.extend(groups),
            None => return false,
        }
    }
    true
}

/// Pieces, sorted along `axis`, in groups that no cut across it can part.
fn part(pieces: &[Rect], axis: Axis, kerf_mm: u32) -> Vec<Vec<Rect>> {
    let mut groups: Vec<Vec<Rect>> = Vec::new();
    let mut end = 0;
    for rect in pieces {
        let start = u64::from(rect.start_mm(axis));
        match groups.last_mut() {
            Some(group) if start < end + u64::from(kerf_mm) => group.push(*rect),
            _ => groups.push(vec![*rect]),
        }
        end = end.max(start + u64::from(rect.along_mm(axis)));
    }
    groups
}

/// Whether no two of `pieces` overlap or lie closer than `kerf_mm`: what a router asks of them.
///
/// ```
/// use woody_cutting::{Rect, check::apart};
///
/// let rect = |x_mm, y_mm, width_mm, height_mm| Rect { x_mm, y_mm, width_mm, height_mm };
/// let windmill = [rect(0, 0, 20, 10), rect(20, 0, 10, 20), rect(10, 20, 20, 10), rect(0, 10, 10, 20)];
/// assert!(apart(&windmill, 0));
/// assert!(!apart(&windmill, 1));
/// ```
pub fn apart(pieces: &[Rect], kerf_mm: u32) -> bool {
    let end = |rect: &Rect, axis| u64::from(rect.start_mm(axis)) + u64::from(rect.along_mm(axis));
    let mut sorted = pieces.to_vec();
    sorted.sort_unstable_by_key(|rect| rect.x_mm);
    // Those to the left that the next piece may touch.
    let mut near: Vec<Rect> = Vec::new();
    sorted.iter().all(|rect| {
        let clear = |a: &Rect, b: &Rect, axis| {
            end(a, axis) + u64::from(kerf_mm) <= u64::from(b.start_mm(axis))
        };
        near.retain(|other| !clear(other, rect, Axis::Width));
        let free = near
            .iter()
            .all(|other| clear(other, rect, Axis::Height) || clear(rect, other, Axis::Height));
        near.push(*rect);
        free
    })
}

/// Checks all that a plan owes its problem.
///
/// # Errors
/// The first [`Fault`] that is found.
pub fn verify(problem: &Problem, plan: &Plan) -> Result<(), Fault> {
    let saw = problem.saw();
    let mut counts = vec![0; problem.parts().len()];
    let mut used = vec![0; problem.stock().len()];
    let mut sum = 0;
    for (sheet, layout) in plan.sheets.iter().enumerate() {
        let stock = problem.stock().get(layout.stock).ok_or(Fault::Unknown { sheet })?;
        used[layout.stock] += layout.repeat;
        sum += stock.price * layout.repeat;
        let placements = layout.placements();
        for placement in &placements {
            let (part, rect) = (placement.part, placement.rect);
            let wanted = problem.parts().get(part).ok_or(Fault::Unknown { sheet })?;
            counts[part] += layout.repeat;
            let ends = |start: u32, size: u32, side: u32| {
                start >= saw.trim_mm
                    && u64::from(start) + u64::from(size) + u64::from(saw.trim_mm)
                        <= u64::from(side)
            };
            if !ends(rect.x_mm, rect.width_mm, stock.width_mm)
                || !ends(rect.y_mm, rect.height_mm, stock.height_mm)
            {
                return Err(Fault::Outside { sheet, part });
            }
            let lies = if placement.turned {
                (rect.height_mm, rect.width_mm)
            } else {
                (rect.width_mm, rect.height_mm)
            };
            if lies != (wanted.width_mm, wanted.height_mm) || (placement.turned && !wanted.may_turn)
            {
                return Err(Fault::WrongPiece { sheet, part });
            }
        }
        let rects: Vec<Rect> = placements.iter().map(|placement| placement.rect).collect();
        if saw.stages == Stages::Free && layout.is_free() {
            if !apart(&rects, saw.kerf_mm) {
                return Err(Fault::TooClose { sheet });
            }
        } else if !sawable(&rects, saw.kerf_mm) {
            return Err(Fault::NotSawable { sheet });
        }
    }
    for (part, (cut, wanted)) in counts.iter().zip(problem.parts()).enumerate() {
        let wanted = u64::from(wanted.count);
        if *cut != wanted {
            return Err(Fault::Count { part, cut: *cut, wanted });
        }
    }
    for (stock, (used, sheet)) in used.iter().zip(problem.stock()).enumerate() {
        if let Some(at_hand) = sheet.at_hand.map(u64::from).filter(|at_hand| used > at_hand) {
            return Err(Fault::NotAtHand { stock, used: *used, at_hand });
        }
    }
    if sum == plan.cost { Ok(()) } else { Err(Fault::Cost { cost: plan.cost, sum }) }
}
