//! One way to cut a sheet in strips, and what comes of it.

use crate::geometry::{Axis, Rect};
use crate::plan::{Node, Placement, Sheet, Strips};
use crate::problem::Problem;

/// A piece in a pattern: its kind, and its size as it lies, with the kerf.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Lying {
    pub(crate) kind: usize,
    pub(crate) size: [u32; 2],
}

/// Strips, cut into stacks, cut into pieces.
#[derive(Debug, Clone)]
pub(crate) struct Pattern {
    pub(crate) stock: usize,
    /// Along which side the strips lie: 0 width, 1 height.
    pub(crate) axis: usize,
    pub(crate) strips: Vec<Vec<Vec<Lying>>>,
}

impl Pattern {
    /// How many of each of `kinds` there are.
    pub(crate) fn counts(&self, kinds: usize) -> Vec<u64> {
        let mut counts = vec![0; kinds];
        for lying in self.strips.iter().flatten().flatten() {
            counts[lying.kind] += 1;
        }
        counts
    }

    /// Leaves out what there is more of than `most`.
    pub(crate) fn trim(&mut self, most: &[u64]) {
        let mut left = most.to_vec();
        let mut keep = |lying: &Lying| {
            let left = &mut left[lying.kind];
            let kept = *left > 0;
            *left = left.saturating_sub(1);
            kept
        };
        for stack in self.strips.iter_mut().flatten() {
            stack.retain(&mut keep);
        }
        for strip in &mut self.strips {
            strip.retain(|stack| !stack.is_empty());
        }
        self.strips.retain(|strip| !strip.is_empty());
    }

    /// Writes it down in millimetres; kind `k` is a piece of part `parts[k]`.
    pub(crate) fn sheet(&self, problem: &Problem, parts: &[usize], size: [u32; 2]) -> Sheet {
        let saw = problem.saw();
        let writer = Writer { problem, parts, kerf: saw.kerf_mm };
        let at = [saw.trim_mm; 2];
        let longest = |strip: &Vec<Vec<Lying>>, axis: usize| {
            let each = strip.iter().map(|stack| stack.iter().map(|lying| lying.size[axis]).sum());
            each.max().unwrap_or(0)
        };
        let (a, b) = (self.axis, 1 - self.axis);
        let mut strips: Vec<(u32, &Vec<Vec<Lying>>)> =
            self.strips.iter().map(|strip| (longest(strip, a), strip)).collect();
        strips.sort_by_key(|(along, _)| std::cmp::Reverse(*along));
        let strips = strips.into_iter().map(|(along, strip)| {
            let mut stacks: Vec<(u32, &Vec<Lying>)> = strip
                .iter()
                .map(|stack| (stack.iter().map(|lying| lying.size[b]).max().unwrap_or(0), stack))
                .collect();
            stacks.sort_by_key(|(along, stack)| {
                (std::cmp::Reverse(*along), stack.first().map(|lying| lying.kind))
            });
            (along, (along, stacks))
        });
        let root = writer.row(a, at, size, strips, |(strip_along, stacks), at, size| {
            debug_assert_eq!(size[a], strip_along);
            writer.row(b, at, size, stacks.into_iter(), |stack, at, size| {
                let mut pieces: Vec<Lying> = stack.clone();
                pieces.sort_by_key(|lying| (std::cmp::Reverse(lying.size[a]), lying.kind));
                let pieces = pieces.into_iter().map(|lying| (lying.size[a], lying));
                writer.row(a, at, size, pieces, |lying, at, size| {
                    let one = std::iter::once((lying.size[b], lying));
                    writer.row(b, at, size, one, |lying, at, _| writer.piece(lying, at))
                })
            })
        });
        Sheet { stock: self.stock, repeat: 1, root }
    }
}

struct Writer<'a> {
    problem: &'a Problem,
    parts: &'a [usize],
    kerf: u32,
}

impl Writer<'_> {
    fn rect(&self, at: [u32; 2], size: [u32; 2]) -> Rect {
        let [x_mm, y_mm] = at;
        Rect { x_mm, y_mm, width_mm: size[0] - self.kerf, height_mm: size[1] - self.kerf }
    }

    fn piece(&self, lying: Lying, at: [u32; 2]) -> Node {
        let part = self.parts[lying.kind];
        let wanted = &self.problem.parts()[part];
        let turned = lying.size != [wanted.width_mm, wanted.height_mm].map(|side| side + self.kerf);
        Node::Piece(Placement { part, turned, rect: self.rect(at, lying.size) })
    }

    /// Lays what is given along `axis`, and what is left behind it; a single one that
    /// leaves nothing is no cut.
    fn row<T>(
        &self,
        axis: usize,
        at: [u32; 2],
        size: [u32; 2],
        given: impl Iterator<Item = (u32, T)>,
        write: impl Fn(T, [u32; 2], [u32; 2]) -> Node,
    ) -> Node {
        let rect = self.rect(at, size);
        let (mut corner, mut left, mut strips) = (at, size[axis], Vec::new());
        for (along, inner) in given {
            let mut each = size;
            each[axis] = along;
            strips.push(write(inner, corner, each));
            corner[axis] += along;
            left -= along;
        }
        if strips.len() == 1 && left == 0 {
            return strips.remove(0);
        }
        // What is no wider than the kerf is sawdust.
        if left > self.kerf {
            let mut behind = size;
            behind[axis] = left;
            strips.push(Node::Offcut(self.rect(corner, behind)));
        }
        let axis = if axis == 0 { Axis::Width } else { Axis::Height };
        Node::Cut(Strips { rect, axis, strips })
    }
}
