//! What operators do is written down before it is done.

use std::{process::Command, time::Duration};

use serde_json::{Value, json};
use testkit::service::binary;
use woody_core::domain::{Details, NewOrder, OrderMessage};

use crate::files::{Files, files};

const WHO: [&str; 2] = ["--by", "ada"];

/// What is written down, the newest first: who, what, to what, why, and how it ended.
async fn acts(files: &Files, words: &[&str]) -> Vec<Value> {
    let (code, page) = files.json(&[&["acts"], words].concat()).await;
    assert_eq!((code, &page["next"]), (0, &Value::Null), "{page}");
    page["acts"].as_array().unwrap().clone()
}

fn told(act: &Value) -> [&Value; 6] {
    ["by", "act", "order_id", "because", "result", "told"].map(|name| &act[name])
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_that_is_cancelled_or_failed_has_an_act_that_says_who_and_why() {
    let files = files().await;
    let (one, other) =
        (files.accept("Train").await.to_string(), files.accept("Boat").await.to_string());
    let why = ["--because", "the client called"];
    let cancel = ["order", "cancel", &one, "--yes"];
    let _ = files.json(&[&cancel[..], &WHO, &why].concat()).await;
    let _ = files.json(&[&cancel[..], &WHO].concat()).await;
    let fail = ["order", "fail", &other, "--reason", "kills workers", "--yes"];
    let _ = files.json(&[&fail[..], &["--by", "bob"]].concat()).await;
    let (code, _) = files.woodyctl(&[&["order", "fail", &one], &fail[3..], &WHO].concat()).await;
    assert_eq!(code, 1);

    let all = acts(&files, &[]).await;
    let too_late = format!("order {one} has ended as cancelled before, and stays so");
    let expected = [
        json!(["ada", "order fail", one, "kills workers", "refused", too_late]),
        json!(["bob", "order fail", other, "kills workers", "done", null]),
        json!(["ada", "order cancel", one, null, "done", "it was so before"]),
        json!(["ada", "order cancel", one, "the client called", "done", null]),
    ];
    assert_eq!(all.iter().map(|act| json!(told(act))).collect::<Vec<_>>(), expected);
    assert!(all.iter().all(|act| act["at"].as_str().is_some_and(|at| at.ends_with('Z'))));
    assert_eq!(acts(&files, &["--order", &other]).await, [all[1].clone()]);
    assert_eq!(acts(&files, &["--since", "1h"]).await, all);

    let (_, page) = files.json(&["acts", "--limit", "3"]).await;
    let (_, rest) = files.json(&["acts", "--cursor", page["next"].as_str().unwrap()]).await;
    assert_eq!(rest["acts"], json!([all[3]]));
    let (code, table) = files.woodyctl(&["acts", "--order", &other]).await;
    assert!(code == 0 && table.contains("order fail") && table.contains("bob"), "{table}");
}

#[tokio::test(flavor = "multi_thread")]
async fn dead_letters_that_are_redriven_or_purged_are_counted_in_an_act() {
    let files = files().await;
    let order = NewOrder::new(Details::parse(r#"{"product":"Train"}"#).unwrap());
    for body in ["no JSON", "none either"] {
        files.bury(body, "no JSON").await;
    }
    let message = OrderMessage::from(&order).to_bytes();
    files.bury(&String::from_utf8_lossy(&message), "late").await;
    let purge = ["dead", "purge", "--matching", "no JSON", "--yes"];
    let _ = files.woodyctl(&[&purge[..], &["--dry-run"]].concat()).await;
    assert_eq!(acts(&files, &[]).await, Vec::<Value>::new(), "nothing was done");
    let _ = files.json(&[&purge[..], &WHO, &["--because", "tests"]].concat()).await;
    let _ = files.json(&[&["dead", "redrive", "--all"][..], &WHO].concat()).await;
    let all = acts(&files, &[]).await;
    let expected = [
        json!(["ada", "dead redrive", order.id, null, "done", "1 dead letters redriven"]),
        json!(["ada", "dead purge", null, "tests", "done", "2 dead letters purged"]),
    ];
    assert_eq!(all.iter().map(|act| json!(told(act))).collect::<Vec<_>>(), expected);
    assert_eq!(all[1]["target"], "2 dead letters");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_written_down_is_not_done_unless_that_is_asked_for() {
    let files = files().await;
    files.bury("no JSON", "no JSON").await;
    files.store.close().await;
    std::fs::remove_file(files.folder.path().join("data/woody.db")).unwrap();
    let purge = ["dead", "purge", "--all", "--yes", "--by", "ada", "--because", "a full disk"];
    let (code, said) = files.woodyctl(&purge).await;
    assert_eq!((code, said.lines().count()), (1, 1), "{said}");
    for part in ["nothing was done", "woody.db", "--unrecorded"] {
        assert!(said.contains(part), "{said}");
    }
    let (_, letters) = files.json(&["dead", "list"]).await;
    assert_eq!(letters.as_array().unwrap().len(), 1);

    let (code, said) = files.woodyctl(&[&purge[..], &["--unrecorded"]].concat()).await;
    assert_eq!(code, 0, "{said}");
    for part in
        ["warning: not written down", "by ada, because a full disk", "1 dead letters purged"]
    {
        assert!(said.contains(part), "{said}");
    }
    let (_, letters) = files.json(&["dead", "list"]).await;
    assert_eq!(letters, json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn who_acts_is_the_user_of_the_system_unless_a_name_is_given() {
    let files = files().await;
    let id = files.accept("Train").await.to_string();
    for (variables, is_by) in [
        (&[("USER", "eve\u{1b}[2J")][..], "eve [2J (uid "),
        (&[("USER", "root"), ("SUDO_USER", "eve")], "eve (uid "),
        (&[("USER", ""), ("LOGNAME", ""), ("WOODY_BY", "")], "uid "),
        (&[("USER", "eve"), ("WOODY_BY", "ada")], "ada"),
    ] {
        let mut command = Command::new(binary("woodyctl"));
        command.env_remove("SUDO_USER").envs(variables.iter().copied());
        command.current_dir(files.folder.path()).args(["order", "cancel", &id, "--yes"]);
        let run = tokio::task::spawn_blocking(move || command.output().unwrap());
        let done = tokio::time::timeout(Duration::from_mins(1), run).await.unwrap().unwrap();
        assert!(done.status.success(), "{done:?}");
        let by = acts(&files, &[]).await;
        let by = by[0]["by"].as_str().unwrap();
        assert!(by.starts_with(is_by), "{by}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_and_a_reason_of_any_length_are_cut_to_one_line() {
    let files = files().await;
    let id = files.accept("Train").await.to_string();
    let long = "x\u{202e}\n".repeat(300);
    let words = ["order", "cancel", &id, "--yes", "--by", &long, "--because", &long];
    assert_eq!(files.woodyctl(&words).await.0, 0);
    let all = acts(&files, &[]).await;
    let lengths = ["by", "because"].map(|name| all[0][name].as_str().unwrap().chars().count());
    assert_eq!(lengths, [100, 500]);
    let _ = files.woodyctl(&["acts"]).await;
}
