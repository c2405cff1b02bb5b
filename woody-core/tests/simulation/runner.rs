//! Many schedules on all cores, and what is told about them.

use std::{
    collections::BTreeMap,
    io::Write,
    sync::{
        Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use crate::{coverage::Coverage, ledger::Broken, schedule::run, world::Options};

/// What a number of schedules came to.
#[derive(Default)]
pub struct Report {
    pub coverage: Coverage,
    pub schedules: u64,
    pub took: Duration,
    /// By seed, each schedule that broke something.
    pub broken: BTreeMap<u64, Broken>,
}

/// Runs the schedules of `seeds` on every core, until one has broken something
/// that is `enough`.
pub fn run_many(
    seeds: std::ops::Range<u64>,
    options: Options,
    enough: impl Fn(&Broken) -> bool + Sync,
) -> Report {
    let began = Instant::now();
    let (next, stop) = (AtomicU64::new(seeds.start), AtomicBool::new(false));
    let report = Mutex::new(Report::default());
    let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let work = || {
        let mut mine = Report::default();
        while !stop.load(Ordering::Relaxed) {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= seeds.end {
                break;
            }
            let outcome = run(seed, options);
            mine.schedules += 1;
            mine.coverage.add(&outcome.coverage);
            if let Some(broken) = outcome.broken {
                stop.fetch_or(enough(&broken), Ordering::Relaxed);
                mine.broken.insert(seed, broken);
            }
        }
        let mut all = report.lock().unwrap();
        all.schedules += mine.schedules;
        all.coverage.add(&mine.coverage);
        all.broken.append(&mut mine.broken);
    };
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(work);
        }
    });
    Report { took: began.elapsed(), ..report.into_inner().unwrap() }
}

/// Tells the terminal, also when the test harness keeps what is printed.
pub fn tell(text: &str) {
    let _ = writeln!(std::io::stderr(), "{text}");
}
