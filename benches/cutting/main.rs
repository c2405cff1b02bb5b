//! The cutting planner on instances with known best values.
//!
//! ```text
//! cargo bench --bench cutting                                   made from the published classes
//! cargo bench --bench cutting -- --instances DIR --seconds 1    all *.jsonl of a folder
//! ```
//!
//! `--seconds` (0.1) is processor time of the planning thread for each instance, so that
//! a busy machine does not distort it; `--steps` counts work instead. `--every N` takes a
//! sample, `--fixed` forbids to turn pieces, `--name TEXT` takes those whose name has it,
//! `--worse` names the instances that end above the best known value.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "its tables are its purpose")]

mod classes;
mod instance;
mod report;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};
use woody_cutting::{Effort, Unplanned};

use instance::Instance;
use report::{Report, Row};

/// What is asked for on the command line.
pub(crate) struct Options {
    instances: Option<PathBuf>,
    seconds: f64,
    steps: u64,
    every: usize,
    fixed: bool,
    name: String,
    worse: bool,
}

impl Options {
    fn parse(mut args: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut options = Self {
            instances: None,
            seconds: 0.1,
            steps: u64::MAX,
            every: 1,
            fixed: false,
            name: String::new(),
            worse: false,
        };
        while let Some(flag) = args.next() {
            let mut value = || args.next().ok_or_else(|| format!("{flag} needs a value"));
            let wrong = |text: &str| format!("{flag} cannot be {text:?}");
            match flag.as_str() {
                "--instances" => options.instances = Some(value()?.into()),
                "--seconds" => {
                    let text = value()?;
                    let seconds = text.parse().ok().filter(|s| (0.001..=3_600.0).contains(s));
                    options.seconds = seconds.ok_or_else(|| wrong(&text))?;
                }
                "--steps" => {
                    let text = value()?;
                    options.steps = text.parse().map_err(|_| wrong(&text))?;
                    options.seconds = 3_600.0;
                }
                "--every" => {
                    let text = value()?;
                    let every = text.parse().ok().filter(|n| *n > 0);
                    options.every = every.ok_or_else(|| wrong(&text))?;
                }
                "--name" => options.name = value()?,
                "--fixed" => options.fixed = true,
                "--worse" => options.worse = true,
                // Cargo says that it is a bench.
                "--bench" => {}
                _ => {
                    return Err(format!(
                        "{flag} is unknown; see the top of benches/cutting/main.rs"
                    ));
                }
            }
        }
        Ok(options)
    }
}

/// Processor time of this thread.
fn cpu_time() -> Duration {
    let now = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(now.tv_sec.unsigned_abs(), u32::try_from(now.tv_nsec).unwrap_or(0))
}

fn solve(instance: &Instance, options: &Options) -> Result<Row, Unplanned> {
    let start = cpu_time();
    let taken = || cpu_time().saturating_sub(start);
    let limit = Duration::from_secs_f64(options.seconds);
    let effort = Effort::steps(options.steps);
    let plan = instance.problem.plan_while(&effort, || taken() < limit)?;
    Ok(Row {
        class: instance.class().to_owned(),
        name: instance.name.clone(),
        value: plan.cost,
        bound: plan.least_cost,
        best: instance.best,
        time: taken(),
    })
}

fn run() -> Result<(), String> {
    let options = Options::parse(std::env::args().skip(1))?;
    let instances = match &options.instances {
        Some(folder) => instance::read(folder, options.fixed)?,
        None => classes::all(options.fixed),
    };
    let mut report = Report::default();
    let wanted = instances.iter().filter(|instance| instance.name.contains(&options.name));
    for instance in wanted.step_by(options.every) {
        let row =
            solve(instance, &options).map_err(|error| format!("{}: {error}", instance.name))?;
        report.add(row);
    }
    println!("{report}");
    if options.worse {
        println!("above the best known value: {}", report.worse().join(" "));
    }
    Ok(())
}

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("cutting: {error}");
            ExitCode::from(2)
        }
    }
}
