use std::time::Duration;

use crate::domain::Details;

/// What an intake waits for, and how long.
#[non_exhaustive]
#[derive(Debug, Clone, Copy)]
pub struct IntakeSettings {
    /// How long the store may take before the broker is used instead.
    pub store_deadline: Duration,
    /// How long the broker may take when it is used instead.
    pub broker_deadline: Duration,
    /// How long a new outbox entry belongs to this process, which publishes it
    /// at once; afterwards any relay may take it.
    pub outbox_lease: Duration,
    /// Orders that may wait for a commit; past that they are refused at once.
    pub waiting: usize,
    /// How large the details of all orders that wait may be together, in bytes; past
    /// that they are refused at once.
    pub waiting_bytes: usize,
    /// How large the details of one order may be as JSON, in bytes: at most
    /// [`Details::LARGEST`].
    pub details_bytes: usize,
    /// How much of what was accepted last is remembered, in bytes, for a store that is continued
    /// from a copy of it (see [`keep_promises`](super::OrderIntake::keep_promises)); an order of the
    /// shop's takes about 150. 0: nothing.
    pub promises_bytes: usize,
    /// Orders in one commit.
    pub batch: usize,
    /// How long an order may wait in the queue, by what is foretold: one that would wait for
    /// longer is refused, unless it was accepted before, under its key. `None`, the default,
    /// refuses none. It has an effect in a [`Pipeline`](crate::services::Pipeline).
    pub max_wait: Option<Duration>,
    /// Commits under way at once, at most: the next begins only if one takes long.
    pub lanes: usize,
}

impl IntakeSettings {
    crate::__setters! {
        store_deadline: Duration,
        broker_deadline: Duration,
        outbox_lease: Duration,
        waiting: usize,
        waiting_bytes: usize,
        details_bytes: usize,
        promises_bytes: usize,
        batch: usize,
        max_wait: Option<Duration>,
        lanes: usize,
    }
}

impl Default for IntakeSettings {
    fn default() -> Self {
        Self {
            store_deadline: Duration::from_millis(500),
            broker_deadline: Duration::from_secs(2),
            outbox_lease: Duration::from_secs(15),
            waiting: 4_096,
            waiting_bytes: 32 * 1024 * 1024,
            details_bytes: Details::MAX_BYTES,
            promises_bytes: 8 * 1024 * 1024,
            batch: 512,
            max_wait: None,
            lanes: 2,
        }
    }
}
