//! Cores that work is done on, a slice of time for everyone.

use std::{cmp::Ordering, collections::BinaryHeap};

/// Cores that all who have work share: each has a core to itself while there are enough, and
/// an equal share of them otherwise. Heavy work, which runs at a lower priority, has what the
/// other leaves.
#[derive(Debug)]
pub(super) struct Cores {
    count: f64,
    now: f64,
    usual: Class,
    heavy: Class,
}

/// Work of one priority. Its clock goes as fast as each piece of work gets done, so that a
/// piece keeps its place whatever comes and goes.
#[derive(Debug, Default)]
struct Class {
    clock: f64,
    under_way: BinaryHeap<Due>,
}

/// A piece of work, and when it is done by the clock of its class.
#[derive(Debug, PartialEq)]
pub(super) struct Due {
    pub(super) at: f64,
    pub(super) what: usize,
}

impl Eq for Due {}

impl PartialOrd for Due {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// The earliest is the greatest, since a heap hands out its greatest; of two at one time,
/// the one that came first.
impl Ord for Due {
    fn cmp(&self, other: &Self) -> Ordering {
        other.at.total_cmp(&self.at).then_with(|| other.what.cmp(&self.what))
    }
}

#[expect(clippy::cast_precision_loss, reason = "work under way is counted in thousands")]
impl Class {
    fn len(&self) -> f64 {
        self.under_way.len() as f64
    }

    /// The part of a core that each piece of work has, of so many cores.
    fn share(&self, cores: f64) -> f64 {
        if self.under_way.is_empty() { 0.0 } else { (cores / self.len()).min(1.0) }
    }

    /// When the next piece is done, if nothing changes.
    fn next(&self, now: f64, share: f64) -> Option<f64> {
        let due = self.under_way.peek()?;
        (share > 0.0).then(|| now + (due.at - self.clock).max(0.0) / share)
    }
}

impl Cores {
    /// So many cores, which have nothing to do.
    pub(super) fn new(count: f64) -> Self {
        Self { count, now: 0.0, usual: Class::default(), heavy: Class::default() }
    }

    /// Adds work that takes one core so many seconds.
    pub(super) fn add(&mut self, now: f64, seconds: f64, is_heavy: bool, what: usize) {
        self.advance(now);
        let class = if is_heavy { &mut self.heavy } else { &mut self.usual };
        class.under_way.push(Due { at: class.clock + seconds, what });
    }

    /// When the next piece of work is done, if no other comes.
    pub(super) fn next(&self) -> Option<f64> {
        let (usual, heavy) = self.shares();
        let times = [self.usual.next(self.now, usual), self.heavy.next(self.now, heavy)];
        times.into_iter().flatten().min_by(f64::total_cmp)
    }

    /// Returns what is done at `now`, which [`next`](Self::next) has named.
    pub(super) fn done(&mut self, now: f64) -> Option<usize> {
        let (usual, heavy) = self.shares();
        let next = |class: &Class, share| class.next(self.now, share).unwrap_or(f64::INFINITY);
        let is_heavy = next(&self.heavy, heavy) < next(&self.usual, usual);
        self.advance(now);
        let class = if is_heavy { &mut self.heavy } else { &mut self.usual };
        let due = class.under_way.pop()?;
        // Whatever rounding has done to it.
        class.clock = class.clock.max(due.at);
        Some(due.what)
    }

    fn shares(&self) -> (f64, f64) {
        let left = (self.count - self.usual.len()).max(0.0);
        (self.usual.share(self.count), self.heavy.share(left))
    }

    fn advance(&mut self, now: f64) {
        let (usual, heavy) = self.shares();
        let passed = (now - self.now).max(0.0);
        self.usual.clock += passed * usual;
        self.heavy.clock += passed * heavy;
        self.now = now;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(cores: &mut Cores) -> Vec<(f64, usize)> {
        std::iter::from_fn(|| {
            let at = cores.next()?;
            Some(((at * 1e6).round() / 1e6, cores.done(at)?))
        })
        .collect()
    }

    #[test]
    fn work_has_a_core_to_itself_while_there_are_enough_and_a_share_otherwise() {
        let mut cores = Cores::new(2.0);
        for (what, seconds) in [1.0, 2.0, 3.0].into_iter().enumerate() {
            cores.add(0.0, seconds, false, what);
        }
        // Two thirds of a core each until the first is done, then a core for each.
        assert_eq!(all(&mut cores), [(1.5, 0), (2.5, 1), (3.5, 2)]);
    }

    #[test]
    fn heavy_work_has_what_the_other_leaves() {
        let mut cores = Cores::new(1.0);
        cores.add(0.0, 1.0, true, 0);
        cores.add(0.5, 0.25, false, 1);
        assert_eq!(all(&mut cores), [(0.75, 1), (1.25, 0)]);
        assert_eq!(cores.next(), None);
    }
}
