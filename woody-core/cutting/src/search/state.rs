//! A plan in the making: panels, and the pieces that are on none.

use super::model::Model;
use super::panel::Panel;

#[derive(Debug, Clone, Default)]
pub(crate) struct State {
    pub(crate) panels: Vec<Panel>,
    /// Parts of pieces that lie on no panel, one entry a piece.
    pub(crate) out: Vec<u32>,
    /// What the open panels weigh.
    pub(crate) weight: u64,
    /// Open panels of each size in stock.
    pub(crate) used: Vec<u32>,
}

impl State {
    /// No panel is open, every piece is out.
    pub(crate) fn new(model: &Model) -> Self {
        let all = model.kinds.iter().enumerate().flat_map(|(kind, wanted)| {
            let kind = u32::try_from(kind).unwrap_or(u32::MAX);
            std::iter::repeat_n(kind, wanted.count as usize)
        });
        Self { panels: Vec::new(), out: all.collect(), weight: 0, used: vec![0; model.stock.len()] }
    }

    pub(crate) fn open_panels(&self) -> impl Iterator<Item = &Panel> {
        self.panels.iter().filter(|panel| panel.open)
    }

    pub(crate) fn copy_from(&mut self, other: &Self) {
        self.panels.truncate(other.panels.len());
        for (mine, panel) in self.panels.iter_mut().zip(&other.panels) {
            mine.copy_from(panel);
        }
        let have = self.panels.len();
        self.panels.extend_from_slice(&other.panels[have..]);
        self.out.clone_from(&other.out);
        self.weight = other.weight;
        self.used.clone_from(&other.used);
    }
}

/// What a round has changed, so that it can be taken back.
#[derive(Debug, Default)]
pub(crate) struct Undo {
    touched: Vec<usize>,
    saved: Vec<Panel>,
    out: Vec<u32>,
    weight: u64,
    used: Vec<u32>,
    panels: usize,
}

impl Undo {
    pub(crate) fn begin(&mut self, state: &State) {
        self.touched.clear();
        self.out.clone_from(&state.out);
        self.used.clone_from(&state.used);
        self.weight = state.weight;
        self.panels = state.panels.len();
    }

    /// Remembers `panel` as it is before its first change in a round.
    pub(crate) fn touch(&mut self, state: &State, panel: usize) {
        if panel >= self.panels || self.touched.contains(&panel) {
            return;
        }
        if self.saved.len() == self.touched.len() {
            self.saved.push(Panel::default());
        }
        self.saved[self.touched.len()].copy_from(&state.panels[panel]);
        self.touched.push(panel);
    }

    pub(crate) fn revert(&mut self, state: &mut State) {
        for (panel, saved) in self.touched.iter().zip(&mut self.saved) {
            std::mem::swap(&mut state.panels[*panel], saved);
        }
        for panel in &mut state.panels[self.panels..] {
            panel.close();
        }
        std::mem::swap(&mut state.out, &mut self.out);
        std::mem::swap(&mut state.used, &mut self.used);
        state.weight = self.weight;
    }
}
