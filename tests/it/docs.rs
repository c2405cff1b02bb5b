//! Every file, folder, test, cargo target, variable and figure that a document names is there.
//!
//! Looked at are links, and what is written as code (between backticks, and in blocks). Of these a word is
//! - a path, if it begins with a folder of the root, ends with `/`, or ends like a file of ours (`.rs`, `.sh`, …); one that
//!   does not begin at the root may be the end of a path (`services/pipeline.rs`);
//! - a test, if it is a sentence: four words or more, joined by `_`;
//! - a variable (`WOODY_…`) or a figure (`woody_…`), which code, scripts or configuration must know;
//! - a cargo target, package or test filter, after `cargo`.
//!
//! A word with a capital placeholder in it (`FILE`, `order_processing.retry.N`) is none of these.

use crate::repository::Repository;

/// What `text`, a document in `folder`, names and is not there.
fn missing(repository: &Repository, folder: &str, text: &str) -> Vec<String> {
    let mut missing: Vec<String> =
        links(text).into_iter().filter(|link| !is_there(repository, folder, link)).collect();
    for code in code(text) {
        let words: Vec<&str> = code.split_whitespace().map(bare).collect();
        missing.extend(words.iter().filter_map(|word| gone(repository, word)).map(str::to_owned));
        if let Some(at) = words.iter().position(|word| *word == "cargo") {
            missing.extend(wrong_targets(repository, &words[at + 1..]));
        }
    }
    missing
}

fn links(text: &str) -> Vec<String> {
    let targets = text.split("](").skip(1).filter_map(|rest| rest.split_once(')'));
    let files = targets.map(|(target, _)| target.split('#').next().unwrap());
    files.filter(|file| !file.is_empty() && !file.contains("://")).map(str::to_owned).collect()
}

fn is_there(repository: &Repository, folder: &str, link: &str) -> bool {
    let mut path: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
    for part in link.split('/') {
        match part {
            ".." => drop(path.pop()),
            "." | "" => {}
            part => path.push(part),
        }
    }
    let path = path.join("/");
    repository.files.contains(&path) || repository.folders.contains(&path)
}

/// What stands between backticks, and each line of a block.
fn code(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut block = None;
    for line in text.lines() {
        if let Some(language) = line.trim_start().strip_prefix("```") {
            block = if block.is_some() { None } else { Some(language) };
        } else if let Some(language) = block {
            // Programs and pictures have names of their own.
            if ["", "sh", "text"].contains(&language) {
                found.push(line.to_owned());
            }
        } else {
            found.extend(line.split('`').skip(1).step_by(2).map(str::to_owned));
        }
    }
    found
}

/// A word without what a sentence or a shell puts around it.
fn bare(word: &str) -> &str {
    let word = word.trim_matches(|c: char| "\"'()[]{},;:|&<>".contains(c));
    let word = word.strip_suffix('.').unwrap_or(word);
    word.strip_prefix("./").unwrap_or(word)
}

/// What in `word` is not there.
fn gone<'a>(repository: &Repository, word: &'a str) -> Option<&'a str> {
    if let Some(name) = word_with(word, "WOODY_").or_else(|| word_with(word, "woody_")) {
        // One that ends with `_` stands for all that begin so.
        let is_known =
            |known: &String| known == name || (name.ends_with('_') && known.starts_with(name));
        return (!repository.words.iter().any(is_known)).then_some(name);
    }
    let is_plain = word.chars().all(|c| c.is_ascii_alphanumeric() || "._-/".contains(c));
    if !is_plain || word.starts_with('/') || word.split(['/', '.']).any(is_placeholder) {
        return None;
    }
    let path = word.trim_end_matches('/');
    let is_there = if repository.begins_at_the_root(word) {
        repository.files.contains(path) || repository.folders.contains(path)
    } else if word.ends_with('/') {
        repository.has_folder_called(path)
    } else if FILES.iter().any(|ending| word.len() > ending.len() && word.ends_with(ending)) {
        repository.has_file_called(word)
    } else if word.matches('_').count() >= 3 && word.chars().all(is_of_a_name) {
        repository.tests.contains(word) || repository.words.contains(word)
    } else {
        true
    };
    (!is_there).then_some(word)
}

/// How files of ours end.
const FILES: [&str; 9] =
    [".rs", ".sh", ".md", ".py", ".toml", ".yml", ".html", ".Dockerfile", ".json"];

fn is_placeholder(part: &str) -> bool {
    let is_shouted = part.chars().all(|c| c.is_ascii_uppercase() || c == '-');
    is_shouted && !part.is_empty() && !["README", "CONTRIBUTING", "CHANGELOG"].contains(&part)
}

fn is_of_a_name(c: char) -> bool {
    c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_'
}

/// The identifier in `word` that begins with `prefix`.
fn word_with<'a>(word: &'a str, prefix: &str) -> Option<&'a str> {
    let at = word
        .find(prefix)
        .filter(|at| *at == 0 || !word.as_bytes()[at - 1].is_ascii_alphanumeric())?;
    let end = word[at..]
        .find(|c: char| !c.is_ascii_alphanumeric() && c != '_')
        .map_or(word.len(), |end| at + end);
    (end > at + prefix.len()).then_some(&word[at..end])
}

/// What follows `cargo`, and names nothing.
fn wrong_targets(repository: &Repository, arguments: &[&str]) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut folder = None;
    let mut words = arguments.iter().take_while(|word| **word != "--" && **word != "#");
    let is_test = arguments.first() == Some(&"test");
    while let Some(word) = words.next() {
        let kind = match *word {
            "-p" | "--package" => "package",
            "--example" | "--bench" | "--test" | "--bin" => word.trim_start_matches('-'),
            filter if is_test && filter.contains('_') && !filter.starts_with('-') => {
                if !repository.tests.iter().any(|test| test.contains(filter)) {
                    wrong.push(format!("cargo test {filter}"));
                }
                continue;
            }
            _ => continue,
        };
        let Some(name) = words.next() else { continue };
        let is_known = if kind == "package" {
            folder = repository.packages.get(*name).map(String::as_str);
            folder.is_some()
        } else {
            repository.has_target(folder, kind, name)
        };
        if !is_known && !name.chars().all(|c| c.is_ascii_uppercase()) {
            wrong.push(format!("cargo {kind} {name}"));
        }
    }
    wrong
}

#[test]
fn what_the_documents_name_is_there() {
    let repository = Repository::read();
    // What is noted of the past may name what is gone.
    let documents = repository.files_of("md").filter(|file| *file != "CHANGELOG.md");
    let mut wrong = Vec::new();
    for document in documents {
        let folder = document.rsplit_once('/').map_or("", |(folder, _)| folder);
        let found = missing(&repository, folder, &Repository::text(document));
        wrong.extend(found.into_iter().map(|name| format!("{document}: {name}")));
    }
    assert!(wrong.is_empty(), "named, and not there: {wrong:#?}");
}

#[test]
fn what_is_gone_is_found() {
    let repository = Repository::read();
    for (text, gone) in [
        ("[map](docs/nowhere.md) and [page](docs/architecture.md#heavy-work)", "docs/nowhere.md"),
        ("see `woody-core/src/nowhere.rs`, `services/pipeline.rs`", "woody-core/src/nowhere.rs"),
        ("in `services/nowhere.rs`", "services/nowhere.rs"),
        ("```sh\n./stack/nowhere.sh --fast   # and ./dev/test.sh\n```", "stack/nowhere.sh"),
        ("a folder, `nowhere/`; `ports/` is there", "nowhere/"),
        ("`no_order_was_ever_lost_here`", "no_order_was_ever_lost_here"),
        ("`WOODY_NOWHERE=1` and `WOODY_LOG`", "WOODY_NOWHERE"),
        ("`rate(woody_nowhere_total[1m])`", "woody_nowhere_total"),
        ("`cargo run --example nowhere`", "cargo example nowhere"),
        ("`cargo test -p woody-nowhere`", "cargo package woody-nowhere"),
        (
            "```\ncargo test -p woody-core --test simulation no_such_schedule # one\n```",
            "cargo test no_such_schedule",
        ),
        ("`cargo bench --bench nowhere`", "cargo bench nowhere"),
    ] {
        assert_eq!(missing(&repository, "", text), [gone], "{text}");
    }
}

#[test]
fn what_is_there_or_stands_for_something_is_not() {
    let repository = Repository::read();
    for text in [
        "`./dev/services/up.sh DIR`, `workshop/pool.rs`, `docs/decisions/`, `tests/it/`, `.ci/run`",
        "`order_processing.retry.N`, `https://example.org/a/b.rs`, `a/b`, `~/.woodytoys/STACK`, `/healthz`",
        "`cargo run --example embed`, `cargo test --workspace`, `cargo bench --bench NAME`",
        "`no_schedule_breaks_a_promise`, `a_second_insert_is_reported_not_stored`, `WOODY_HEAVY_…`",
        "[the web](https://example.org/nowhere.md), [a part](#nowhere)",
    ] {
        assert_eq!(missing(&repository, "", text), [""; 0], "{text}");
    }
}
