use std::{num::NonZeroUsize, time::Duration};

use clap::Args;
use woody_core::{services::HeavyConfig, workshop::HeavyPoolConfig};

use super::{
    WorkshopArgs,
    bounds::{HOUR, MILLISECOND, MONTH, time, whole},
};

/// How heavy work is done and remembered.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Heavy work")]
pub struct HeavyArgs {
    /// Threads for heavy work; 0 is one for each core (0 to 256).
    #[arg(long, env = "WOODY_HEAVY_THREADS", default_value = "0", value_name = "N",
          value_parser = whole::<usize>(0, 256))]
    pub heavy_threads: usize,
    /// Longest time that one plan is searched; then it is the best that was found (10ms to 5m).
    #[arg(long, env = "WOODY_HEAVY_LIMIT", default_value = "5s", value_name = "TIME",
          value_parser = time(MILLISECOND * 10, HOUR / 12))]
    pub heavy_limit: Duration,
    /// What is planned with.
    #[command(flatten)]
    pub workshop: WorkshopArgs,
}

impl HeavyArgs {
    /// How many threads there are, and what waits for them.
    pub fn settings(&self) -> HeavyPoolConfig {
        let mut settings = HeavyPoolConfig::default().limit(self.heavy_limit);
        if let Some(threads) = NonZeroUsize::new(self.heavy_threads) {
            settings.threads = threads;
        }
        settings
    }
}

/// How long heavy answers are cached.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Heavy work")]
pub struct HeavyCacheArgs {
    /// How long a heavy answer is cached (1ms to 30days).
    #[arg(long, env = "WOODY_HEAVY_CACHE_TTL", default_value = "60s", value_name = "TIME",
          value_parser = time(MILLISECOND, MONTH))]
    pub heavy_cache_ttl: Duration,
    /// How many heavy answers are cached (1 to 1000000).
    #[arg(long, env = "WOODY_HEAVY_CACHE_CAPACITY", default_value = "10000", value_name = "N",
          value_parser = whole::<u64>(1, 1_000_000))]
    pub heavy_cache_capacity: u64,
}

impl HeavyCacheArgs {
    /// How long and how many.
    pub fn settings(&self) -> HeavyConfig {
        HeavyConfig::default().ttl(self.heavy_cache_ttl).capacity(self.heavy_cache_capacity)
    }
}
