//! `woodyctl load` and the audit of its books.

use std::{path::Path, process::Command};

use serde_json::Value;
use testkit::{
    client::ended,
    service::{Start, binary, free_address},
};

/// What `woodyctl` says to these words, in the shop's folder, and its exit code.
async fn woodyctl(folder: &Path, words: &[&str]) -> (i32, Value) {
    let mut command = Command::new(binary("woodyctl"));
    command.current_dir(folder).args(words).args(["--output", "json"]);
    let done = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    let said = String::from_utf8(done.stdout).unwrap();
    (done.status.code().unwrap(), serde_json::from_str(&said).unwrap_or(Value::Null))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_load_keeps_books_that_the_audit_reads() {
    let folder = tempfile::tempdir().unwrap();
    let shop = Start::of("woodytoys").current_dir(folder.path()).env("WOODY_VALIDATION", "none");
    let shop = shop.ready().await;
    let url = format!("http://{}", shop.address);
    let (code, report) = woodyctl(
        folder.path(),
        &[
            "load",
            &url,
            "--rate",
            "100",
            "--for",
            "1s",
            "--also",
            "/api/misc/time",
            "--ledger",
            "l",
        ],
    )
    .await;
    assert_eq!(
        (code, &report["failed"], &report["refused"]),
        (0, &0.into(), &0.into()),
        "{report}"
    );
    assert_eq!(report["accepted"], report["also_answered"], "{report}");

    let ledger = std::fs::read_to_string(folder.path().join("l")).unwrap();
    assert_eq!(Some(ledger.lines().count() as u64), report["accepted"].as_u64());
    for line in ledger.lines() {
        assert_eq!(ended(shop.address, &line[..36]).await, "success");
    }
    let (code, audit) = woodyctl(folder.path(), &["orders", "audit", "--promised", "l"]).await;
    assert_eq!((code, &audit["kept"], &audit["promised"]), (0, &true.into(), &report["accepted"]));

    // The ledgers of two runs are one: no submit of one run is a submit of another.
    let again = ["load", &url, "--rate", "20", "--for", "200ms", "--ledger", "m"];
    assert_eq!(woodyctl(folder.path(), &again).await.0, 0);
    let more = std::fs::read_to_string(folder.path().join("m")).unwrap();
    std::fs::write(folder.path().join("both"), format!("{ledger}{more}")).unwrap();
    let both = ["orders", "audit", "--promised", "both"];
    let (code, audit) = woodyctl(folder.path(), &both).await;
    assert_eq!((code, &audit["doubled"]), (0, &serde_json::json!([])), "{audit}");

    // Orders of another shape are sent as they are.
    let details = r#"{"product": "Ark", "quantity": 3}"#;
    let words = ["load", &url, "--rate", "20", "--for", "200ms", "--details", details];
    let (code, report) = woodyctl(folder.path(), &words).await;
    assert_eq!((code, &report["failed"]), (0, &0.into()), "{report}");
    let words = ["load", &url, "--rate", "20", "--for", "200ms", "--details", "{}"];
    let (code, report) = woodyctl(folder.path(), &words).await;
    assert_eq!((code, &report["accepted"]), (1, &0.into()), "{report}");
    assert!(report["first_failure"].as_str().unwrap().contains("product"), "{report}");

    // One that the store does not have, and one submit that was promised twice.
    let lost = "0192f0c1-2f3a-7c4d-8e5f-6a7b8c9d0e1f";
    let first = ledger.lines().next().unwrap().split_once(' ').unwrap();
    std::fs::write(folder.path().join("l"), format!("{ledger}{lost} {}\n", first.1)).unwrap();
    let (code, audit) = woodyctl(folder.path(), &["orders", "audit", "--promised", "l"]).await;
    assert_eq!((code, &audit["kept"]), (1, &false.into()));
    assert_eq!(audit["unaccounted"], serde_json::json!([lost]));
    assert_eq!(audit["doubled"], serde_json::json!([first.1]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_load_on_a_shop_that_is_not_there_fails_and_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("http://{}", free_address());
    let words = ["load", &url, "--rate", "10", "--for", "200ms"];
    let (code, report) = woodyctl(folder.path(), &words).await;
    assert_eq!((code, &report["accepted"]), (1, &0.into()));
    assert!(report["first_failure"].as_str().unwrap().contains("refused"), "{report}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_load_shows_the_key_that_its_file_holds() {
    let folder = tempfile::tempdir().unwrap();
    let key = woody_adapters::keys::ApiKey::fresh();
    let line = format!("load order,read {}\n", key.hash());
    std::fs::write(folder.path().join("keys"), line).unwrap();
    std::fs::write(folder.path().join("key"), format!("{}\n", key.expose())).unwrap();
    let shop = Start::of("woodytoys").current_dir(folder.path()).env("WOODY_VALIDATION", "none");
    let shop = shop.env("WOODY_API_KEYS_FILE", "keys").ready().await;
    let url = format!("http://{}", shop.address);
    let words = ["load", &url, "--rate", "20", "--for", "200ms", "--also", "/api/misc/time"];
    let (code, report) = woodyctl(folder.path(), &words).await;
    assert_eq!((code, &report["accepted"]), (1, &0.into()), "{report}");
    assert!(report["first_failure"].as_str().unwrap().contains("401"), "{report}");

    let with_key = [&words[..], &["--key-file", "key"]].concat();
    let (code, report) = woodyctl(folder.path(), &with_key).await;
    assert_eq!((code, &report["failed"]), (0, &0.into()), "{report}");
    assert_eq!(report["accepted"], report["also_answered"], "{report}");

    // What is no key is refused before anything is sent, and not shown.
    std::fs::write(folder.path().join("key"), &key.expose()[1..]).unwrap();
    let mut command = Command::new(binary("woodyctl"));
    command.current_dir(folder.path()).args(&with_key);
    let done = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    let said = String::from_utf8_lossy(&done.stderr);
    assert_eq!(done.status.code(), Some(2), "{said}");
    assert!(said.contains("is no key") && !said.contains(&key.expose()[8..]), "{said}");
}
