//! `woodyctl size`, as an operator asks it.

use std::process::Command;

use serde_json::Value;
use testkit::service::binary;

/// Exit code, stdout and stderr.
fn size(words: &[&str]) -> (i32, String, String) {
    let done = Command::new(binary("woodyctl")).arg("size").args(words).output().unwrap();
    let [out, err] = [done.stdout, done.stderr].map(|said| String::from_utf8(said).unwrap());
    (done.status.code().unwrap(), out, err)
}

fn file(name: &str) -> String {
    format!("{}/{name}", env!("CARGO_MANIFEST_DIR"))
}

#[test]
fn what_it_says_of_a_hundred_ten_thousand_and_a_million_orders_is_written_down() {
    for rate in ["100", "10000", "1000000"] {
        let (code, out, err) = size(&["--rate", rate, "--validation", "200ms"]);
        assert_eq!((code, err.as_str()), (0, ""));
        let kept = file(&format!("tests/commands/size/{rate}.txt"));
        if std::env::var_os("WOODY_WRITE_DOCS").is_some() {
            std::fs::write(&kept, &out).unwrap();
        }
        let kept = std::fs::read_to_string(kept).unwrap();
        assert_eq!(out, kept, "WOODY_WRITE_DOCS=1 writes it anew");
        if rate == "100" {
            let page = std::fs::read_to_string(file("../../docs/operations.md")).unwrap();
            assert!(page.contains(&kept), "docs/operations.md shows something else");
        }
    }
}

#[test]
fn programs_get_one_document_with_the_same_figures() {
    let words = ["--rate", "100", "--validation", "200ms", "--output", "json"];
    let (code, out, _) = size(&words);
    let told: Value = serde_json::from_str(&out).unwrap();
    assert_eq!((code, &told["holds"], &told["shops"]), (0, &true.into(), &1.into()));
    let (_, table, _) = size(&words[..4]);
    for (name, row) in [("order_services", "order-service "), ("workers", "order-worker ")] {
        let row = table.lines().find(|line| line.contains(row)).unwrap();
        assert!(row.contains(&format!(" {} ", told[name])), "{row}: {told}");
    }
    let ended = &told["ended"];
    assert!(ended["p99_ms"].as_f64() > ended["p50_ms"].as_f64(), "{told}");
    let limits: Vec<f64> = told["limits"]
        .as_array()
        .unwrap()
        .iter()
        .map(|limit| limit["orders_per_s"].as_f64().unwrap())
        .collect();
    assert!(limits.is_sorted() && limits.len() == 4, "{limits:?}");
}

#[test]
fn a_deployment_that_does_not_hold_the_orders_is_bad_news() {
    let words = ["--rate", "100", "--validation", "200ms", "--workers", "10"];
    let (code, out, _) = size(&words);
    assert_eq!(code, 1);
    assert!(out.contains("NOT ENOUGH: 100 orders/s come"), "{out}");
    let (code, out, _) = size(&[&words[..5], &["25", "--output", "json"]].concat());
    let told: Value = serde_json::from_str(&out).unwrap();
    assert_eq!((code, &told["workers"]), (0, &25.into()), "{told}");
    let (code, out, _) = size(&["--rate", "10", "--validation", "200ms", "--p99", "100ms"]);
    assert_eq!(code, 1);
    assert!(out.contains("NOT IN TIME: "), "{out}");
}

#[test]
fn too_many_connections_and_too_much_for_a_shop_are_said() {
    let (_, out, _) = size(&["--rate", "1000", "--validation", "200ms"]);
    assert!(out.contains("TOO MANY CONNECTIONS: "), "{out}");
    let (_, out, _) = size(&["--rate", "1000", "--validation", "200ms", "--prefetch", "20"]);
    assert!(!out.contains("TOO MANY CONNECTIONS: "), "{out}");
    let (_, out, _) = size(&["--rate", "50000"]);
    assert!(out.contains("MORE THAN A SHOP: "), "{out}");
}

#[test]
fn what_cannot_be_asked_is_one_line_that_says_what_can() {
    for bad in [
        &["--rate", "0"][..],
        &["--rate=-5"],
        &["--rate", "NaN"],
        &["--rate", "inf"],
        &["--rate", "10000001"],
        &["--rate", "many"],
        &[],
        &["--rate", "10", "--validation", "16m"],
        &["--rate", "10", "--validation", "200"],
        &["--rate", "10", "--peak", "0.5"],
        &["--rate", "10", "--spread", "wide"],
        &["--rate", "10", "--busy", "100"],
    ] {
        let (code, out, err) = size(bad);
        assert_eq!((code, out.as_str()), (2, ""), "{bad:?}: {err}");
        assert!(err.starts_with("error: ") && err.lines().count() == 1, "{bad:?}: {err}");
    }
    let (_, help, _) = size(&["--help"]);
    for bounds in ["(0.1 to 10000000)", "(0s to 15m)", "(1 to 100)", "(10 to 95)"] {
        assert!(help.contains(bounds), "{bounds}: {help}");
    }
}
