//! Runs checks in their order, those that are asked for, and counts them.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    path::PathBuf,
    process::ExitCode,
    sync::Mutex,
    time::Instant,
};

/// Checks that are about one thing.
pub(crate) struct Group {
    pub(crate) title: &'static str,
    /// Whether all else depends on it: it runs whatever is asked for, and where it fails nothing else does.
    pub(crate) is_needed: bool,
    pub(crate) checks: &'static [Check],
    /// What is done after its last check.
    pub(crate) after: Option<fn()>,
}

/// A check fails by a panic, which says why.
pub(crate) struct Check {
    pub(crate) name: &'static str,
    pub(crate) run: fn(),
}

/// The named functions as checks.
macro_rules! checks {
    ($($check:path),+ $(,)?) => {
        &[$($crate::suite::Check { name: stringify!($check), run: $check }),+]
    };
}
pub(crate) use checks;

/// The variable that `dev/test-swarm.sh` sets: a folder for this run, which it removes.
const WORK: &str = "WOODY_TEST_SWARM";

/// Returns the run's own folder.
pub(crate) fn work() -> PathBuf {
    std::env::var_os(WORK)
        .unwrap_or_else(|| panic!("{WORK} is not set: run ./dev/test-swarm.sh"))
        .into()
}

/// Prints what a check found out, below its name.
pub(crate) fn note(text: &str) {
    for line in text.trim_end().lines() {
        println!("        {line}");
    }
}

/// Why the check under way says nothing here.
static LEFT_OUT: Mutex<Option<&str>> = Mutex::new(None);

/// Says why a check cannot be made here: it counts as neither passed nor failed.
pub(crate) fn leave_out(why: &'static str) {
    *LEFT_OUT.lock().unwrap() = Some(why);
}

/// How many checks ended in which way.
#[derive(Default)]
struct Counts {
    passed: u32,
    failed: u32,
    left_out: u32,
}

/// What the command line asks for; options of the usual harness that mean nothing here are passed over.
#[derive(Default)]
struct Asked {
    names: Vec<String>,
    is_list: bool,
    is_included: bool,
}

impl Asked {
    fn of(arguments: impl Iterator<Item = String>) -> Self {
        let mut asked = Self::default();
        for argument in arguments {
            match argument.as_str() {
                "--list" => asked.is_list = true,
                "--include-ignored" | "--ignored" => asked.is_included = true,
                option if option.starts_with('-') => {}
                _ => asked.names.push(argument),
            }
        }
        asked
    }

    fn wants(&self, check: &Check) -> bool {
        self.names.is_empty() || self.names.iter().any(|name| check.name.contains(name.as_str()))
    }
}

/// Runs what the command line asks for. Like a test that needs a server, none runs without `--include-ignored`.
pub(crate) fn run(groups: &[Group]) -> ExitCode {
    let asked = Asked::of(std::env::args().skip(1));
    let wanted = || groups.iter().flat_map(|group| group.checks).filter(|check| asked.wants(check));
    if asked.is_list {
        wanted().for_each(|check| println!("{}: test", check.name));
        return ExitCode::SUCCESS;
    }
    if !asked.is_included {
        wanted().for_each(|check| println!("test {} ... ignored, needs {WORK}", check.name));
        let ignored = wanted().count();
        println!(
            "\ntest result: ok. 0 passed; 0 failed; {ignored} ignored; 0 measured; 0 filtered out"
        );
        return ExitCode::SUCCESS;
    }
    if wanted().next().is_none() {
        println!("no check has one of these names: {:?}", asked.names);
        return ExitCode::FAILURE;
    }
    if std::env::var_os(WORK).is_none() {
        // A stack that is in use might be the one that is taken for a test's.
        println!(
            "{WORK} is not set: run ./dev/test-swarm.sh\n0 passed, {} failed",
            wanted().count()
        );
        return ExitCode::FAILURE;
    }
    // What a check says of its failure stands with its notes.
    std::panic::set_hook(Box::new(|panic| note(&panic.to_string())));
    // From the root, where the scripts are.
    std::env::set_current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/../..")).unwrap();
    let mut counts = Counts::default();
    let began = Instant::now();
    for group in groups {
        let chosen: Vec<&Check> =
            group.checks.iter().filter(|check| group.is_needed || asked.wants(check)).collect();
        if chosen.is_empty() {
            continue;
        }
        println!("[{:4} s] {}", began.elapsed().as_secs(), group.title);
        for check in chosen {
            counts.run(check);
            if counts.failed > 0 && group.is_needed {
                break;
            }
        }
        if let Some(after) = group.after {
            after();
        }
        if counts.failed > 0 && group.is_needed {
            println!("nothing else says anything then");
            break;
        }
    }
    println!("[{:4} s] done", began.elapsed().as_secs());
    let Counts { passed, failed, left_out } = counts;
    println!("{passed} passed, {failed} failed, {left_out} left out");
    if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

impl Counts {
    /// Runs a check; what it says of a failure stands above its line.
    fn run(&mut self, check: &Check) {
        let began = Instant::now();
        let is_ok = catch_unwind(AssertUnwindSafe(check.run)).is_ok();
        let (count, outcome) = match (is_ok, LEFT_OUT.lock().unwrap().take()) {
            (false, _) => (&mut self.failed, "FAILED".to_owned()),
            (true, None) => (&mut self.passed, "ok".to_owned()),
            (true, Some(why)) => (&mut self.left_out, format!("left out: {why}")),
        };
        *count += 1;
        println!("test {} ... {outcome} ({:.1} s)", check.name, began.elapsed().as_secs_f32());
    }
}
