/// How a group commit is sized.
#[derive(Debug, Clone, Copy)]
pub(crate) struct GroupLimits {
    /// Items that may wait; the next one is refused.
    pub(crate) waiting: usize,
    /// How much they may weigh together, in bytes.
    pub(crate) bytes: usize,
    /// Items in one commit.
    pub(crate) batch: usize,
    /// Commits under way at once, at most.
    pub(crate) lanes: usize,
}
