use std::time::Duration;

/// How a relay paces itself.
#[non_exhaustive]
#[derive(Debug, Clone)]
pub struct RelaySettings {
    /// Orders in one publish.
    pub batch: usize,
    /// Publishes under way at once, at most: the next begins only if one takes long.
    pub lanes: usize,
    /// Fresh orders that may wait in memory; the sweep finds those beyond.
    pub waiting: usize,
    /// How large the details of all fresh orders in memory may be together, in bytes.
    pub waiting_bytes: usize,
    /// Pause between sweeps that found nothing.
    pub sweep_every: Duration,
    /// How long a claimed entry is leased.
    pub lease: Duration,
    /// Pause between looks for lost messages: long against what the worker's
    /// [`mark_held_every`](crate::services::WorkerSettings::mark_held_every) says, and at most
    /// ten minutes.
    pub reconcile_every: Duration,
    /// An order pending for longer than this may have lost its message. It covers how
    /// far the services' clocks are apart from the store's, and the store's longest write.
    pub pending_for: Duration,
}

impl RelaySettings {
    crate::__setters! {
        batch: usize,
        lanes: usize,
        waiting: usize,
        waiting_bytes: usize,
        sweep_every: Duration,
        lease: Duration,
        reconcile_every: Duration,
        pending_for: Duration,
    }
}

impl Default for RelaySettings {
    fn default() -> Self {
        Self {
            batch: 512,
            lanes: 3,
            waiting: 8_192,
            waiting_bytes: 32 * 1024 * 1024,
            sweep_every: Duration::from_secs(1),
            lease: Duration::from_secs(15),
            reconcile_every: Duration::from_secs(15),
            pending_for: Duration::from_secs(10),
        }
    }
}
