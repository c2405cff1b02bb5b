//! Taking pieces away: parts of a few panels, or a whole one.

use super::panel::ROOT;
use super::rng::Rng;
use super::state::{State, Undo};

/// How often, of a thousand rounds, a whole panel is taken.
const WHOLE: u64 = 100;
/// Nodes that are taken in a round, at most.
const MOST_NODES: usize = 12;

pub(crate) fn ruin(state: &mut State, undo: &mut Undo, rng: &mut Rng) -> Option<()> {
    let mut nodes = 1 + rng.below(MOST_NODES);
    if rng.chance(WHOLE) {
        let panel = pick(state, rng)?;
        undo.touch(state, panel);
        nodes = nodes.saturating_sub(state.panels[panel].pieces as usize);
        close(state, panel);
    }
    let mut panel = None;
    while nodes > 0 {
        let chosen = match panel {
            Some(panel) if rng.chance(600) => panel,
            _ => pick(state, rng)?,
        };
        panel = Some(chosen);
        undo.touch(state, chosen);
        let live = state.panels[chosen].nodes().len();
        let node = u32::try_from(rng.below(live)).unwrap_or(ROOT);
        nodes -= 1;
        if node == ROOT || !state.panels[chosen].is_live(node) {
            continue;
        }
        state.panels[chosen].remove(node, &mut state.out);
        if state.panels[chosen].pieces == 0 {
            close(state, chosen);
            panel = None;
        }
    }
    Some(())
}

/// Closes a panel; its pieces are out.
pub(crate) fn close(state: &mut State, panel: usize) {
    state.panels[panel].empty(&mut state.out);
    state.used[state.panels[panel].stock] -= 1;
}

/// An open panel, if there is one.
fn pick(state: &State, rng: &mut Rng) -> Option<usize> {
    let all = state.panels.len();
    let mut panel = rng.below(all);
    for _ in 0..all {
        if state.panels[panel].open {
            return Some(panel);
        }
        panel = (panel + 1) % all;
    }
    None
}
