use std::fmt;

/// Which course of its data a store is on. A copy that takes the place of a store begins another,
/// and may lack what was stored last: all that the copy had not received yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timeline(u64);

impl Timeline {
    /// Takes the number that the store's server gives it.
    pub fn new(number: u64) -> Self {
        Self(number)
    }
}

impl fmt::Display for Timeline {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
