//! The command on a terminal: tables that fit, ages, colours, and questions. `script` of util-linux has the terminal.

use std::{
    io::Write,
    process::{Command, Stdio},
};

use testkit::service::binary;

use crate::files::{Files, files};

/// What a terminal of so many columns shows of `words`, when `typed` is typed; and the exit code.
async fn shown(files: &Files, columns: u16, words: &str, typed: &str) -> (i32, String) {
    let program = binary("woodyctl");
    let line = format!("stty cols {columns}; exec {} {words}", program.display());
    let mut command = Command::new("script");
    command.current_dir(files.folder.path()).env("TERM", "xterm");
    for name in ["NO_COLOR", "CLICOLOR", "CLICOLOR_FORCE"] {
        command.env_remove(name);
    }
    command.args(["--quiet", "--return", "--echo", "never", "--command", &line, "/dev/null"]);
    let typed = typed.to_owned();
    let run = tokio::task::spawn_blocking(move || {
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let mut keyboard = child.stdin.take().unwrap();
        keyboard.write_all(typed.as_bytes()).unwrap();
        let done = child.wait_with_output().unwrap();
        (done.status.code().unwrap(), String::from_utf8(done.stdout).unwrap())
    });
    run.await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_fits_the_terminal_and_says_how_long_ago() {
    let files = files().await;
    let id = files.accept(&"Train ".repeat(30)).await.to_string();
    for columns in [80, 120, 200] {
        let (code, table) = shown(&files, columns, "orders list", "").await;
        assert!(code == 0 && table.contains(&id) && table.contains("5 min ago"), "{table}");
        let widest = table.lines().map(|line| line.trim_end().chars().count()).max().unwrap();
        assert!(
            widest <= usize::from(columns) && table.contains('…'),
            "{widest} of {columns}: {table}"
        );
    }
    let (_, piped) = files.woodyctl(&["orders", "list"]).await;
    assert!(!piped.contains("ago") && !piped.contains('…'), "{piped}");
    assert!(piped.contains(&"Train ".repeat(30).trim_end().to_owned()), "{piped}");
}

#[tokio::test(flavor = "multi_thread")]
async fn colours_are_for_terminals_that_want_them() {
    let files = files().await;
    files.bury("no JSON", "no JSON").await;
    let (_, status) = shown(&files, 80, "status", "").await;
    assert!(status.contains("\u{1b}[1;31mNothing is lost. "), "{status:?}");
    let (_, status) = shown(&files, 80, "status | cat", "").await;
    assert!(!status.contains('\u{1b}'), "{status:?}");
    let (_, help) = shown(&files, 80, "--help", "").await;
    assert!(help.contains('\u{1b}'), "{help:?}");
    let (_, document) = shown(&files, 80, "status --json", "").await;
    assert!(!document.contains('\u{1b}'), "{document:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_undone_is_asked_for_and_no_is_no() {
    let files = files().await;
    files.bury("no JSON", "no JSON").await;
    let count = async || files.json(&["dead", "list"]).await.1.as_array().unwrap().len();
    for typed in ["n\n", "\n", "\u{4}"] {
        let (code, said) = shown(&files, 120, "dead purge --all", typed).await;
        assert!(said.contains("Delete 1 dead letter, for good? [y/N]"), "{said}");
        assert!(code == 1 && said.contains("error: nothing was done"), "{code}: {said}");
        assert_eq!(count().await, 1);
    }
    let (_, acts) = files.json(&["acts"]).await;
    assert_eq!(acts["acts"], serde_json::json!([]), "what was declined is no act");
    let (code, said) = shown(&files, 120, "dead purge --all", "y\n").await;
    assert!(code == 0 && said.contains("1 dead letters purged"), "{code}: {said}");
    assert_eq!(count().await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn where_nobody_can_be_asked_nothing_is_done_without_yes() {
    let files = files().await;
    files.bury("no JSON", "no JSON").await;
    let id = files.accept("Train").await.to_string();
    let archive = ["orders", "archive", "--older-than", "1h", "--to", "orders.jsonl"];
    for words in [
        &["dead", "purge", "--all"][..],
        &["order", "cancel", &id],
        &["order", "fail", &id, "--reason", "stuck"],
        &archive,
    ] {
        let (code, said) = files.woodyctl(words).await;
        assert!(
            code == 2 && said.contains("nothing was done") && said.contains("--yes"),
            "{words:?}: {said}"
        );
    }
    let (_, order) = files.json(&["order", "show", &id]).await;
    assert_eq!(order["status"], "pending");
    assert!(!files.folder.path().join("orders.jsonl").exists());
    let (_, acts) = files.json(&["acts"]).await;
    assert_eq!(acts["acts"], serde_json::json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shop_at_a_glance_gives_the_terminal_back_as_it_was() {
    let files = files().await;
    files.bury("no JSON", "no JSON\u{202e}").await;
    files.accept("Train").await;
    let (code, shown) = shown(&files, 80, "top --every 1s --looks 2", "").await;
    let (before, rest) = shown.split_once("\u{1b}[?1049h").unwrap();
    let (screens, after) = rest.split_once("\u{1b}[?1049l").unwrap();
    assert_eq!((code, before), (4, ""), "somebody must act: {shown}");
    let screens: Vec<_> = screens.split("\u{1b}[H").skip(1).collect();
    assert_eq!(screens.len(), 2, "{screens:?}");
    for screen in &screens {
        let pending = screen.lines().find(|line| line.starts_with("pending orders")).unwrap();
        assert!(pending.contains("   1 "), "{screen}");
        assert!(
            screen.contains("To do: ") && screen.contains("every 1 s, Ctrl-C ends"),
            "{screen}"
        );
        assert!(
            screen.lines().filter(|line| line.trim_end().ends_with("\u{1b}[K")).count() > 10,
            "{screen}"
        );
    }
    assert!(screens[1].contains("+0.0/s  ██"), "{}", screens[1]);
    // What is left on the terminal is what `status` says.
    assert!(after.contains("Nothing is lost.") && after.contains("dead letters     1"), "{after}");

    let (code, said) = files.woodyctl(&["top"]).await;
    assert!(code == 2 && said.contains("status --watch --json"), "{said}");
    let (code, said) = files.woodyctl(&["top", "--every", "1ms"]).await;
    assert!(code == 2 && said.contains("--every"), "{said}");
}
