//! Holds the public API of each published crate against its snapshot in `docs/api/`; `dev/api.sh` runs it.
//!
//! What it reads is rustdoc's JSON, whose format changes with the toolchain: `public-api` in the root's `Cargo.toml` is
//! the version for the toolchain that is in use.
#![allow(clippy::print_stdout, clippy::print_stderr)] // It is a command.

use std::{collections::BTreeSet, error::Error, fs, path::Path, process::ExitCode};

/// The crates that are published.
const CRATES: [&str; 6] =
    ["woody", "woody-core", "woody-cutting", "woody-broker", "woody-store", "woody-adapters"];

fn main() -> Result<ExitCode, Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let documentation = arguments.next().ok_or("needs the folder that rustdoc wrote to")?;
    let is_update = arguments.next().is_some_and(|argument| argument == "--update");
    let mut differing = 0;
    for name in CRATES {
        let json = Path::new(&documentation).join(format!("{}.json", name.replace('-', "_")));
        let api = api(&json).map_err(|error| format!("{}: {error}", json.display()))?;
        let snapshot = Path::new("docs/api").join(format!("{name}.txt"));
        if is_update {
            fs::write(&snapshot, api)?;
            continue;
        }
        let kept = fs::read_to_string(&snapshot)?;
        if kept != api {
            differing += 1;
            println!("{name} is not what {} says:", snapshot.display());
            print_difference(&kept, &api);
        }
    }
    if differing > 0 {
        eprintln!("if that is meant: dev/api.sh --update, and a line in CHANGELOG.md");
        return Ok(ExitCode::FAILURE);
    }
    Ok(ExitCode::SUCCESS)
}

/// Returns one line for each public item, sorted. What follows from others (blanket impls, auto traits) is left out.
fn api(json: &Path) -> Result<String, Box<dyn Error>> {
    let api = public_api::Builder::from_rustdoc_json(json)
        .omit_blanket_impls(true)
        .omit_auto_trait_impls(true)
        .build()?;
    Ok(api.to_string())
}

fn print_difference(kept: &str, now: &str) {
    let (kept, now): (BTreeSet<_>, BTreeSet<_>) = (kept.lines().collect(), now.lines().collect());
    for line in kept.difference(&now) {
        println!("- {line}");
    }
    for line in now.difference(&kept) {
        println!("+ {line}");
    }
}
