//! What the documents show of a first run is what the scripts say, and the workflow runs what a change must pass.

use crate::repository::Repository;

/// The lines of a block of `docs/operations.md` that begins with the command.
fn shown(command: &str) -> Vec<String> {
    let page = Repository::text("docs/operations.md");
    let (_, block) = page.split_once(&format!("```text\n$ {command}\n")).expect("no such block");
    let (block, _) = block.split_once("```").unwrap();
    block.lines().map(str::to_owned).collect()
}

/// What a line says whatever the machine: without times, numbers and names in it.
fn words(line: &str) -> Vec<&str> {
    let line = line.split_once(" s] ").map_or(line, |(_, said)| said);
    let line = line.strip_prefix("preflight: ").unwrap_or(line);
    let is_fixed = |word: &&str| word.chars().all(|c| c.is_ascii_lowercase());
    line.split(' ').filter(is_fixed).collect()
}

#[test]
fn what_is_shown_of_a_first_run_is_what_the_scripts_say() {
    let repository = Repository::read();
    let said: Vec<String> = repository
        .files_of("sh")
        .filter(|file| file.starts_with("stack/"))
        .flat_map(|file| Repository::text(file).lines().map(str::to_owned).collect::<Vec<_>>())
        .collect();
    for line in shown("./stack/compose.sh up -d") {
        // What follows is the next command, with a check of its own.
        if line.starts_with('$') {
            break;
        }
        let words = words(&line);
        let is_said = |said: &String| words.iter().all(|word| said.contains(word));
        assert!(words.len() >= 2 && said.iter().any(is_said), "no script says: {line}");
    }
}

#[test]
fn the_workflow_runs_what_every_change_must_pass_and_names_no_host() {
    let workflow = Repository::text(".github/workflows/ci.yml");
    assert!(workflow.lines().any(|line| line.trim() == ".ci/run"), "{workflow}");
    assert!(!workflow.contains("://"), "{workflow}");
    // Built with the compiler that the manifest asks for.
    let manifest = Repository::text("Cargo.toml");
    let version = manifest.lines().find_map(|line| line.strip_prefix("rust-version = ")).unwrap();
    assert!(workflow.contains(&format!("rust:{}-", version.trim_matches('"'))), "{version}");
}
