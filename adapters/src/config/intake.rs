use std::time::Duration;

use clap::Args;
use woody_core::services::IntakeSettings;

use super::{
    RelayArgs,
    bounds::{HOUR, SECOND, time},
};

/// Which orders are accepted.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Orders")]
pub struct IntakeArgs {
    /// How long an order may wait for a worker, by what is foretold: one that would wait for longer is
    /// answered 503, with the time until that is over; without it none is (1s to 1day).
    #[arg(long, env = "WOODY_MAX_WAIT", value_name = "TIME", value_parser = time(SECOND, HOUR * 24))]
    pub max_wait: Option<Duration>,
}

impl IntakeArgs {
    /// How orders are accepted, beside a relay with these settings.
    pub fn settings(&self, relay: &RelayArgs) -> IntakeSettings {
        relay.intake_settings().max_wait(self.max_wait)
    }
}
