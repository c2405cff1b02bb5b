use std::time::Duration;

use clap::Args;
use woody_core::services::IntakeSettings;

use super::{
    RelayArgs,
    bounds::{HOUR, SECOND, time, whole},
};

/// Which orders are accepted, and what is remembered of them.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Orders")]
pub struct IntakeArgs {
    /// How long an order may wait for a worker, by what is foretold: one that would wait for longer is
    /// answered 503, with the time until that is over; without it none is (1s to 1day).
    #[arg(long, env = "WOODY_MAX_WAIT", value_name = "TIME", value_parser = time(SECOND, HOUR * 24))]
    pub max_wait: Option<Duration>,
    /// How much of what was accepted last is remembered, and written again when a standby that
    /// lagged behind has taken the database's place, in MiB (0 to 1024).
    #[arg(long, env = "WOODY_PROMISES_MIB", default_value = "8", value_name = "MIB",
          value_parser = whole::<u16>(0, 1_024))]
    pub promises_mib: u16,
}

impl IntakeArgs {
    /// How orders are accepted, beside a relay with these settings.
    pub fn settings(&self, relay: &RelayArgs) -> IntakeSettings {
        IntakeSettings::default()
            .outbox_lease(relay.outbox_lease)
            .max_wait(self.max_wait)
            .promises_bytes(usize::from(self.promises_mib) * 1_024 * 1_024)
    }
}
