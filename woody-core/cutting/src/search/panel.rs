//! One sheet being planned: its cut tree, in a compact arena.
//!
//! Sizes here include the kerf: a piece of `w` takes `w + kerf` of a sheet of
//! `W + kerf`, which is exact and lets the search forget the saw. A cut node
//! lays its children side by side along its axis, each as long as the node is
//! across; what they leave is its *slack*, one free rectangle. The order of
//! children does not matter, so the free wood of a node is always in one piece.

/// No node.
pub(crate) const NONE: u32 = u32::MAX;
/// What a node is that is no piece but is cut further.
pub(crate) const CUT: u32 = u32::MAX;
/// What a place in the arena is that holds no node.
const VACANT: u32 = u32::MAX - 1;
/// The sheet itself.
pub(crate) const ROOT: u32 = 0;

#[derive(Debug, Clone, Copy)]
pub(crate) struct Node {
    /// Width and height.
    pub(crate) size: [u32; 2],
    /// What the children leave along the axis.
    pub(crate) slack: u32,
    /// The part that it is a piece of, or [`CUT`].
    pub(crate) piece: u32,
    pub(crate) parent: u32,
    pub(crate) first: u32,
    pub(crate) next: u32,
    prev: u32,
    /// Along which side the children of a cut node lie: 0 width, 1 height.
    pub(crate) axis: u8,
}

/// How a piece goes into the slack of a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum How {
    /// As a strip of its own: the rest of the slack stays whole.
    Along,
    /// Into one strip as wide as the slack: the wood beside it, across, stays whole.
    Across,
    /// The node itself grows into its parent's slack until the piece fits.
    Grow,
}

#[derive(Debug, Clone, Default)]
pub(crate) struct Panel {
    nodes: Vec<Node>,
    vacant: u32,
    /// Which size in stock it is.
    pub(crate) stock: usize,
    pub(crate) open: bool,
    pub(crate) pieces: u32,
    /// Area that no piece takes.
    pub(crate) free: u64,
}

impl Panel {
    /// A whole sheet.
    pub(crate) fn reset(&mut self, stock: usize, size: [u32; 2]) {
        self.nodes.clear();
        self.vacant = NONE;
        (self.stock, self.open, self.pieces) = (stock, true, 0);
        self.free = u64::from(size[0]) * u64::from(size[1]);
        self.take(Node {
            size,
            slack: size[0],
            piece: CUT,
            parent: NONE,
            first: NONE,
            next: NONE,
            prev: NONE,
            axis: 0,
        });
    }

    pub(crate) fn close(&mut self) {
        self.open = false;
        self.nodes.clear();
    }

    pub(crate) fn copy_from(&mut self, other: &Self) {
        self.nodes.clear();
        self.nodes.extend_from_slice(&other.nodes);
        (self.vacant, self.stock, self.open) = (other.vacant, other.stock, other.open);
        (self.pieces, self.free) = (other.pieces, other.free);
    }

    pub(crate) fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    pub(crate) fn node(&self, index: u32) -> &Node {
        &self.nodes[index as usize]
    }

    fn at(&mut self, index: u32) -> &mut Node {
        &mut self.nodes[index as usize]
    }

    pub(crate) fn is_live(&self, index: u32) -> bool {
        self.node(index).piece != VACANT
    }

    /// How many cuts deep a child of `node` lies.
    pub(crate) fn depth(&self, mut node: u32) -> u32 {
        let mut depth = 1;
        while node != ROOT {
            node = self.node(node).parent;
            depth += 1;
        }
        depth
    }

    fn take(&mut self, node: Node) -> u32 {
        if self.vacant == NONE {
            self.nodes.push(node);
            u32::try_from(self.nodes.len() - 1).unwrap_or(NONE)
        } else {
            let index = self.vacant;
            self.vacant = self.node(index).next;
            *self.at(index) = node;
            index
        }
    }

    fn vacate(&mut self, index: u32) {
        let vacant = self.vacant;
        let node = self.at(index);
        (node.piece, node.next, node.slack) = (VACANT, vacant, 0);
        self.vacant = index;
    }

    fn add(&mut self, parent: u32, size: [u32; 2], piece: u32, slack: u32) -> u32 {
        let Node { first, axis, .. } = *self.node(parent);
        let axis = 1 - axis;
        let new = self.take(Node {
            size,
            slack,
            piece,
            parent,
            first: NONE,
            next: first,
            prev: NONE,
            axis,
        });
        if first != NONE {
            self.at(first).prev = new;
        }
        self.at(parent).first = new;
        new
    }

    fn unlink(&mut self, index: u32) {
        let Node { parent, next, prev, .. } = *self.node(index);
        if prev == NONE {
            self.at(parent).first = next;
        } else {
            self.at(prev).next = next;
        }
        if next != NONE {
            self.at(next).prev = prev;
        }
    }

    /// Puts a piece of part `piece` into the slack of `at`, where it must fit.
    pub(crate) fn place(&mut self, at: u32, how: How, size: [u32; 2], piece: u32) {
        self.pieces += 1;
        self.free -= u64::from(size[0]) * u64::from(size[1]);
        let mut node = *self.node(at);
        if at == ROOT && node.first == NONE && how == How::Across {
            // Nothing is cut yet: the first cut may as well go the other way.
            node.axis = 1 - node.axis;
            node.slack = node.size[usize::from(node.axis)];
            *self.at(at) = node;
        } else if how == How::Across {
            let (a, b) = (usize::from(node.axis), 1 - usize::from(node.axis));
            self.at(at).slack = 0;
            let strip = self.add(at, oriented(a, node.slack, node.size[b]), CUT, node.size[b]);
            self.lay(strip, size, piece);
            return;
        } else if how == How::Grow {
            self.grow(at, size[1 - usize::from(node.axis)]);
        }
        self.lay(at, size, piece);
    }

    /// Lays a piece along the axis of `at`, trimmed across if it is shorter.
    fn lay(&mut self, at: u32, size: [u32; 2], piece: u32) {
        let node = *self.node(at);
        let (a, b) = (usize::from(node.axis), 1 - usize::from(node.axis));
        self.at(at).slack -= size[a];
        if size[b] == node.size[b] {
            self.add(at, size, piece, 0);
        } else {
            let rest = node.size[b] - size[b];
            let strip = self.add(at, oriented(a, size[a], node.size[b]), CUT, rest);
            self.add(strip, size, piece, 0);
        }
    }

    /// Makes `at` as long as `across` out of its parent's slack.
    fn grow(&mut self, at: u32, across: u32) {
        let Node { size, parent, axis, first, .. } = *self.node(at);
        let (a, b) = (usize::from(axis), 1 - usize::from(axis));
        let more = across - size[b];
        self.at(parent).slack -= more;
        self.at(at).size[b] = across;
        let mut child = first;
        while child != NONE {
            let next = self.node(child).next;
            if self.node(child).piece == CUT {
                self.at(child).slack += more;
                self.at(child).size[b] += more;
            } else {
                // A piece becomes a strip that is trimmed to it.
                let Node { size, piece, .. } = *self.node(child);
                let node = self.at(child);
                (node.piece, node.slack, node.axis) = (CUT, more, 1 - axis);
                node.size[b] += more;
                self.add(child, oriented(a, size[a], size[b]), piece, 0);
            }
            child = next;
        }
    }

    /// Takes a node and all below it away, its pieces to `out`.
    pub(crate) fn remove(&mut self, index: u32, out: &mut Vec<u32>) {
        debug_assert_ne!(index, ROOT);
        self.unlink(index);
        let Node { parent, size, .. } = *self.node(index);
        self.clear(index, out);
        let axis = usize::from(self.node(parent).axis);
        self.at(parent).slack += size[axis];
        self.settle(parent);
    }

    fn clear(&mut self, index: u32, out: &mut Vec<u32>) {
        let Node { piece, first, size, .. } = *self.node(index);
        if piece != CUT {
            out.push(piece);
            self.pieces -= 1;
            self.free += u64::from(size[0]) * u64::from(size[1]);
        }
        let mut child = first;
        while child != NONE {
            let next = self.node(child).next;
            self.clear(child, out);
            child = next;
        }
        self.vacate(index);
    }

    /// All pieces, to `out`; the panel is closed.
    pub(crate) fn empty(&mut self, out: &mut Vec<u32>) {
        out.extend(self.nodes.iter().map(|node| node.piece).filter(|piece| *piece < VACANT));
        self.close();
    }

    /// Tidies up from `index` to the root: nodes that hold nothing go, strips shrink
    /// to their widest piece, cuts that part nothing are left out.
    fn settle(&mut self, mut index: u32) {
        while index != ROOT {
            let Node { parent, first, size, .. } = *self.node(index);
            let axis = usize::from(self.node(parent).axis);
            if first == NONE {
                self.unlink(index);
                self.vacate(index);
                self.at(parent).slack += size[axis];
            } else {
                self.tighten(index, axis);
                self.flatten(index);
            }
            index = parent;
        }
        let Node { slack, first, .. } = *self.node(ROOT);
        if first == NONE {
            let root = self.at(ROOT);
            root.slack = root.size[usize::from(root.axis)];
        } else if slack == 0 && self.node(first).next == NONE && self.node(first).piece == CUT {
            let Node { axis, slack, first: inner, .. } = *self.node(first);
            self.vacate(first);
            let root = self.at(ROOT);
            (root.axis, root.slack, root.first) = (axis, slack, inner);
            self.adopt(inner, ROOT);
        }
    }

    fn adopt(&mut self, first: u32, parent: u32) {
        let mut child = first;
        while child != NONE {
            self.at(child).parent = parent;
            child = self.node(child).next;
        }
    }

    /// Gives what no child of `index` needs along its parent's axis to the parent.
    fn tighten(&mut self, index: u32, axis: usize) {
        let Node { parent, first, .. } = *self.node(index);
        let mut spare = u32::MAX;
        let mut child = first;
        while child != NONE && spare > 0 {
            let node = self.node(child);
            spare = spare.min(if node.piece == CUT { node.slack } else { 0 });
            child = node.next;
        }
        if spare == 0 || first == NONE {
            return;
        }
        self.at(index).size[axis] -= spare;
        self.at(parent).slack += spare;
        let mut child = first;
        while child != NONE {
            let node = self.at(child);
            node.size[axis] -= spare;
            node.slack -= spare;
            let next = node.next;
            self.flatten(child);
            child = next;
        }
    }

    /// Leaves a cut node out whose only child is as large as itself.
    fn flatten(&mut self, index: u32) {
        let Node { slack, first, parent, prev, next, piece, .. } = *self.node(index);
        if piece != CUT || slack > 0 || first == NONE || self.node(first).next != NONE {
            return;
        }
        let only = *self.node(first);
        if only.piece != CUT {
            self.vacate(first);
            let node = self.at(index);
            (node.piece, node.first, node.size) = (only.piece, NONE, only.size);
            return;
        }
        // The grandchildren lie along the parent's axis: they become its children.
        self.adopt(only.first, parent);
        self.at(parent).slack += only.slack;
        let mut last = only.first;
        while self.node(last).next != NONE {
            last = self.node(last).next;
        }
        self.at(only.first).prev = prev;
        self.at(last).next = next;
        if prev == NONE {
            self.at(parent).first = only.first;
        } else {
            self.at(prev).next = only.first;
        }
        if next != NONE {
            self.at(next).prev = last;
        }
        self.vacate(first);
        self.vacate(index);
    }
}

fn oriented(axis: usize, along: u32, across: u32) -> [u32; 2] {
    if axis == 0 { [along, across] } else { [across, along] }
}
