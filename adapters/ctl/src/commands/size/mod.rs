//! How large a shop must be, before it is one.

mod report;

use std::time::Duration;

use clap::{Args, ValueEnum};

use self::report::report;
use super::output::Output;
use crate::capacity::{Ask, Costs, Load, Spread, Validation, size};
use woody_adapters::config::bounds::{HOUR, MILLISECOND, time, whole};

/// Flags of `woodyctl size`.
#[derive(Debug, Args)]
pub(super) struct SizeArgs {
    /// Orders a second in a usual hour (0.1 to 10000000).
    #[arg(long, value_name = "RATE", value_parser = number(0.1, 10_000_000.0))]
    rate: f64,
    /// How long an order is validated, on average (0s to 15m).
    #[arg(long, default_value = "0s", value_name = "TIME",
          value_parser = time(Duration::ZERO, HOUR / 4))]
    validation: Duration,
    /// What a validation does meanwhile.
    #[arg(long, default_value = "waits", value_name = "WHICH")]
    validation_kind: Kind,
    /// How the times of validations spread.
    #[arg(long, default_value = "exponential", value_name = "WHICH")]
    spread: Spreads,
    /// Orders that a worker has in hand at once: its WOODY_PREFETCH (1 to 10000).
    #[arg(long, default_value = "1", value_name = "N", value_parser = whole::<u32>(1, 10_000))]
    prefetch: u32,
    /// What comes at the peak, in usual hours. What accepts orders is sized for it, the workers
    /// are not: a peak waits in the queue (1 to 100).
    #[arg(long, default_value = "2", value_name = "FACTOR", value_parser = number(1.0, 100.0))]
    peak: f64,
    /// How busy workers and cores may be, in percent (10 to 95).
    #[arg(long, default_value = "70", value_name = "N", value_parser = whole::<u8>(10, 95))]
    busy: u8,
    /// 99 of 100 orders shall have ended by then (1ms to 1h).
    #[arg(long, value_name = "TIME", value_parser = time(MILLISECOND, HOUR))]
    p99: Option<Duration>,
    /// How long a disk takes until it has what was written (0s to 100ms).
    #[arg(long, default_value = "1ms", value_name = "TIME",
          value_parser = time(Duration::ZERO, 100 * MILLISECOND))]
    sync: Duration,
    /// Cores of each machine (1 to 1024).
    #[arg(long, default_value = "4", value_name = "N", value_parser = whole::<u32>(1, 1_024))]
    cores_per_machine: u32,
    /// Predict what so many workers do, instead of searching (1 to 100000).
    #[arg(long, value_name = "N", value_parser = whole::<u32>(1, 100_000))]
    workers: Option<u32>,
    /// Predict what so many order-services do, instead of searching (1 to 10000).
    #[arg(long, value_name = "N", value_parser = whole::<u32>(1, 10_000))]
    order_services: Option<u32>,
    /// Predict what it does on one machine of so many cores, database and broker included (1 to 1024).
    #[arg(long, value_name = "N", value_parser = whole::<u32>(1, 1_024))]
    cores: Option<u32>,
}

/// What a validation does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Kind {
    /// It waits for another service, and takes no core.
    Waits,
    /// It computes, and takes a core.
    Computes,
}

/// How times spread.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Spreads {
    /// Each takes as long as any other.
    Fixed,
    /// Many are short, a few are long.
    Exponential,
}

/// Returns a reader of numbers from `from` to `to`.
fn number(
    from: f64,
    to: f64,
) -> impl Fn(&str) -> Result<f64, String> + Clone + Send + Sync + 'static {
    move |text| {
        let number = text.parse::<f64>().ok().filter(|number| (from..=to).contains(number));
        number.ok_or_else(|| format!("must be a number from {from} to {to}"))
    }
}

impl SizeArgs {
    fn ask(&self) -> Ask {
        let spread = match self.spread {
            Spreads::Fixed => Spread::Fixed,
            Spreads::Exponential => Spread::Exponential,
        };
        let validation = Validation {
            mean: self.validation.as_secs_f64(),
            spread,
            computes: self.validation_kind == Kind::Computes,
        };
        Ask {
            load: Load { rate: self.rate, arrivals: Spread::Exponential, validation },
            prefetch: self.prefetch,
            peak: self.peak,
            busy: f64::from(self.busy) / 100.0,
            cores_per_machine: self.cores_per_machine,
            p99: self.p99.map(|time| time.as_secs_f64()),
            order_services: self.order_services,
            workers: self.workers,
            cores: self.cores,
        }
    }
}

pub(super) fn run(args: &SizeArgs) -> Output {
    let ask = args.ask();
    let advice = size(&ask, &Costs::MEASURED.on_disk(args.sync.as_secs_f64()));
    let is_short = advice.shortfall.is_some();
    let output = report(&ask, &advice);
    if is_short { output.failing() } else { output }
}
