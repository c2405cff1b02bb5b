//! What is measured, for how long, and where the results go.

use std::{path::PathBuf, time::Duration};

use clap::Parser;

/// What real processes do under load, beside what their parts can do in the same run.
#[derive(Debug, Parser)]
#[command(name = "load", version)]
pub struct Options {
    /// Seconds that each load lasts (1 to 3600).
    #[arg(long, default_value_t = 5, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=3_600))]
    pub seconds: u64,
    /// How often everything is measured; the table shows medians (1 to 99).
    #[arg(long, default_value_t = 3, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=99))]
    pub rounds: u64,
    /// Only what has this in its name; may be given several times.
    #[arg(long, value_name = "TEXT")]
    pub only: Vec<String>,
    /// Print the names of all that can be measured, and end.
    #[arg(long)]
    pub list: bool,
    /// Deliveries in flight of a worker that is measured (1 to 10000).
    #[arg(long, default_value_t = 200, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=10_000))]
    pub prefetch: u64,
    /// Orders that full tables hold, with a tenth as many products, and as many orders queued (1000 to 100000000).
    #[arg(long, default_value_t = 1_000_000, value_name = "N", value_parser = clap::value_parser!(u64).range(1_000..=100_000_000))]
    pub orders: u64,
    /// Seconds for which a transaction is held open (1 to 7200).
    #[arg(long, default_value_t = 30, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=7_200))]
    pub held: u64,
    /// Folder of the programs that are measured; ./dev/measure.sh builds them.
    #[arg(long, default_value = "target/release", value_name = "DIR")]
    pub programs: PathBuf,
    /// Folder for results.json and the plots.
    #[arg(long, default_value = "target/load", value_name = "DIR")]
    pub out: PathBuf,
    /// An earlier results.json: say what is slower now.
    #[arg(long, value_name = "FILE")]
    pub against: Option<PathBuf>,
    /// Cargo says that it is a bench.
    #[arg(long, hide = true)]
    bench: bool,
}

impl Options {
    pub fn lasting(&self) -> Duration {
        Duration::from_secs(self.seconds)
    }

    /// Whether `name` is to be measured.
    pub fn wants(&self, name: &str) -> bool {
        self.only.is_empty() || self.only.iter().any(|text| name.contains(text.as_str()))
    }
}
