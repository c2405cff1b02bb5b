//! How long to search.

use std::time::Duration;

/// Plans of so many pieces take all the steps of their effort.
const WHOLE: u64 = 150;
/// What any plan takes, if its effort has so many.
const LEAST: u64 = 1_500_000;

/// How much work a plan may be.
///
/// Work is counted in *steps*, each a look at a place where a piece might go: the
/// same problem, seed and steps give the same plan on every machine. A time limit
/// may end the search earlier; then the plan depends on the machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Effort {
    /// The most steps that improve the first plan; making it comes on top.
    ///
    /// Fewer than 150 pieces take fewer, down to 1,500,000 if there are so many: what else could be
    /// found is little.
    ///
    /// A problem that consists of equal batches is searched as a whole and as some of its batches,
    /// with its own steps each: all batches of up to 150 pieces, and the largest of up to 1,000,
    /// unless the bound says of one that it cannot be cheaper. So twenty times the parts cost no
    /// more than twenty such batches, each planned with the same effort and a twentieth of the
    /// sheets at hand, unless a time limit ends the search before.
    pub steps: u64,
    /// Another seed, another plan.
    pub seed: u64,
    /// Ends the search even if steps are left.
    pub time_limit: Option<Duration>,
}

impl Effort {
    /// About 5 ms: a plan while a user types.
    pub const FAST: Self = Self::steps(300_000);
    /// About 100 ms: a plan for an order.
    pub const BALANCED: Self = Self::steps(6_000_000);
    /// About a second: a plan for work that is cut many times.
    pub const THOROUGH: Self = Self::steps(60_000_000);

    /// The steps of a plan of so many pieces. Few take fewer, or the batches that an order consists
    /// of would take many times as long as the order.
    pub(crate) fn steps_for(&self, pieces: u64) -> u64 {
        if pieces >= WHOLE {
            return self.steps;
        }
        let share = self.steps / (WHOLE * WHOLE) * pieces * pieces;
        share.max(LEAST).min(self.steps)
    }

    /// So many steps, with the usual seed and no time limit.
    pub const fn steps(steps: u64) -> Self {
        Self { steps, seed: 0x0057_4f4f_4459, time_limit: None }
    }

    /// The same effort with another seed.
    #[must_use]
    pub const fn with_seed(self, seed: u64) -> Self {
        Self { seed, ..self }
    }

    /// The same effort, ended by the clock if that is sooner.
    #[must_use]
    pub const fn within(self, time_limit: Duration) -> Self {
        Self { time_limit: Some(time_limit), ..self }
    }
}

impl Default for Effort {
    fn default() -> Self {
        Self::BALANCED
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_pieces_take_fewer_steps_and_none_more_than_there_are() {
        let each = |effort: Effort| [1, 75, 100, 149, 150, u64::MAX].map(|n| effort.steps_for(n));
        assert_eq!(each(Effort::FAST), [300_000; 6]);
        let balanced = [1_500_000, 1_500_000, 2_660_000, 5_905_466, 6_000_000, 6_000_000];
        assert_eq!(each(Effort::BALANCED), balanced);
        assert!(each(Effort::steps(u64::MAX)).is_sorted());
    }
}
