//! How a problem is cut: sheets as cut trees, and what follows from them.

use crate::geometry::{Axis, Rect};

/// How all pieces are cut.
///
/// ```
/// use woody_cutting::{Effort, Part, Problem, Saw, Stock, check};
///
/// let parts = vec![Part::new(600, 300).times(4)];
/// let problem = Problem::new(parts, vec![Stock::new(2_440, 1_220)], Saw::default())?;
/// let plan = problem.plan(&Effort::FAST)?;
/// assert_eq!((plan.sheets.len(), plan.cost), (1, plan.least_cost));
/// assert_eq!(check::verify(&problem, &plan), Ok(()));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Plan {
    /// The sheets, equal ones once, those used best first.
    pub sheets: Vec<Sheet>,
    /// What no plan can cost less than.
    pub least_cost: u64,
    /// What the sheets cost together.
    pub cost: u64,
}

/// A sheet, or several that are cut alike.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Sheet {
    /// Index of the size in stock.
    pub stock: usize,
    /// How many sheets are cut this way.
    pub repeat: u64,
    /// The cuts, from the sheet between its trimmed edges down to the pieces.
    pub root: Node,
}

/// A piece of wood at some moment of the sawing.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
pub enum Node {
    /// A finished piece.
    Piece(Placement),
    /// What is left over.
    Offcut(Rect),
    /// Cut further, by parallel cuts.
    Cut(Strips),
    /// A whole sheet for a router ([`Stages::Free`](crate::Stages::Free)): no sequence of
    /// cuts is known, and there may be none.
    Free(FreeForm),
}

/// A finished piece on its sheet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Placement {
    /// Index of the part.
    pub part: usize,
    /// Whether it lies turned by a quarter.
    pub turned: bool,
    /// Where.
    pub rect: Rect,
}

/// Wood that parallel cuts part into strips.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Strips {
    /// The wood.
    pub rect: Rect,
    /// Along which side the strips lie; the cuts run across it.
    pub axis: Axis,
    /// The strips from the sheet's origin on, the offcut last.
    pub strips: Vec<Node>,
}

/// Wood on which pieces lie anywhere, a kerf apart.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct FreeForm {
    /// The wood.
    pub rect: Rect,
    /// The finished pieces.
    pub placements: Vec<Placement>,
    /// What is left over beside them, in rectangles worth keeping ([`Saw::least_offcut_mm`])
    /// that lie a kerf apart, the largest first.
    ///
    /// [`Saw::least_offcut_mm`]: crate::Saw::least_offcut_mm
    pub offcuts: Vec<Rect>,
}

impl Node {
    /// The wood it is.
    pub fn rect(&self) -> Rect {
        match self {
            Self::Piece(placement) => placement.rect,
            Self::Offcut(rect) => *rect,
            Self::Cut(strips) => strips.rect,
            Self::Free(free) => free.rect,
        }
    }

    /// Itself and everything below it, in the order of the sawing.
    fn walk<'a>(&'a self, visit: &mut impl FnMut(&'a Node)) {
        // Trees are as deep as pieces are many, at worst: no recursion.
        let mut open = vec![self];
        while let Some(node) = open.pop() {
            visit(node);
            if let Self::Cut(strips) = node {
                open.extend(strips.strips.iter().rev());
            }
        }
    }
}

impl Sheet {
    /// The finished pieces.
    pub fn placements(&self) -> Vec<Placement> {
        let mut found = Vec::new();
        self.root.walk(&mut |node| match node {
            Node::Piece(placement) => found.push(*placement),
            Node::Free(free) => found.extend_from_slice(&free.placements),
            Node::Offcut(_) | Node::Cut(_) => {}
        });
        found
    }

    /// What is left over and has no side shorter than `least_mm`, the largest first.
    pub fn offcuts(&self, least_mm: u32) -> Vec<Rect> {
        let mut found = Vec::new();
        self.root.walk(&mut |node| match node {
            Node::Offcut(rect) => found.push(*rect),
            Node::Free(free) => found.extend_from_slice(&free.offcuts),
            Node::Piece(_) | Node::Cut(_) => {}
        });
        found.retain(|rect| rect.width_mm.min(rect.height_mm) >= least_mm);
        found.sort_by_key(|rect| std::cmp::Reverse(rect.area_mm2()));
        found
    }

    /// Whether it is for a router: no cuts are told of it.
    pub fn is_free(&self) -> bool {
        matches!(self.root, Node::Free(_))
    }

    /// Area of the pieces on one sheet, in square millimetres.
    pub fn used_mm2(&self) -> u64 {
        self.placements().iter().map(|placement| placement.rect.area_mm2()).sum()
    }
}

impl Sheet {
    /// Makes offcuts of the pieces of whose part `unwanted` says so.
    pub(crate) fn leave_out(&mut self, unwanted: &mut dyn FnMut(usize) -> bool) {
        self.root.leave_out(unwanted);
    }
}

impl Node {
    /// Returns whether anything is left of it; otherwise it is an offcut. No deeper than the pieces
    /// that are searched together are many.
    fn leave_out(&mut self, unwanted: &mut dyn FnMut(usize) -> bool) -> bool {
        let left = match self {
            Self::Piece(piece) => !unwanted(piece.part),
            Self::Offcut(_) => false,
            Self::Cut(strips) => {
                // Every strip is visited.
                let each = strips.strips.iter_mut().map(|strip| strip.leave_out(unwanted));
                each.filter(|left| *left).count() > 0
            }
            Self::Free(free) => {
                free.placements.retain(|piece| !unwanted(piece.part));
                !free.placements.is_empty()
            }
        };
        if !left {
            *self = Self::Offcut(self.rect());
        }
        left
    }
}

impl Plan {
    /// How many sheets are cut.
    pub fn sheet_count(&self) -> u64 {
        self.sheets.iter().map(|sheet| sheet.repeat).sum()
    }

    /// Whether no plan can cost less.
    pub fn is_proven(&self) -> bool {
        self.cost == self.least_cost
    }
}
