//! How long to search.

use std::time::Duration;

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
    /// A problem that consists of equal batches is searched as a whole and as some of its batches,
    /// with so many steps each: all batches of up to 150 pieces, and the largest of up to 1,000,
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
