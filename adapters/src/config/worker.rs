use std::{num::NonZeroU16, time::Duration};

use clap::{Args, ValueEnum};
use woody_core::{
    domain::{Label, Validation as Made},
    services::WorkerSettings,
};

use super::{
    SecretArg,
    bounds::{HOUR, MILLISECOND, MINUTE, time, whole},
};

/// How orders are validated.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Worker")]
pub struct WorkerArgs {
    /// Deliveries in flight; also how many orders are validated at once (1 to 10000).
    #[arg(long, env = "WOODY_PREFETCH", default_value = "1", value_name = "N",
          value_parser = whole::<NonZeroU16>(1, 10_000))]
    pub prefetch: NonZeroU16,
    /// Attempts before an order is failed and its message a dead letter (1 to 1000).
    #[arg(long, env = "WOODY_MAX_ATTEMPTS", default_value = "5", value_name = "N",
          value_parser = whole::<u32>(1, 1_000))]
    pub max_attempts: u32,
    /// Pause before the second attempt; it doubles with each further one (1ms to 1h).
    #[arg(long, env = "WOODY_RETRY_BASE", default_value = "1s", value_name = "TIME",
          value_parser = time(MILLISECOND, HOUR))]
    pub retry_base: Duration,
    /// Longest time one validation may take (1ms to 15m).
    #[arg(long, env = "WOODY_VALIDATION_TIMEOUT", default_value = "10s", value_name = "TIME",
          value_parser = time(MILLISECOND, HOUR))]
    pub validation_timeout: Duration,
    /// How soon a worker sees that an operator has paused or resumed it (100ms to 1m).
    #[arg(long, env = "WOODY_PAUSE_CHECK", default_value = "3s", value_name = "TIME",
          value_parser = time(100 * MILLISECOND, MINUTE))]
    pub pause_check: Duration,
    /// What this worker is called in the stories of its orders (up to 32 characters); by default the
    /// name of its host.
    #[arg(long, env = "WOODY_WORKER_NAME", value_name = "NAME", value_parser = worker_name)]
    pub worker_name: Option<Label>,
    /// What an order must pass.
    #[arg(long, env = "WOODY_VALIDATION", default_value = "workshop", value_name = "WHICH")]
    pub validation: Validation,
    /// HTTP service that must agree to each order too (payment, fraud, …).
    #[arg(long, env = "WOODY_VALIDATOR_URL", value_name = "URL", hide_env_values = true)]
    pub validator_url: Option<SecretArg>,
}

impl WorkerArgs {
    /// How a worker tries and gives up.
    pub fn settings(&self) -> WorkerSettings {
        WorkerSettings::default()
            .max_attempts(self.max_attempts)
            .retry_base(self.retry_base)
            .validation_timeout(self.validation_timeout)
            .name(self.worker_name.clone().unwrap_or_else(host_name))
    }
}

fn worker_name(text: &str) -> Result<Label, String> {
    let name = Label::new(text);
    let most = Made::MAX_NAME_CHARS;
    if !(1..=most).contains(&text.chars().count()) || name.as_str() != text {
        return Err(format!("must be 1 to {most} characters in one line, with no blank around"));
    }
    Ok(name)
}

/// Returns the name of the machine, in a container that of the container.
fn host_name() -> Label {
    Label::new(rustix::system::uname().nodename().to_string_lossy())
}

/// The validation that comes with the shop.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Validation {
    /// The workshop plans how the order is cut.
    Workshop,
    /// Every order passes; for measuring everything else.
    None,
}
