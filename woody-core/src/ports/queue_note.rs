use std::time::Duration;

use time::OffsetDateTime;

/// How many messages a queue held, and when that was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QueueReading {
    /// The messages: ready, delayed and, where the broker says so, in flight.
    pub messages: u64,
    /// The count was read after this, by the store's clock
    /// ([`Watermark::read_after`](super::Watermark::read_after)).
    pub read_after: OffsetDateTime,
}

/// A queue that carries orders of a store, as whoever publishes to it has noted it there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueueNote {
    /// What [`BrokerAdmin::queue`](super::BrokerAdmin::queue) says.
    pub queue: String,
    /// What was noted last; `None` as long as its depth was never known.
    pub last: Option<QueueReading>,
}

impl QueueNote {
    /// A queue of which nothing was noted for so long is forgotten.
    pub const KEPT: Duration = Duration::from_mins(15);
}
