use time::OffsetDateTime;

use super::{Label, Reason};

/// That workers take no new orders.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pause {
    /// Since when, by the store's clock.
    pub since: OffsetDateTime,
    /// Who wanted that.
    pub by: Label,
    /// Why, if that was said.
    pub because: Option<Reason>,
}

impl std::fmt::Display for Pause {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "paused since {} by {}", self.since, self.by)?;
        self.because.as_ref().map_or(Ok(()), |because| write!(f, ": {because}"))
    }
}
