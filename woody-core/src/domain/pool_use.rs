/// How much of a pool is in use at one moment: of connections, threads, or places.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PoolUse {
    /// What is in use.
    pub used: usize,
    /// What there is at most.
    pub limit: usize,
    /// Who waits for some; none where nobody waits, since the next one is refused.
    pub waiting: Option<usize>,
}
