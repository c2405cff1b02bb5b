//! The cutting planner on instances with known best values, beside its peers.
//!
//! ```text
//! cargo bench --bench cutting                                   made from the published classes
//! cargo bench --bench cutting -- --instances DIR --seconds 1    all *.jsonl of a folder
//! ```
//!
//! `--seconds` (0.1) is processor time of the planning thread for each instance, so that
//! a busy machine does not distort it; `--steps` counts work instead. `--every N` takes a
//! sample, `--fixed` forbids to turn pieces, `--name TEXT` takes those whose name has it,
//! `--worse` names the instances that end above the best known value. The crates `bin-packing` and
//! `cut-optimizer-2d` plan the same in the same time; `--peers none` leaves them out.
//!
//! `--efforts` prints what each effort takes and yields instead, `--adversarial N` how long N problems
//! take that are made to be hard; `--validations` how long the validation of an order takes by its number
//! of pieces, `--hard-orders N` that of N orders that are made to be hard.
//!
//! The table is written to `target/cutting/table.json` too, and `target/cutting/curve.svg` shows
//! what all instances cost together by the time they take: `--curve N` (8) points, each with twice
//! the time of the one before, the last with `--seconds`; 0 for none.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "its tables are its purpose")]

mod classes;
mod curve;
mod efforts;
mod instance;
mod options;
mod orders;
mod peers;
mod report;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};
use woody_cutting::{Effort, Plan, Unplanned};

use curve::Curve;
use instance::Instance;
use options::Options;
use peers::Peer;
use report::{Report, Row};

/// Processor time of this thread.
pub(crate) fn cpu_time() -> Duration {
    let now = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(now.tv_sec.unsigned_abs(), u32::try_from(now.tv_nsec).unwrap_or(0))
}

/// Plans for so many seconds; returns how long it took, too.
fn plan(instance: &Instance, steps: u64, seconds: f64) -> Result<(Plan, Duration), Unplanned> {
    let start = cpu_time();
    let taken = || cpu_time().saturating_sub(start);
    let limit = Duration::from_secs_f64(seconds);
    let plan = instance.problem.plan_while(&Effort::steps(steps), || taken() < limit)?;
    Ok((plan, taken()))
}

fn solve(instance: &Instance, options: &Options) -> Result<Row, Unplanned> {
    let (plan, time) = plan(instance, options.steps, options.seconds)?;
    let peers = if options.peers { &Peer::ALL[..] } else { &[] };
    let ask = |peer: &Peer| peer.solve(&instance.problem, options.seconds, plan.least_cost);
    Ok(Row {
        class: instance.class().to_owned(),
        name: instance.name.clone(),
        value: plan.cost,
        bound: plan.least_cost,
        best: instance.best,
        time,
        peers: peers.iter().map(ask).collect(),
    })
}

/// What `instances` cost together at each of the times; the last is in the report already.
fn by_time(
    instances: &[&Instance],
    report: &Report,
    seconds: &[f64],
) -> Result<Vec<Option<u64>>, Unplanned> {
    let Some((_, before)) = seconds.split_last() else { return Ok(Vec::new()) };
    let mut sums = Vec::new();
    for limit in before {
        let mut sum = 0;
        for (instance, row) in instances.iter().zip(&report.0) {
            // What took less time would be the same plan again.
            let again = row.time.as_secs_f64() > *limit;
            sum += if again { plan(instance, u64::MAX, *limit)?.0.cost } else { row.value };
        }
        sums.push(Some(sum));
    }
    sums.push(Some(report.0.iter().map(|row| row.value).sum()));
    Ok(sums)
}

/// Where cargo puts what it makes.
fn folder() -> PathBuf {
    let exe = std::env::current_exe().unwrap_or_default();
    let target = exe.ancestors().find(|folder| folder.join("CACHEDIR.TAG").is_file());
    target.map_or_else(|| PathBuf::from("target"), PathBuf::from).join("cutting")
}

fn run() -> Result<(), String> {
    let options = Options::parse(std::env::args().skip(1))?;
    if let Some(instead) = options.instead {
        println!("{}", instead.run());
        return Ok(());
    }
    let instances = match &options.instances {
        Some(folder) => instance::read(folder, options.fixed)?,
        None => classes::all(options.fixed),
    };
    let wanted = instances.iter().filter(|instance| instance.name.contains(&options.name));
    let wanted: Vec<&Instance> = wanted.step_by(options.every).collect();
    let failed = |error: &dyn std::fmt::Display| error.to_string();
    let mut report = Report::default();
    // A peer that panics is counted; what it says of it is not the bench's.
    let hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(|_| {}));
    for instance in &wanted {
        let solved = solve(instance, &options);
        report.add(solved.map_err(|error| format!("{}: {error}", instance.name))?);
    }
    std::panic::set_hook(hook);
    println!("{report}");
    if options.worse {
        println!("above the best known value: {}", report.worse().join(" "));
    }
    let folder = folder();
    std::fs::create_dir_all(&folder).map_err(|error| failed(&error))?;
    let (table, drawing) = (folder.join("table.json"), folder.join("curve.svg"));
    std::fs::write(&table, format!("{:#}\n", report.json())).map_err(|error| failed(&error))?;
    println!("\ntable: {}", table.display());
    if options.curve > 0 {
        let seconds = curve::times(options.seconds, options.curve);
        let ours = by_time(&wanted, &report, &seconds).map_err(|error| failed(&error))?;
        let peers = Peer::ALL.iter().enumerate().map(|(index, peer)| {
            (peer.name().to_owned(), curve::of_peer(&report.tried(index), &seconds))
        });
        let mut lines = vec![("woody-cutting".to_owned(), ours)];
        lines.extend(peers.filter(|_| options.peers));
        let curve = Curve { seconds, lines, best: report.best(), bound: report.bound() };
        curve::draw(&curve, &drawing).map_err(|error| failed(&error))?;
        println!("curve: {}", drawing.display());
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
