//! Every number and time that can be set: `--help` names its bounds, and what is
//! beyond them is one line and exit code 2.

use std::{
    collections::BTreeSet,
    io::Read,
    path::Path,
    process::{Command, Output, Stdio},
    time::Duration,
};
use testkit::service::{Start, binary};

/// Our programs, and for `woodyctl` the words that lead to each of its commands
/// with flags of its own: its name for `--help`, and what it needs besides.
const PROGRAMS: [(&str, &[&str], &[&str]); 14] = [
    ("woodytoys", &[], &["--healthcheck"]),
    ("order-worker", &[], &["--healthcheck"]),
    ("order-service", &[], &["--healthcheck"]),
    ("product-service", &[], &["--healthcheck"]),
    ("misc-service", &[], &["--healthcheck"]),
    ("woodyctl", &["orders", "stuck"], &[]),
    ("woodyctl", &["orders", "audit"], &[]),
    ("woodyctl", &["acts"], &[]),
    ("woodyctl", &["order", "place"], &["Train"]),
    ("woodyctl", &["dead", "list"], &[]),
    ("woodyctl", &["notices", "dead", "list"], &["webhook"]),
    ("woodyctl", &["dead", "redrive"], &["--all", "--canary"]),
    // A port that cannot be listened on.
    ("woodyctl", &["load"], &["http://127.0.0.1:0"]),
    ("woodyctl", &["size"], &["--rate=1"]),
];

/// A flag as `--help` shows it.
#[derive(Debug)]
struct Setting {
    flag: String,
    variable: Option<String>,
    /// Its bounds as they are written.
    bounds: Option<(String, String)>,
    is_time: bool,
}

fn run(program: &str, words: &[&str], env: Option<(&str, &str)>) -> Output {
    let folder = tempfile::tempdir().unwrap();
    let mut command = Command::new(binary(program));
    command.current_dir(folder.path()).args(words).envs(env).stdin(Stdio::null());
    command.env("WOODY_LOG", "off");
    if program != "woodyctl" {
        command.env("WOODY_STORE_URL", "postgres://127.0.0.1:1/shop");
        command.env("WOODY_BROKER_URL", "amqp://127.0.0.1:1");
    }
    command.output().unwrap()
}

/// The flags of a `--help` that take a number or a time.
fn settings(help: &str) -> Vec<Setting> {
    let mut flags: Vec<String> = Vec::new();
    for line in help.lines() {
        if line.trim_start().starts_with("--") || line.trim_start().starts_with("-h,") {
            flags.push(line.trim().to_owned());
        } else if let Some(flag) = flags.last_mut() {
            flag.push(' ');
            flag.push_str(line.trim());
        }
    }
    flags.iter().filter_map(|text| setting(text)).collect()
}

fn setting(text: &str) -> Option<Setting> {
    let (flag, rest) = text.split_once(" <")?;
    let (value, rest) = rest.split_once('>')?;
    let is_time = match value {
        "N" => false,
        "TIME" => true,
        _ => return None,
    };
    let variable = rest.split_once("[env: ").and_then(|(_, rest)| rest.split_once('='));
    let bounds = rest.match_indices('(').find_map(|(at, _)| {
        let (inner, _) = rest[at + 1..].split_once(')')?;
        let (from, to) = inner.split_once(" to ")?;
        Some((from.to_owned(), to.to_owned()))
    });
    let variable = variable.map(|(name, _)| name.to_owned());
    Some(Setting { flag: flag.to_owned(), variable, bounds, is_time })
}

/// The bounds themselves, and what is beyond them or no value at all.
fn values(setting: &Setting) -> ([String; 2], Vec<String>) {
    let (from, to) = setting.bounds.clone().unwrap();
    let mut bad = vec![String::new(), "-1".to_owned(), "many".to_owned(), "9".repeat(40)];
    if setting.is_time {
        let read = |text: &str| humantime::parse_duration(text).unwrap();
        let beyond = read(&to) + Duration::from_nanos(1);
        bad.push(humantime::format_duration(beyond).to_string());
        if let Some(below) = read(&from).checked_sub(Duration::from_nanos(1)) {
            bad.push(humantime::format_duration(below).to_string());
            bad.push("0s".to_owned());
        }
        bad.extend(["10", "400000d", "1e9d", "-1s"].map(str::to_owned));
        bad.push("9".repeat(30) + "d");
    } else {
        let read = |text: &str| text.parse::<u64>().unwrap();
        bad.push((read(&to) + 1).to_string());
        bad.extend(read(&from).checked_sub(1).map(|below| below.to_string()));
        bad.extend(["1.5", "1e3", "0x10"].map(str::to_owned));
    }
    ([from, to], bad)
}

#[test]
fn every_number_and_time_has_bounds_that_help_names_and_the_program_keeps() {
    let mut seen = BTreeSet::new();
    for (program, command, rest) in PROGRAMS {
        let help = run(program, &[command, &["--help"]].concat(), None);
        let help = String::from_utf8(help.stdout).unwrap();
        let found = settings(&help);
        assert!(!found.is_empty(), "{program} {command:?}: {help}");
        for setting in found {
            let Setting { flag, variable, bounds, .. } = &setting;
            assert!(bounds.is_some(), "{program} {command:?}: {flag} names no bounds");
            // The same flag is read by the same code in each program.
            if !seen.insert((flag.clone(), bounds.clone())) {
                continue;
            }
            let (good, bad) = values(&setting);
            for value in good {
                let given = format!("{flag}={value}");
                let output = run(program, &[command, &[&given], rest].concat(), None);
                let said = String::from_utf8_lossy(&output.stderr);
                assert!(!said.contains(flag.as_str()), "{program} {given}: {said}");
                assert!(!said.contains("panicked"), "{program} {given}: {said}");
            }
            for value in bad {
                let given = format!("{flag}={value}");
                let output = run(program, &[command, &[&given]].concat(), None);
                refused(&output, &given, flag);
                if let Some(variable) = variable {
                    let env = Some((variable.as_str(), value.as_str()));
                    refused(&run(program, command, env), &given, variable);
                }
            }
        }
    }
    assert!(seen.len() >= 20, "{seen:?}");
}

/// One line that names what was set, and exit code 2.
fn refused(output: &Output, given: &str, name: &str) {
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{given}: {said}");
    assert_eq!(said.trim().lines().count(), 1, "{given}: {said}");
    let variable = name.trim_start_matches('-').replace('-', "_").to_uppercase();
    assert!(said.contains(name) || said.contains(&variable), "{given}: {said}");
}

#[test]
fn a_value_and_a_file_for_it_are_refused_by_both_names() {
    let words = ["--store-url", "memory:", "--store-url-file", "secret"];
    let output = run("woodytoys", &words, None);
    refused(&output, "both", "WOODY_STORE_URL_FILE");
    let output = run("woodyctl", &["orders", "stuck"], Some(("WOODY_STORE_URL_FILE", "")));
    refused(&output, "an empty file name", "WOODY_STORE_URL_FILE");
}

/// Its first line on stderr, from a program whose stdout or stderr is full.
fn with_full(program: &str, words: &[&str]) -> (Option<i32>, String) {
    let folder = tempfile::tempdir().unwrap();
    let full = std::fs::File::options().write(true).open("/dev/full").unwrap();
    let mut command = Command::new(binary(program));
    command.current_dir(folder.path()).args(words).stdout(full);
    let output = command.output().unwrap();
    (output.status.code(), String::from_utf8(output.stderr).unwrap())
}

#[test]
fn a_full_stdout_is_a_sentence_and_no_panic() {
    for (program, words) in [
        ("woodytoys", &["--help"][..]),
        ("order-service", &["--version"]),
        ("woodyctl", &["--help"]),
        ("woodyctl", &["orders", "--help"]),
        ("woodyctl", &["--store-url", "sqlite:woody.db", "migrate"]),
        ("woodyctl", &["--broker-url", "memory:", "queue", "stats"]),
    ] {
        let (code, said) = with_full(program, words);
        assert_eq!(code, Some(1), "{program} {words:?}: {said}");
        assert!(said.starts_with("error: cannot write to stdout: "), "{said}");
        assert_eq!(said.lines().count(), 1, "{said}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shop_whose_stdout_and_stderr_are_full_is_open() {
    let folder = tempfile::tempdir().unwrap();
    let shop = Start::of("woodytoys").current_dir(folder.path()).env("WOODY_LOG", "debug");
    let shop = shop.print_to(Path::new("/dev/full")).log_to(Path::new("/dev/full")).ready().await;
    shop.terminate();
    assert!(shop.ended().await.success());
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let mut command = Command::new(binary("woodyctl"));
    command.arg("--help").stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut running = command.spawn().unwrap();
    drop(running.stdout.take());
    let mut said = String::new();
    running.stderr.take().unwrap().read_to_string(&mut said).unwrap();
    assert!(running.wait().unwrap().success(), "{said}");
    assert_eq!(said, "");
}
