use std::time::Duration;

use clap::Args;
use woody_core::services::RelaySettings;

use super::bounds::{HOUR, MILLISECOND, MONTH, time};

/// How orders get from the store to the broker when the first attempt did not do it.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Outbox")]
pub struct RelayArgs {
    /// How long a process has for publishing an order; then any other may do it (100ms to 1h).
    #[arg(long, env = "WOODY_OUTBOX_LEASE", default_value = "15s", value_name = "TIME",
          value_parser = time(100 * MILLISECOND, HOUR))]
    pub outbox_lease: Duration,
    /// Pause between looks for orders whose messages the broker has lost (4s to 10m).
    #[arg(long, env = "WOODY_RECONCILE_EVERY", default_value = "15s", value_name = "TIME",
          value_parser = time(4_000 * MILLISECOND, HOUR / 6))]
    pub reconcile_every: Duration,
    /// An order that is pending for longer may have lost its message (100ms to 30days).
    #[arg(long, env = "WOODY_PENDING_FOR", default_value = "10s", value_name = "TIME",
          value_parser = time(100 * MILLISECOND, MONTH))]
    pub pending_for: Duration,
}

impl RelayArgs {
    /// How the outbox is emptied.
    pub fn relay_settings(&self) -> RelaySettings {
        RelaySettings::default()
            .lease(self.outbox_lease)
            .reconcile_every(self.reconcile_every)
            .pending_for(self.pending_for)
    }
}
