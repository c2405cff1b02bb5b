//! From the search's panels to sheets in millimetres.

use crate::geometry::{Axis, Rect};
use crate::items::Item;
use crate::plan::{Node, Placement, Sheet, Strips};
use crate::problem::Problem;
use crate::search::panel::{self, CUT, NONE, Panel, ROOT};

/// Writes a panel down as a sheet that is cut once.
pub(crate) fn sheet(problem: &Problem, items: &[Item], panel: &Panel) -> Sheet {
    let saw = problem.saw();
    let writer = Writer { problem, items, panel, kerf: saw.kerf_mm };
    let root = writer.node(ROOT, [saw.trim_mm; 2]);
    Sheet { stock: panel.stock, repeat: 1, root }
}

struct Writer<'a> {
    problem: &'a Problem,
    items: &'a [Item],
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
            return self.block(&self.items[node.piece as usize], at, node.size);
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

    /// Equal pieces side by side, perhaps only one: columns first, then pieces.
    fn block(&self, item: &Item, at: [u32; 2], size: [u32; 2]) -> Node {
        let part = self.problem.parts()[item.part];
        let turned = item.size(&part, self.kerf) != size;
        let (columns, rows) =
            if turned { (item.rows, item.columns) } else { (item.columns, item.rows) };
        let piece = [size[0] / columns, size[1] / rows];
        let column = |column: u32| {
            let at = [at[0] + column * piece[0], at[1]];
            let one = |row: u32| {
                let rect = self.rect([at[0], at[1] + row * piece[1]], piece);
                Node::Piece(Placement { part: item.part, turned, rect })
            };
            strips(Axis::Height, self.rect(at, [piece[0], size[1]]), (0..rows).map(one))
        };
        strips(Axis::Width, self.rect(at, size), (0..columns).map(column))
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

/// Strips that fill `rect`; a single one is no strip.
fn strips(axis: Axis, rect: Rect, strips: impl Iterator<Item = Node>) -> Node {
    let mut strips: Vec<Node> = strips.collect();
    if strips.len() == 1 { strips.remove(0) } else { Node::Cut(Strips { rect, axis, strips }) }
}
