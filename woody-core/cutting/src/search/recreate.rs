//! Putting pieces back: each where it spoils the least free wood.

use super::model::Model;
use super::panel::{CUT, How, NONE, Node, Panel, ROOT};
use super::rng::Rng;

/// A place for a piece.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Spot {
    pub(crate) node: u32,
    pub(crate) how: How,
    pub(crate) size: [u32; 2],
    pub(crate) loss: f64,
}

/// What a free rectangle is worth: more than in proportion to its area, so that
/// free wood is kept together. Only operations that IEEE 754 makes exact are used,
/// so that every machine decides alike.
fn worth(a: u32, b: u32) -> f64 {
    let area = f64::from(a) * f64::from(b);
    area * area.sqrt()
}

/// Looks for the best place on `panel`, and counts each node that is looked at.
#[derive(Debug)]
pub(crate) struct Seeker<'a> {
    pub(crate) model: &'a Model,
    /// How often, of a thousand, a place is overlooked.
    pub(crate) blink: u64,
    pub(crate) looks: u64,
}

impl Seeker<'_> {
    pub(crate) fn best_on(
        &mut self,
        panel: &Panel,
        kind: u32,
        rng: &mut Rng,
        best: &mut Option<Spot>,
    ) {
        let wanted = &self.model.kinds[kind as usize];
        self.looks += 1;
        if wanted.area() > panel.free {
            return;
        }
        let nodes = panel.nodes();
        self.looks += nodes.len() as u64 / 4;
        let shortest = wanted.size[0].min(wanted.size[1]);
        for (index, node) in (0_u32..).zip(nodes) {
            if node.piece != CUT || node.slack < shortest {
                continue;
            }
            // Cuts that are left below this node: one at least, or it only trims a piece.
            let left = match self.model.stages {
                None => u32::MAX,
                Some(stages) => (stages + 1).saturating_sub(panel.depth(index)),
            };
            if left == 0 {
                continue;
            }
            self.looks += 1;
            for size in wanted.ways() {
                if self.blink > 0 && rng.chance(self.blink) {
                    continue;
                }
                offer(panel, index, node, size, left, best);
            }
        }
    }
}

/// Weighs the ways to put a piece of `size` into the slack of `node`.
#[inline]
fn offer(
    panel: &Panel,
    index: u32,
    node: &Node,
    size: [u32; 2],
    left: u32,
    best: &mut Option<Spot>,
) {
    let (a, b) = (usize::from(node.axis), 1 - usize::from(node.axis));
    let (slack, across) = (node.slack, node.size[b]);
    let (long, wide) = (size[a], size[b]);
    if long > slack {
        return;
    }
    let mut keep = |how, loss| {
        if best.is_none_or(|best| loss < best.loss) {
            *best = Some(Spot { node: index, how, size, loss });
        }
    };
    if wide > across {
        if index == ROOT {
            return;
        }
        let parent = panel.node(node.parent);
        let more = wide - across;
        if more <= parent.slack {
            let reach = parent.size[a];
            let loss = worth(parent.slack, reach) - worth(parent.slack - more, reach)
                + worth(slack, across)
                - worth(slack - long, wide);
            keep(How::Grow, loss);
        }
        return;
    }
    let before = worth(slack, across);
    keep(How::Along, before - worth(slack - long, across) - worth(across - wide, long));
    let empty_root = index == ROOT && node.first == NONE;
    if long < slack && wide < across && (left > 1 || empty_root) {
        keep(How::Across, before - worth(across - wide, slack) - worth(slack - long, wide));
    }
}
