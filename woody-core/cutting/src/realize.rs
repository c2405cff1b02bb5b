//! From the search's panels to sheets in millimetres.

use crate::geometry::{Axis, Rect};
use crate::plan::{Node, Placement, Sheet, Strips};
use crate::problem::Problem;
use crate::search::panel::{self, CUT, NONE, Panel, ROOT};

/// Writes a panel down as a sheet that is cut once.
pub(crate) fn sheet(problem: &Problem, panel: &Panel) -> Sheet {
    let saw = problem.saw();
    let writer = Writer { problem, panel, kerf: saw.kerf_mm };
    let root = writer.node(ROOT, [saw.trim_mm; 2]);
    Sheet { stock: panel.stock, repeat: 1, root }
}

struct Writer<'a> {
    problem: &'a Problem,
    panel: &'a Panel,
    kerf: u32,
}

impl Writer<'_> {
    fn rect(&self, at: [u32; 2], size: [u32; 2]) -> Rect {
        let [x_mm, y_mm] = at;
        Rect { x_mm, y_mm, width_mm: size[0] - self.kerf, height_mm: size[1] - self.kerf }
    }

    fn node(&self, index: u32, at: [u32; 2]) -> Node {
        let node = self.panel.node(index);
        let rect = self.rect(at, node.size);
        if node.piece != CUT {
            let part = node.piece as usize;
            let turned = rect.width_mm != self.problem.parts()[part].width_mm;
            return Node::Piece(Placement { part, turned, rect });
        }
        let axis = usize::from(node.axis);
        let mut children: Vec<u32> = self.children(node).collect();
        // Long strips first, equal ones together: the fence moves little.
        children.sort_by_key(|child| {
            let node = self.panel.node(*child);
            (std::cmp::Reverse(node.size[axis]), node.piece, *child)
        });
        let mut strips = Vec::with_capacity(children.len() + 1);
        let mut corner = at;
        for child in children {
            strips.push(self.node(child, corner));
            corner[axis] += self.panel.node(child).size[axis];
        }
        // What is no wider than the kerf is sawdust.
        if node.slack > self.kerf {
            let mut size = node.size;
            size[axis] = node.slack;
            strips.push(Node::Offcut(self.rect(corner, size)));
        }
        let axis = if axis == 0 { Axis::Width } else { Axis::Height };
        match (strips.len(), node.slack) {
            // The sheet is the piece, or nothing is cut from it.
            (1, 0) => strips.remove(0),
            _ => Node::Cut(Strips { rect, axis, strips }),
        }
    }

    fn children(&self, node: &panel::Node) -> impl Iterator<Item = u32> {
        let mut child = node.first;
        std::iter::from_fn(move || {
            let found = child;
            (found != NONE).then(|| {
                child = self.panel.node(found).next;
                found
            })
        })
    }
}
