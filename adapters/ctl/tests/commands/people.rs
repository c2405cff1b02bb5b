//! What every command has in common for those who call it: pages, completions, JSON, words that were mistyped.

use std::{collections::BTreeSet, path::Path, process::Command};

use clap::CommandFactory;
use testkit::service::binary;
use woodyctl::Ctl;

use crate::files::files;

/// Each command that does something, as it is called: `dead list`.
fn leaves() -> Vec<String> {
    let (mut found, mut left) = (Vec::new(), vec![(String::new(), whole())]);
    while let Some((path, command)) = left.pop() {
        let below: Vec<_> =
            command.get_subcommands().filter(|is| is.get_name() != "help").collect();
        if below.is_empty() {
            found.push(path.trim_start().to_owned());
        }
        left.extend(below.into_iter().map(|is| (format!("{path} {}", is.get_name()), is.clone())));
    }
    found.sort();
    found
}

/// All commands, with what each of them takes from those above.
fn whole() -> clap::Command {
    let mut command = Ctl::at_home(Ctl::command());
    command.build();
    command
}

fn command_of(path: &str) -> clap::Command {
    path.split(' ').fold(whole(), |command, name| command.find_subcommand(name).unwrap().clone())
}

/// What changes the shop for good, so that it asks first.
const FOR_GOOD: [&str; 5] =
    ["dead purge", "notices unsubscribe", "order cancel", "order fail", "orders archive"];

#[test]
fn every_command_says_what_it_is_for_and_prints_json() {
    for path in leaves() {
        let command = command_of(&path);
        assert!(command.get_about().is_some(), "{path} says nothing of itself");
        for flag in command.get_arguments() {
            assert!(flag.get_help().is_some(), "{path}: {} says nothing of itself", flag.get_id());
        }
        let has = |name: &str| command.get_arguments().any(|flag| flag.get_long() == Some(name));
        assert!(has("json") && has("output"), "{path} prints no JSON");
        assert_eq!(
            has("yes"),
            FOR_GOOD.contains(&&*path),
            "{path}: what cannot be undone asks, and nothing else"
        );
    }
}

#[test]
fn every_command_is_in_the_readme() {
    let readme = include_str!("../../README.md");
    for path in leaves() {
        let (first, last) = (path.split(' ').next().unwrap(), path.split(' ').next_back().unwrap());
        let row = readme.lines().any(|line| {
            let cell = line.split(" | ").next().unwrap_or_default();
            line.starts_with("| `") && cell.contains(first) && cell.contains(last)
        });
        assert!(row, "{path} is not in adapters/ctl/README.md");
    }
}

/// Commands that only look, on a shop with nothing in it, and what people read of it.
const LOOKS: [(&[&str], &str); 10] = [
    (&["acts"], "none\n0 acts"),
    (&["dead", "list"], "none"),
    (&["notices", "stats"], "none"),
    (&["orders", "list"], "none\n0 orders"),
    (&["orders", "stuck"], "none"),
    (&["orders", "archive", "--older-than", "1h", "--dry-run"], "may be archived  0 orders"),
    (&["outbox", "stats"], "waiting         0"),
    (&["queue", "stats"], "ready      0"),
    (&["dead", "purge", "--all", "--dry-run"], "0 dead letters would be purged"),
    (&["status"], "Nothing is lost. "),
];

#[tokio::test(flavor = "multi_thread")]
async fn of_nothing_each_says_none_and_a_program_gets_one_document() {
    let files = files().await;
    files.broker().await.close().await; // which makes the queue
    for (words, says) in LOOKS {
        let (_, text) = files.woodyctl(words).await;
        assert!(text.starts_with(says), "{words:?}: {text}");
        let (_, short) = files.woodyctl(&[words, &["--json"]].concat()).await;
        let (_, long) = files.json(words).await;
        let document: serde_json::Value = serde_json::from_str(&short).unwrap();
        if words != ["status"] {
            assert_eq!(document, long, "{words:?}");
        }
        assert!(!document.is_string() && !document.is_null(), "{words:?}: {document}");
    }
    let (code, said) = files.woodyctl(&["acts", "--json", "--output", "table"]).await;
    assert!(code == 2 && said.contains("--json"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_mistypes_is_told_what_was_meant() {
    let files = files().await;
    for (words, says) in [
        (&["statsu"][..], "did you mean 'status'?"),
        (&["dead", "lst"], "did you mean 'list'?"),
        (&["orders", "list", "--stauts", "failed"], "did you mean '--status'?"),
        (&["orders", "list", "--status", "canceled"], "did you mean cancelled?"),
        (&["completions", "bsh"], "did you mean 'bash'?"),
    ] {
        let (code, said) = files.woodyctl(words).await;
        assert!(code == 2 && said.trim_end().ends_with(says), "{words:?}: {said}");
        assert_eq!(said.lines().count(), 1, "{said}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shop_that_cannot_be_reached_is_named_with_what_to_look_at() {
    let files = files().await;
    let (login, files_of) = ("ada:pencil@127.0.0.1:1", "start the shop first, or name another");
    for (url, words, place, step) in [
        (
            format!("--store-url=postgres://{login}/shop"),
            ["orders", "list"],
            "127.0.0.1:1",
            "WOODY_STORE_URL",
        ),
        (
            format!("--broker-url=amqp://{login}/%2f"),
            ["queue", "stats"],
            "127.0.0.1:1",
            "WOODY_BROKER_URL",
        ),
        ("--store-url=sqlite:nowhere.db".to_owned(), ["orders", "list"], "nowhere.db", files_of),
        ("--broker-url=sqlite:nowhere.db".to_owned(), ["dead", "list"], "nowhere.db", files_of),
    ] {
        let (code, said) = files.woodyctl(&[&[&*url][..], &words].concat()).await;
        assert!(code != 0 && said.contains(place) && said.contains(step), "{url}: {said}");
        assert!(!said.contains("pencil") && said.lines().count() == 1, "{url}: {said}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_command_has_a_page_for_man() {
    let files = files().await;
    let (code, said) = files.woodyctl(&["man", "--to", "pages/man1"]).await;
    assert!(code == 0 && said.contains("man -l pages/man1/woodyctl.1"), "{said}");
    let folder = files.folder.path().join("pages/man1");
    let pages: BTreeSet<String> = std::fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    for path in leaves() {
        let page = format!("woodyctl-{}.1", path.replace(' ', "-"));
        assert!(pages.contains(&page), "{page} is missing: {pages:?}");
        let text = std::fs::read_to_string(folder.join(&page)).unwrap();
        assert!(text.contains(".SH SYNOPSIS"), "{page}: {text}");
    }
    std::fs::write(files.folder.path().join("file"), "").unwrap();
    let (code, said) = files.woodyctl(&["man", "--to", "file"]).await;
    assert!(code == 1 && said.contains("cannot write man pages to file"), "{said}");
}

/// Whether a shell takes the file; none where the shell is not here.
fn takes(shell: &str, file: &Path) -> Option<bool> {
    let said = Command::new(shell).arg("-n").arg(file).output().ok()?;
    assert!(said.status.success(), "{shell}: {}", String::from_utf8_lossy(&said.stderr));
    Some(true)
}

#[tokio::test(flavor = "multi_thread")]
async fn completions_are_scripts_that_their_shells_take() {
    let files = files().await;
    for shell in ["bash", "zsh", "fish"] {
        let (code, script) = files.woodyctl(&["completions", shell]).await;
        assert_eq!(code, 0);
        for word in ["redrive", "unsubscribe", "older-than", "completions"] {
            assert!(script.contains(word), "{shell} knows no {word}");
        }
        let file = files.folder.path().join(shell);
        std::fs::write(&file, &script).unwrap();
        if takes(shell, &file).is_none() {
            assert_ne!(shell, "bash", "no bash here");
        }
        let (_, document) = files.woodyctl(&["completions", shell, "--json"]).await;
        let document: serde_json::Value = serde_json::from_str(&document).unwrap();
        assert_eq!(
            (&document["shell"], document["script"].as_str().unwrap().trim()),
            (&shell.into(), script.trim())
        );
    }
    // Asked for what it completes, bash says it.
    let asked = "source ./bash; COMP_WORDS=(woodyctl dead re); COMP_CWORD=2; _woodyctl woodyctl re dead; echo \"${COMPREPLY[*]}\"";
    let mut bash = Command::new("bash");
    let said = bash.current_dir(files.folder.path()).args(["-c", asked]).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&said.stdout).trim(), "redrive", "{said:?}");
    assert!(binary("woodyctl").exists());
}
