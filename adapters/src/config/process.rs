use std::time::Duration;

use clap::{Args, ValueEnum};

use super::{
    bounds::{HOUR, MILLISECOND, time, whole},
    trace::TraceArgs,
};

/// How a process ends.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Process")]
pub struct ProcessArgs {
    /// How long it goes on answering after SIGTERM while it is not ready any more (0s to 1h).
    #[arg(long, env = "WOODY_DRAIN_DELAY", default_value = "0s", value_name = "TIME",
          value_parser = time(Duration::ZERO, HOUR))]
    pub drain_delay: Duration,
    /// Time from SIGTERM by which everything is finished or given back (1ms to 1h).
    #[arg(long, env = "WOODY_GRACE", default_value = "25s", value_name = "TIME",
          value_parser = time(MILLISECOND, HOUR))]
    pub grace: Duration,
    /// Threads that serve connections and await the store and the broker (1 to 1024); as many as
    /// the machine has cores unless it is set. Planning has threads of its own.
    #[arg(long, env = "WOODY_THREADS", value_name = "NUMBER", value_parser = whole::<usize>(1, 1_024))]
    pub threads: Option<usize>,
    /// How it logs.
    #[command(flatten)]
    pub log: LogArgs,
    /// What it traces.
    #[command(flatten)]
    pub trace: TraceArgs,
}

/// How a process logs.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Logging")]
pub struct LogArgs {
    /// What is logged: off, error, warn, info, debug, trace, and by module, as in info,woody_store=debug.
    #[arg(long, env = "WOODY_LOG", default_value = "info", value_name = "FILTER")]
    pub log: String,
    /// How it looks.
    #[arg(long, env = "WOODY_LOG_FORMAT", default_value = "text", value_name = "text|json")]
    pub log_format: LogFormat,
}

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}
