//! Goal-driven ruin and recreate (after Gardeyn and Wauters, 2022).
//!
//! The search holds the sheets to less than the best complete plan has; pieces that
//! do not fit are left out. Rounds of ruin and recreate bring the area that is left
//! out down, and may make it worse for a while (late acceptance hill climbing).
//! When nothing is left out, that is the new best plan and the next goal is below it.

use super::model::Model;
use super::panel::CUT;
use super::recreate::{Seeker, Spot};
use super::rng::Rng;
use super::ruin::{close, ruin};
use super::state::{State, Undo};

/// Length of the late acceptance's memory, in rounds.
const MEMORY: usize = 200;
/// Its length once a search has taken so many looks: what is left then is hard, and a search that
/// forgets late finds it more often.
const LONG_MEMORY: usize = 1_000;
const LONG: u64 = 50_000_000;
/// What each round takes besides its looks, in looks.
const ROUND: u64 = 4;
/// Sizes in stock that are looked through in the time of one look.
const SORTS_PER_LOOK: u64 = 8;

pub(crate) struct Search<'a> {
    model: &'a Model,
    seeker: Seeker<'a>,
    rng: Rng,
    state: State,
    undo: Undo,
    best: Option<State>,
    keys: Vec<[u64; 3]>,
    rounds: u64,
    /// What a round takes besides its looks, in looks.
    round: u64,
    /// The largest area of a size in stock.
    largest: f64,
    /// The size in stock that is opened before others.
    first: Option<usize>,
}

impl<'a> Search<'a> {
    pub(crate) fn new(model: &'a Model, seed: u64) -> Self {
        let keys = model.kinds.iter().map(|kind| {
            let (long, short) = (kind.size[0].max(kind.size[1]), kind.size[0].min(kind.size[1]));
            [
                kind.area(),
                u64::from(long) << 32 | u64::from(short),
                u64::from(short) << 32 | u64::from(long),
            ]
        });
        Self {
            model,
            seeker: Seeker { model, blink: 0, looks: 0 },
            rng: Rng::new(seed),
            state: State::new(model),
            undo: Undo::default(),
            best: None,
            keys: keys.collect(),
            rounds: 0,
            round: ROUND + model.stock.len() as u64 / SORTS_PER_LOOK,
            largest: model.stock.iter().map(|sort| area(sort.size)).fold(1.0, f64::max),
            first: None,
        }
    }

    /// Returns the best plan and true, or, if no plan holds all pieces, one that holds
    /// some and false.
    pub(crate) fn finish(self) -> (State, bool) {
        match self.best {
            Some(best) => (best, true),
            None => (self.state, false),
        }
    }

    pub(crate) fn looks(&self) -> u64 {
        self.seeker.looks
    }

    /// Searches until the plan weighs no more than `bound` or `go_on` says no.
    pub(crate) fn run(&mut self, bound: u64, mut go_on: impl FnMut(u64) -> bool) {
        self.start(bound, &mut go_on);
        if let Some(best) = &self.best {
            self.state.copy_from(best);
        }
        'goal: loop {
            let limit = match &self.best {
                Some(best) if best.weight <= bound => return,
                Some(best) => best.weight - 1,
                None => u64::MAX,
            };
            if self.model.stock.iter().all(|sort| sort.weight > limit) {
                return;
            }
            self.lower(limit);
            let mut current = self.cost();
            let mut memory = vec![current; MEMORY];
            let mut at = 0;
            loop {
                if self.rounds.is_multiple_of(64) && !go_on(self.seeker.looks) {
                    return;
                }
                if self.seeker.looks > LONG && memory.len() < LONG_MEMORY {
                    (memory, at) = (vec![current; LONG_MEMORY], 0);
                }
                self.rounds += 1;
                self.seeker.looks += self.round;
                self.undo.begin(&self.state);
                if ruin(&mut self.state, &mut self.undo, &mut self.rng).is_none()
                    && self.state.out.is_empty()
                {
                    return;
                }
                self.weigh();
                self.seeker.blink = 10;
                let order = self.rng.below(4);
                self.recreate(order, limit);
                if self.state.out.is_empty() {
                    self.keep();
                    continue 'goal;
                }
                let cost = self.cost();
                if cost <= memory[at] || cost <= current {
                    current = cost;
                } else {
                    self.undo.revert(&mut self.state);
                }
                if current < memory[at] {
                    memory[at] = current;
                }
                at = (at + 1) % memory.len();
            }
        }
    }

    /// Plans built at one go, in several orders and with each size in stock before the
    /// others; the best is kept. The first is made in any case.
    fn start(&mut self, bound: u64, go_on: &mut impl FnMut(u64) -> bool) {
        let sorts = self.model.stock.len();
        for (order, sort) in (0..3).flat_map(|order| (0..sorts).map(move |sort| (order, sort))) {
            self.state = State::new(self.model);
            self.undo.begin(&self.state);
            self.seeker.blink = 0;
            self.first = Some(sort);
            self.recreate(order, u64::MAX);
            let better = |best: &State| self.state.weight < best.weight;
            if self.state.out.is_empty() && self.best.as_ref().is_none_or(better) {
                self.keep();
            }
            if !go_on(self.seeker.looks)
                || self.best.as_ref().is_some_and(|best| best.weight <= bound)
            {
                break;
            }
        }
        self.first = None;
    }

    fn keep(&mut self) {
        match &mut self.best {
            Some(best) => best.copy_from(&self.state),
            None => self.best = Some(self.state.clone()),
        }
    }

    fn weigh(&mut self) {
        let State { used, weight, .. } = &mut self.state;
        let each = used.iter().zip(&self.model.stock);
        *weight = each.map(|(n, sort)| u64::from(*n) * sort.weight).sum();
    }

    /// Closes the emptiest panels until the rest weighs no more than `limit`.
    fn lower(&mut self, limit: u64) {
        while self.state.weight > limit {
            let open = (0..self.state.panels.len()).filter(|i| self.state.panels[*i].open);
            let Some(emptiest) = open.max_by_key(|i| self.state.panels[*i].free) else { return };
            close(&mut self.state, emptiest);
            self.weigh();
        }
    }

    /// Puts back what fits, opening panels while they weigh no more than `limit`.
    fn recreate(&mut self, order: usize, limit: u64) {
        let mut out = std::mem::take(&mut self.state.out);
        match order {
            3 => {
                for i in (1..out.len()).rev() {
                    out.swap(i, self.rng.below(i + 1));
                }
            }
            _ => out.sort_unstable_by_key(|kind| {
                std::cmp::Reverse((self.keys[*kind as usize][order], *kind))
            }),
        }
        out.retain(|kind| !self.insert(*kind, limit));
        self.state.out = out;
    }

    fn insert(&mut self, kind: u32, limit: u64) -> bool {
        self.seeker.looks += 1;
        let mut best: Option<(usize, Spot)> = None;
        let mut spot = None;
        for (index, panel) in self.state.panels.iter().enumerate() {
            if panel.open {
                let before = spot.map(|spot: Spot| spot.loss);
                self.seeker.best_on(panel, kind, &mut self.rng, &mut spot);
                if let Some(found) = spot
                    && before != Some(found.loss)
                {
                    best = Some((index, found));
                }
            }
        }
        if best.is_none() {
            best = self.open_for(kind, limit);
        }
        let Some((panel, spot)) = best else { return false };
        self.undo.touch(&self.state, panel);
        self.state.panels[panel].place(spot.node, spot.how, spot.size, kind);
        true
    }

    fn open_for(&mut self, kind: u32, limit: u64) -> Option<(usize, Spot)> {
        let room = limit.saturating_sub(self.state.weight);
        let fitting = |i: &usize| {
            let sort = &self.model.stock[*i];
            sort.weight <= room
                && self.state.used[*i] < sort.at_hand
                && self.model.kinds[kind as usize].fits(sort.size)
        };
        let all = 0..self.model.stock.len();
        self.seeker.looks += 1 + all.len() as u64 / SORTS_PER_LOOK;
        let n = all.clone().filter(fitting).count();
        let stock = match self.first {
            Some(first) if fitting(&first) => first,
            _ => all.filter(fitting).nth(self.rng.below(n))?,
        };
        let closed = self.state.panels.iter().position(|panel| !panel.open);
        let panel = closed.unwrap_or_else(|| {
            self.state.panels.push(super::panel::Panel::default());
            self.state.panels.len() - 1
        });
        self.undo.touch(&self.state, panel);
        self.state.panels[panel].reset(stock, self.model.stock[stock].size);
        self.state.used[stock] += 1;
        self.state.weight += self.model.stock[stock].weight;
        let mut spot = None;
        self.seeker.blink = 0;
        self.seeker.best_on(&self.state.panels[panel], kind, &mut self.rng, &mut spot);
        Some((panel, spot?))
    }

    /// What late acceptance compares: the area left out; of equal ones, free wood in
    /// larger pieces is better.
    fn cost(&self) -> f64 {
        let out: f64 =
            self.state.out.iter().map(|kind| area(self.model.kinds[*kind as usize].size)).sum();
        let mut free = 0.0;
        for panel in self.state.open_panels() {
            for node in panel.nodes() {
                if node.piece == CUT && node.slack > 0 {
                    let a =
                        f64::from(node.slack) * f64::from(node.size[1 - usize::from(node.axis)]);
                    free += a * a;
                }
            }
        }
        out - 0.01 * free / self.largest
    }
}

fn area(size: [u32; 2]) -> f64 {
    f64::from(size[0]) * f64::from(size[1])
}
