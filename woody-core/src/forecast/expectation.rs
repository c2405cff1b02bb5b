use std::time::Duration;

/// What can be said of one order when it is accepted.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Expectation {
    /// How long the orders in front of it take: until a worker takes it up, more or less.
    pub wait: Duration,
    /// Within which times it ends; `None` until enough orders have ended.
    pub ends_within: Option<Within>,
}

/// Times within which an order ends, counted from when that was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Within {
    /// One of two orders ends within this.
    pub p50: Duration,
    /// Nine of ten orders end within this.
    pub p90: Duration,
}
